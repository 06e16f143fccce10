"""What a loop will play: which tasks, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.protocol.loop import LoopPlan

if TYPE_CHECKING:
    from ictbench.suites import Sizes, Suite


def loop_plan(
    suite: Suite, family: str, index: int, sizes: Sizes, *, test_every_turn: bool = False, audit: bool = False
) -> LoopPlan:
    """The plan of one loop: it follows from the suite, the family, the loop's index and the sizes alone.

    Raises:
        PoolTooSmallError: a pool cannot fill it.
    """
    order = suite.experience_order(family, index, sizes.turns * sizes.batch_size)
    starts = range(0, len(order), sizes.batch_size)
    return LoopPlan(
        family=family,
        index=index,
        prompt=suite.prompt,
        batches=tuple(tuple(order[start : start + sizes.batch_size]) for start in starts),
        selection=tuple(suite.scoring_tasks("selection", family, index, sizes.selection_size)),
        test=tuple(suite.scoring_tasks("test", family, index, sizes.test_size)),
        prompt_bytes=suite.limits.prompt_bytes,
        test_every_turn=test_every_turn,
        audit=audit,
    )

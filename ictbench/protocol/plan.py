"""What a loop will play: which tasks, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.protocol.experience import batches_of
from ictbench.protocol.loop import LoopPlan

if TYPE_CHECKING:
    from ictbench.reflectors import Experience
    from ictbench.suites import Sizes, Suite


def loop_plan(
    suite: Suite,
    family: str,
    index: int,
    sizes: Sizes,
    *,
    experience: Experience = "fresh",
    prompt_bytes: int | None = None,
    test_every_turn: bool = False,
    audit: bool = False,
) -> LoopPlan:
    """The plan of one loop: what it plays follows from suite, family, loop index, sizes and kind of experience.

    `prompt_bytes` is the cap of a prompt; None for the suite's.

    Raises:
        PoolTooSmallError: a pool cannot fill it.
        ConfigError: experience of another family is asked for, and there is none.
    """
    return LoopPlan(
        family=family,
        index=index,
        prompt=suite.prompt,
        batches=batches_of(suite, family, index, sizes, experience),
        selection=tuple(suite.scoring_tasks("selection", family, index, sizes.selection_size)),
        test=tuple(suite.scoring_tasks("test", family, index, sizes.test_size)),
        prompt_bytes=prompt_bytes or suite.limits.prompt_bytes,
        test_every_turn=test_every_turn,
        audit=audit,
        experience=experience,
    )

"""The plan of a loop: its tasks, in the order in which they are played."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.protocol.experience import batches_of, measured_as_stream

if TYPE_CHECKING:
    from ictbench.records import Task
    from ictbench.reflectors import Experience
    from ictbench.suites import Sizes, Suite


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """Everything that determines a loop, except the answers of actor and reflector."""

    family: str
    index: int
    prompt: str
    """prompt[0], the suite's own unless the user chose another."""
    batches: tuple[tuple[Task, ...], ...]
    """Experience tasks, one batch per turn; no task occurs twice, unless the experience is `retried`."""
    selection: tuple[Task, ...]
    test: tuple[Task, ...]
    prompt_bytes: int
    """Cap of a prompt, in UTF-8 bytes."""
    test_every_turn: bool = False
    audit: bool = False
    """Whether every turn except the last is audited for its overfitting gap."""
    online: bool = False
    """Whether the experience is played under prompt[0] and under the best prompt, too, for the online measures."""
    repeats: int = 1
    """Episodes per selection and test task and prompt."""
    mixed: bool = False
    """Whether the loop is one of a stream, whose tasks are of several families."""
    experience: Experience = "fresh"
    """Kind of experience; in a `halved` loop the reflector may play as many episodes itself as the batches hold, in a
    `pooled` loop it plays the tasks of all batches itself."""

    def __post_init__(self) -> None:
        ids = [task.id for batch in self.batches for task in batch]
        if len(set(ids)) < len(ids) and self.experience != "retried":
            raise ValueError(f"loop {self.index} of {self.family}: an experience task occurs twice")

    @property
    def turns(self) -> int:
        """Number of turns, N."""
        return len(self.batches)

    @property
    def experience_tasks(self) -> tuple[Task, ...]:
        """Tasks of all batches."""
        return tuple(itertools.chain(*self.batches))

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks: experience, selection, test."""
        return (*self.experience_tasks, *self.selection, *self.test)

    def budget(self, turn: int) -> int:
        """Return how many episodes an optimiser may have played at the end of a turn."""
        return sum(map(len, self.batches[:turn]))


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
    online: bool = False,
    prompt: str | None = None,
) -> LoopPlan:
    """Return the plan of one loop.

    Args:
        suite: The suite.
        family: Name of the family.
        index: Index of the loop.
        sizes: Turns, batch size, numbers of scoring tasks and of their repeats.
        experience: Kind of experience.
        prompt_bytes: Cap of a prompt in UTF-8 bytes; None means the suite's.
        test_every_turn: Whether every prompt is tested, not only the first, the best and the last. In a stream it is.
        audit: Whether turns are audited for their overfitting gap.
        online: Whether the experience is played under prompt[0] and the best prompt, too. In a stream it is.
        prompt: prompt[0]; None means the suite's own.

    Raises:
        PoolTooSmallError: A pool has too few tasks.
        ConfigError: The experience is that of another family, and there is none, or it does not fit a stream.
    """
    every_turn, compared = measured_as_stream(suite, family, experience)
    return LoopPlan(
        family=family,
        index=index,
        prompt=suite.prompt if prompt is None else prompt,
        batches=batches_of(suite, family, index, sizes, experience),
        selection=tuple(suite.scoring_tasks("selection", family, index, sizes.selection_size)),
        test=tuple(suite.scoring_tasks("test", family, index, sizes.test_size)),
        prompt_bytes=prompt_bytes or suite.limits.prompt_bytes,
        test_every_turn=test_every_turn or every_turn,
        audit=audit,
        online=online or compared,
        mixed=suite.families[family].stream is not None,
        repeats=sizes.repeats,
        experience=experience,
    )

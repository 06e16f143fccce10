"""What a finished loop played, as its result says: which tasks, under which prompt, for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results.schema import LoopResult, Purpose


class Played(NamedTuple):
    """Tasks that were played under one prompt."""

    purpose: Purpose
    prompt: int
    """Index of the prompt."""
    tasks: tuple[str, ...]
    outcomes: str


def played(loop: LoopResult) -> Iterator[Played]:
    """Everything that a loop played; some of it may be the same episodes."""
    for prompt, batch in enumerate(loop.batches):
        yield Played("experience", prompt, batch.tasks, batch.outcomes)
    for prompt, outcomes in enumerate(loop.selection):
        yield Played("selection", prompt, loop.selection_tasks, outcomes)
    for prompt, outcomes in loop.test.items():
        yield Played("test", prompt, loop.test_tasks, outcomes)
    turns = zip(loop.audit, loop.batches, loop.batches[1:], strict=False)
    for turn, (audit, own, following) in enumerate(turns, 1):
        yield Played("audit", turn, own.tasks, audit.replayed)
        yield Played("audit", turn - 1, following.tasks, audit.fresh)

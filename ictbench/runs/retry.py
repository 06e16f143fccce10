"""Playing failed episodes again when a run is continued, and what follows from that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import task_id_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ictbench.choices import FailureKind
    from ictbench.protocol import LoopPlan
    from ictbench.runs.journal import Journal


def play_again(journal: Journal, loops: Sequence[LoopPlan], kinds: Collection[FailureKind]) -> None:
    """Forget the failed episodes of some kinds, so that they are played again, and note how many.

    Reflections on a forgotten episode, and all later ones of its loop, are forgotten too: they read what is gone.
    """
    if not kinds:
        return
    forgotten = journal.failed(kinds)
    tasks = {task_id_of(key) for key in forgotten}
    for loop in loops:
        stale = [turn for turn, batch in enumerate(loop.batches, 1) if tasks & {task.id for task in batch}]
        if stale:
            journal.forget_reflections(loop.family, loop.index, stale[0])
    counts: dict[str, int] = journal.get("retried_failures", {})
    for kind in forgotten.values():
        counts[kind] = counts.get(kind, 0) + 1
    journal.forget_episodes(forgotten)
    journal.note("retried_failures", dict(sorted(counts.items())))
    if forgotten:
        journal.note("complete", False)

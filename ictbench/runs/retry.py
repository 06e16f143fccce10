"""Repeating failed episodes when a run is continued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import task_id_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ictbench.choices import FailureKind
    from ictbench.protocol import LoopPlan
    from ictbench.runs.journal import Journal


def forget_failed(journal: Journal, loops: Sequence[LoopPlan], kinds: Collection[FailureKind]) -> None:
    """Remove the failed episodes of some kinds from the journal, so that they are played again, and note how many.

    A reflection that has read a removed episode is removed too, with all later ones of its loop.
    """
    if not kinds:
        return
    failed = journal.failed(kinds)
    tasks = {task_id_of(key) for key in failed}
    for loop in loops:
        stale_turns = [turn for turn, batch in enumerate(loop.batches, 1) if tasks & {task.id for task in batch}]
        if stale_turns:
            journal.forget_reflections(loop.family, loop.index, stale_turns[0])
    counts: dict[str, int] = journal.get("retried_failures", {})
    for kind in failed.values():
        counts[kind] = counts.get(kind, 0) + 1
    journal.forget_episodes(failed)
    journal.note("retried_failures", dict(sorted(counts.items())))
    if failed:
        journal.note("complete", False)

"""Repeating failed episodes and reflections when a run is continued."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ictbench.records import task_id_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ictbench.choices import FailureKind
    from ictbench.protocol import LoopPlan
    from ictbench.runs.journal import Journal


def forget_failures(
    journal: Journal, loops: Sequence[LoopPlan], requested: Collection[FailureKind], accepted: Collection[FailureKind]
) -> None:
    """Remove failed episodes and reflections from the journal, so that they are repeated, and note how many.

    These are failures of the requested kinds, and those for which the failure watch has stopped the run. A reflection
    that has read a removed episode is removed too. With a reflection, all later ones of its loop are removed.

    Args:
        journal: Journal of the run.
        loops: Loops of the run.
        requested: Kinds of failures to repeat.
        accepted: Kinds that stay failed, although the run stopped for them.
    """
    episodes, reflections = {*requested}, {*requested}
    match journal.get("stopped_for"):
        case ["actor", kind] if kind not in accepted:
            episodes.add(kind)
        case ["reflector", kind] if kind not in accepted:
            reflections.add(kind)
    with journal.transaction():
        _forget(journal, loops, requested, episodes, reflections)


def _forget(
    journal: Journal,
    loops: Sequence[LoopPlan],
    requested: Collection[FailureKind],
    episodes: Collection[str],
    reflections: Collection[str],
) -> None:
    """Remove failures of these kinds and note them, in one transaction: a kill may not leave a repetition unnoted."""
    failed = journal.failed(episodes)
    tasks = {task_id_of(key) for key in failed}
    repeated: Counter[str] = Counter()
    for loop in loops:
        failures = journal.reflection_failures(loop.family, loop.index) if reflections else {}
        unusable = {turn: kind for turn, kind in failures.items() if kind in reflections}
        repeated.update(unusable.values())
        stale = [turn for turn, batch in enumerate(loop.batches, 1) if tasks & {task.id for task in batch}]
        if stale or unusable:
            journal.forget_reflections(loop.family, loop.index, min([*stale, *unusable]))
    journal.forget_episodes(failed)
    _note(journal, "retried_failures", failed.values())
    _note(journal, "retried_reflections", repeated.elements())
    resampled = Counter(
        actor=sum(kind in requested for kind in failed.values()), reflector=sum(repeated[kind] for kind in requested)
    )
    if resampled.total():
        journal.note("resampled", Counter(journal.get("resampled", {})) + resampled)
    journal.note("stopped_for", None)


def _note(journal: Journal, name: str, kinds: Iterable[str]) -> None:
    """Add to the counts that the result discloses."""
    if kinds := list(kinds):
        counts = Counter(journal.get(name, {})) + Counter(kinds)
        journal.note(name, dict(sorted(counts.items())))
        journal.note("complete", False)

"""Repeating failed episodes and reflections when a run is continued."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.records import task_id_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ictbench.choices import FailureKind
    from ictbench.protocol import LoopPlan
    from ictbench.runs.journal import Journal


@dataclass(frozen=True, slots=True)
class FailuresToRepeat:
    """Failed episodes and reflections that a continued run repeats."""

    episodes: Mapping[str, str]
    """Kind of failure by key."""
    reflections: Mapping[str, int]
    """Number of unusable reflections by kind of failure."""
    stale: Mapping[tuple[str, int], int]
    """First turn whose reflection is repeated, by family and index of the loop."""
    resampled: Counter[str]
    """Number by role of those repeated because the user chose their kind."""

    def __bool__(self) -> bool:
        return bool(self.episodes or self.reflections)

    def forget(self, journal: Journal) -> None:
        """Remove them from the journal, so that they are repeated, and note how many."""
        with journal.transaction():  # a kill may not leave a repetition unnoted
            for (family, index), turn in self.stale.items():
                journal.forget_reflections(family, index, turn)
            journal.forget_episodes(self.episodes)
            _note(journal, "retried_failures", Counter(self.episodes.values()))
            _note(journal, "retried_reflections", Counter(self.reflections))
            if self.resampled.total():
                journal.note("resampled", Counter(journal.get("resampled", {})) + self.resampled)
            journal.note("stopped_for", None)


def failures_to_repeat(
    journal: Journal, loops: Sequence[LoopPlan], requested: Collection[FailureKind], accepted: Collection[FailureKind]
) -> FailuresToRepeat:
    """Return the failed episodes and reflections to repeat, without removing anything.

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
    failed = journal.failed(episodes)
    tasks = {task_id_of(key) for key in failed}
    repeated: Counter[str] = Counter()
    first: dict[tuple[str, int], int] = {}
    for loop in loops:
        failures = journal.reflection_failures(loop.family, loop.index) if reflections else {}
        unusable = {turn: kind for turn, kind in failures.items() if kind in reflections}
        repeated.update(unusable.values())
        stale = [turn for turn, batch in enumerate(loop.batches, 1) if tasks & {task.id for task in batch}]
        if loop.experience == "pooled":
            stale = [turn for turn in range(1, loop.turns + 1) if _has_read(journal, loop, turn, failed)]
        if stale or unusable:
            first[loop.family, loop.index] = min([*stale, *unusable])
    resampled = Counter(
        actor=sum(kind in requested for kind in failed.values()), reflector=sum(repeated[kind] for kind in requested)
    )
    return FailuresToRepeat(failed, repeated, first, resampled)


def _has_read(journal: Journal, loop: LoopPlan, turn: int, keys: Collection[str]) -> bool:
    """Return whether an optimiser has played one of these episodes in a turn."""
    reflection = journal.reflection(loop.family, loop.index, turn)
    return reflection is not None and not {*keys}.isdisjoint(reflection.replays)


def _note(journal: Journal, name: str, kinds: Counter[str]) -> None:
    """Add to the counts that the result discloses."""
    if kinds:
        counts = Counter(journal.get(name, {})) + kinds
        journal.note(name, dict(sorted(counts.items())))
        journal.note("complete", False)

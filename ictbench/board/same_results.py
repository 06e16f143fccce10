"""Entries with the same episodes as an earlier one, whoever submitted them and whatever reflector they name.

A copy with a changed sentence, or under another submitter's name, keeps the actions and observations of the entry that
it copies. Two deterministic players may also agree honestly: a board says what it sees, and does not say why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ictbench.errors import IctbenchError
from ictbench.protocol import keys_for
from ictbench.records import digest_of
from ictbench.submissions.read_submission import read_content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.board.entries import Entry
    from ictbench.results import Result
    from ictbench.results.standard_errors import Floats
    from ictbench.submissions.episode_records import EpisodeRecord
    from ictbench.submissions.layout import SubmissionFolder

    Plays = Mapping[tuple[str, int, int], str]

MIN_AGREEMENT = 0.95
"""Share of the episodes that must be the same."""

MIN_EPISODES = 10
"""Fewer episodes that differ from those under `prompt[0]` show nothing."""


def same_results(entries: Sequence[Entry], outcomes: Sequence[Sequence[Floats]]) -> list[Entry | None]:
    """Return the earliest entry with the same results as each one, None without any.

    Two entries have the same results if nearly all test episodes under their best prompts are the same, step by step.
    Episodes that are those under `prompt[0]` do not count: every entry of a track has them. Only an entry that the
    board has replayed can be the earlier one. Episodes are read of entries that solve nearly the same tasks.

    Args:
        entries: Entries of one track.
        outcomes: Outcomes of each entry under its best prompts: by family, loops × tasks.
    """
    order = sorted(range(len(entries)), key=lambda number: (entries[number].added, entries[number].slug))
    vectors = np.stack([np.concatenate([family.ravel() for family in one]) for one in outcomes])
    earlier: list[int] = []
    found: list[Entry | None] = [None] * len(entries)
    for number in order:
        if earlier:
            distances = abs(vectors[earlier] - vectors[number]).mean(axis=1)
            alike = [entries[earlier[place]] for place in np.flatnonzero(distances <= 1 - MIN_AGREEMENT)]
            found[number] = next((one for one in alike if _same(one.plays, entries[number].plays)), None)
        if found[number] is None and "replayed" in entries[number].badges.held:
            earlier.append(number)
    return found


def read_plays(folder: SubmissionFolder, result: Result) -> Plays:
    """Return a digest of each held-out test episode under a best prompt, by family, loop and place.

    Without those that are the same under `prompt[0]`. Empty if the records cannot be read.
    """
    places = {
        (family.name, loop.index): list(zip(keys_for(loop, "test", 0), keys_for(loop, "test", loop.best), strict=True))
        for family in result.families
        if family.role == "held-out"
        for loop in family.loops
        if loop.best != 0
    }
    needed = {key for pairs in places.values() for pair in pairs for key in pair}
    if not needed:
        return {}
    try:
        records = read_content(folder).evidence.episodes()
        digests = {record.key: _digest(record) for record in records if record.key in needed}
        return {
            (family, loop, place): digests[best]
            for (family, loop), pairs in places.items()
            for place, (base, best) in enumerate(pairs)
            if digests[best] != digests[base]
        }
    except (IctbenchError, KeyError):
        # `validate` says what is wrong with the records.
        return {}


def _same(one: Plays, other: Plays) -> bool:
    """Return whether nearly all episodes that differ from those under `prompt[0]` are the same."""
    places = one.keys() | other.keys()
    same = sum(one.get(place) == other.get(place) for place in places)
    return len(places) >= MIN_EPISODES and same >= MIN_AGREEMENT * len(places)


def _digest(record: EpisodeRecord) -> str:
    trajectory = record.trajectory
    steps = [[step.digest, step.executed] for step in trajectory.steps]
    return digest_of([steps, trajectory.last_digest, trajectory.end], 16)

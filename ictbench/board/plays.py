"""Digests of the test episodes of an entry, by which entries with the same episodes are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import IctbenchError
from ictbench.protocol import keys_for
from ictbench.records import Record, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.submissions.episode_records import EpisodeRecord
    from ictbench.submissions.read_submission import SubmissionContent

    Plays = Mapping[tuple[str, int, int], str]


class RecordedPlays(Record):
    """Finding: digests of test episodes by family, loop and place."""

    digests: tuple[tuple[str, int, int, str], ...]


def read_plays(content: SubmissionContent) -> Plays:
    """Return a digest of each held-out test episode under a best prompt, by family, loop and place.

    Without those that are the same under `prompt[0]`. Empty if the records cannot be read.
    """
    places = {
        (family.name, loop.index): list(zip(keys_for(loop, "test", 0), keys_for(loop, "test", loop.best), strict=True))
        for family in content.result.families
        if family.role == "held-out"
        for loop in family.loops
        if loop.best != 0
    }
    needed = {key for pairs in places.values() for pair in pairs for key in pair}
    if not needed:
        return {}
    try:
        records = content.evidence.episodes()
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


def _digest(record: EpisodeRecord) -> str:
    trajectory = record.trajectory
    steps = [[step.digest, step.executed] for step in trajectory.steps]
    return digest_of([steps, trajectory.last_digest, trajectory.end], 16)

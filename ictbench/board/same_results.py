"""Entries with the same episodes as an earlier one, whoever submitted them and whatever reflector they name.

A copy with a changed sentence, or under another submitter's name, keeps the actions and observations of the entry that
it copies. Two deterministic players may also agree honestly: a board says what it sees, and does not say why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ictbench.results.significance import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.entries import Entry
    from ictbench.results.standard_errors import Floats

MIN_AGREEMENT = 0.9
"""Share of the episodes that must be the same. Different reflectors of the repository's boards agree in fewer."""

MIN_EPISODES = 10
"""Fewer episodes that differ from those under `prompt[0]` show nothing."""


class Played(NamedTuple):
    """Episodes of an entry that differ from those under `prompt[0]`, for fast comparison with many others."""

    places: frozenset[tuple[str, int, int]]
    episodes: frozenset[tuple[tuple[str, int, int], str]]
    """Places with the digests of their episodes."""

    @classmethod
    def of(cls, entry: Entry) -> Played:
        """Return the episodes of an entry, which are read."""
        return cls(frozenset(entry.plays), frozenset(entry.plays.items()))


def same_results(entries: Sequence[Entry], outcomes: Sequence[Sequence[Floats]]) -> dict[str, Entry]:
    """Return the earliest entry with the same results as another one, by the slug of that one.

    Two entries have the same results if nearly all test episodes under their best prompts are the same, step by step.
    Episodes that are those under `prompt[0]` do not count: every entry of a track has them. Only an entry that the
    board has replayed can be the earlier one. Episodes are read of entries that solve nearly the same tasks.

    Args:
        entries: Entries of one track.
        outcomes: Outcomes of each entry under its best prompts: by family, loops × tasks.
    """
    vectors = np.array([np.concatenate([family.ravel() for family in one]) for one in outcomes], dtype=np.float32)
    known = np.empty_like(vectors)
    earlier: list[Entry] = []
    found: dict[str, Entry] = {}
    read: dict[str, Played] = {}

    def played(entry: Entry) -> Played:
        return read.get(entry.slug) or read.setdefault(entry.slug, Played.of(entry))

    for number in sorted(range(len(entries)), key=lambda number: (entries[number].added, entries[number].slug)):
        entry = entries[number]
        distances = abs(known[: len(earlier)] - vectors[number]).mean(axis=1)
        alike = (earlier[place] for place in np.flatnonzero(distances <= 1 - MIN_AGREEMENT + ROUNDING))
        if other := next((one for one in alike if _same(played(one), played(entry))), None):
            found[entry.slug] = other
        elif "replayed" in entry.badges.held:
            known[len(earlier)] = vectors[number]
            earlier.append(entry)
    return found


def _same(one: Played, other: Played) -> bool:
    """Return whether nearly all episodes that differ from those under `prompt[0]` are the same."""
    same = len(one.episodes & other.episodes)
    if same < MIN_AGREEMENT * max(len(one.places), len(other.places)):  # most pairs
        return False
    places = len(one.places | other.places)
    return places >= MIN_EPISODES and same >= MIN_AGREEMENT * places

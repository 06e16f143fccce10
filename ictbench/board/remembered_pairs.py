"""Differences between pairs of entries, remembered from one build of a board to the next.

A difference depends on its two entries only, unlike its p-value, which depends on the whole track.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ictbench.board.finding_cache import submission_key
from ictbench.records import Record
from ictbench.results.schema import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.board.finding_cache import FindingCache
    from ictbench.board.ranking import Track


class Differences(Record):
    """Finding: differences between an entry and others, by the key of the other."""

    by_key: dict[str, Interval]


@contextmanager
def remembered_pairs(tracks: Sequence[Track], findings: FindingCache) -> Iterator[None]:
    """Look up the differences of tracks, and remember those that were asked for during the block."""
    for track in tracks:
        by_key = {submission_key(ranked.entry.submission): ranked.entry.slug for ranked in track.ranked}
        for key, slug in by_key.items():
            if found := findings.get(Differences, slug, key, _scope(track)):
                others = ((by_key[other], value) for other, value in found.by_key.items() if other in by_key)
                track.comparisons.known.update({(slug, other): value for other, value in others if slug < other})
    yield
    for track in tracks:
        _remember(track, findings)


def _remember(track: Track, findings: FindingCache) -> None:
    comparisons = track.comparisons
    keys = {ranked.entry.slug: submission_key(ranked.entry.submission) for ranked in track.ranked}
    by_slug: defaultdict[str, dict[str, Interval]] = defaultdict(dict)
    for (one, other), difference in comparisons.differences.items():
        by_slug[one][keys[other]] = difference
    changed = {one for one, other in comparisons.differences.keys() ^ comparisons.known.keys()}
    for slug in changed:
        findings.put(Differences(by_key=by_slug[slug]), slug, keys[slug], _scope(track))


def _scope(track: Track) -> str:
    return "shared" if track.comparisons.shared else "own"

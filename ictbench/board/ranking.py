"""Ranking of reflectors per actor, by mean `best` over held-out families.

A rank is a range: from 1 + the number of significantly better entries, to the number of entries minus the number of
significantly worse ones. Each pair of a track is compared on the same tasks by sign flips of whole (family, loop)
differences, with Holm's correction over all pairs, so that all ranges of a track hold together with 95 % confidence.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING

from ictbench.board.badges import BADGES
from ictbench.records import digest_of
from ictbench.results.comparability import setup_of
from ictbench.results.intervals import mean_interval
from ictbench.results.outcomes import outcomes_by_prompt
from ictbench.results.pairing import PairedFamily, bounds, is_blind_of
from ictbench.results.significance import ALPHA, holm, paired_p

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.board.entries import Entry
    from ictbench.results import Interval, Result
    from ictbench.results.intervals import Floats

    Outcomes = dict[str, dict[str, Floats]]
    """By held-out family and prompt (`base`, `best`, `last`): array of shape (loops, test tasks)."""

MAX_DIFFERENCES_IN_NAME = 3
"""Maximum differences that a track's name lists, if several tracks share profile and actor."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Comparison of two entries of a track on the same tasks."""

    one: str
    other: str
    difference: Interval
    """`best` of `one` minus `best` of `other`, mean over held-out families."""
    p: float
    """Two-sided p-value of sign flips, with Holm's correction over all pairs of the track."""

    @property
    def better(self) -> str | None:
        """Slug of the significantly better entry; None for a tie."""
        if self.p > ALPHA:
            return None
        return self.one if self.difference.value > 0 else self.other


@dataclass(frozen=True, slots=True)
class Ranked:
    """Entry with its range of ranks in a track."""

    entry: Entry
    low: int
    """Best rank that cannot be excluded, from 1."""
    high: int
    """Worst rank that cannot be excluded."""
    over_blind: Interval | None
    """`best` minus `best` of the `blind:` control of the same reflector; None if the board has no such control that was
    rerun."""
    blind: Entry | None = None
    """The blind control of `over_blind`."""

    @property
    def ranks(self) -> str:
        """The rank as text: a number, or a range for a tie."""
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


@dataclass(frozen=True, slots=True)
class Track:
    """Comparable entries: one profile and one actor, with the same held-out tasks and package versions."""

    key: str
    """Digest of what the entries have in common."""
    name: str
    profile: str
    actor: str
    scripted: bool
    """Whether the actor is scripted instead of a language model."""
    ranked: tuple[Ranked, ...]
    """Entries, highest `best` first."""
    pairs: tuple[Pair, ...]

    def pairs_with(self, slug: str) -> tuple[Pair, ...]:
        """Return the comparisons of one entry."""
        return tuple(pair for pair in self.pairs if slug in (pair.one, pair.other))


def rank(entries: Iterable[Entry]) -> tuple[Track, ...]:
    """Return the ranked tracks: language models as actors before scripted ones, `standard` before `lite`."""
    groups: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.slug):
        groups[track_key(entry.result)].append(entry)
    names = _names({key: _setup(group[0].result) for key, group in groups.items()})
    tracks = [
        _track(key, names[key], group) for key, group in groups.items() if any(e.section == "ranked" for e in group)
    ]
    return tuple(sorted(tracks, key=lambda track: (track.scripted, track.profile != "standard", track.name, track.key)))


def track_key(result: Result) -> str:
    """Return a key that is equal for results that differ only by their reflectors."""
    held_out = (family for family in result.families if family.role == "held-out")
    tasks = [[family.name, [loop.test_tasks for loop in family.loops]] for family in held_out]
    return digest_of([_setup(result), tasks], 12)


def _setup(result: Result) -> dict[str, str]:
    """Return the setup without its families: every entry has all held-out ones, and others do not matter."""
    return {name: value for name, value in setup_of(result).items() if name != "families"}


def _track(key: str, name: str, group: list[Entry]) -> Track:
    outcomes = {entry.slug: _held_out(entry.result) for entry in group}
    shared = group[0].result.intervals == "for these games"
    ranked = [entry for entry in group if entry.section == "ranked"]
    pairs = _pairs({entry.slug: outcomes[entry.slug] for entry in ranked}, shared)
    # Anyone could record a rival's episodes, or strong prompts, as those of its blind arm, and a replay would confirm
    # them. A rerun shows what the control itself reaches.
    blind = [entry for entry in group if entry.section == "control" and {*BADGES} <= {*entry.badges.held}]
    better = [(pair.better, pair) for pair in pairs]
    rows = []
    for entry in sorted(ranked, key=lambda entry: (-_best(outcomes[entry.slug]), entry.slug)):
        decided = [winner for winner, pair in better if winner and entry.slug in (pair.one, pair.other)]
        won = decided.count(entry.slug)
        arm = _blind_arm(entry, blind, outcomes)
        over_blind = _difference(outcomes[entry.slug], outcomes[arm.slug], shared) if arm else None
        rows.append(Ranked(entry, 1 + len(decided) - won, len(ranked) - won, over_blind, arm))
    first = group[0].result
    return Track(key, name, first.profile, first.actor.label, first.actor.model is None, tuple(rows), pairs)


def _held_out(result: Result) -> Outcomes:
    return {family.name: outcomes_by_prompt(family.loops) for family in result.families if family.role == "held-out"}


def _best(outcomes: Outcomes) -> float:
    return fmean(float(family["best"].mean()) for family in outcomes.values())


def _pairs(outcomes: dict[str, Outcomes], shared: bool) -> tuple[Pair, ...]:
    """Compare all pairs, in the order of their slugs, so that the ranking does not depend on the order of entries."""
    couples = list(combinations(sorted(outcomes), 2))
    if not couples:
        return ()
    differences = [_difference(outcomes[one], outcomes[other], shared) for one, other in couples]
    values = [[outcomes[a][name]["best"] - outcomes[b][name]["best"] for name in outcomes[a]] for a, b in couples]
    corrected = holm([paired_p(families, shared=shared) for families in values])
    return tuple(Pair(*couple, d, p) for couple, d, p in zip(couples, differences, corrected, strict=True))


def _difference(one: Outcomes, other: Outcomes, shared: bool) -> Interval:
    samples = [PairedFamily(name, "held-out", other[name], one[name]).difference("best") for name in one]
    return mean_interval(samples, bounds("best"), shared=shared)


def _blind_arm(entry: Entry, controls: Sequence[Entry], outcomes: dict[str, Outcomes]) -> Entry | None:
    """Return the best of the blind controls of an entry's reflector, whoever submitted it; None without any."""
    version = entry.result.reflector.fingerprint
    arms = [
        control
        for control in controls
        if is_blind_of(control.result, entry.result) and control.result.reflector.fingerprint == version
    ]
    return max(arms, key=lambda arm: (_best(outcomes[arm.slug]), arm.slug), default=None)


def _names(setups: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return a name per track: profile and actor, and other differences if several tracks share both."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for key, setup in setups.items():
        by_name[f"{setup['profile']}, {setup['actor']}"].append(key)
    return {
        key: ", ".join([name, *_name_differences(key, keys, setups)]) for name, keys in by_name.items() for key in keys
    }


def _name_differences(key: str, keys: list[str], setups: dict[str, dict[str, str]]) -> Iterator[str]:
    if len(keys) == 1:
        return
    differing = [(what, value) for what, value in setups[key].items() if len({setups[k].get(what) for k in keys}) > 1]
    differences = [f"{what} {value}" for what, value in differing if len(value) <= 40][:MAX_DIFFERENCES_IN_NAME]
    yield from differences or [f"setup {key}"]

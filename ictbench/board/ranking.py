"""Ranking of reflectors per actor and division, by mean `best` over held-out families.

A rank is a range: from 1 + the number of significantly better entries, to the number of entries minus the number of
significantly worse ones. All pairs of a track are compared on the same tasks, with a correction for their number, so
that all ranges of a track hold together with 95 % confidence. Near-copies of one submitter, and entries with the same
episodes, count once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ictbench.board.badges import BADGES
from ictbench.board.divisions import DIVISIONS, NAMES, pareto_front, spent_by
from ictbench.board.entry_facts import track_setup
from ictbench.board.same_results import same_results
from ictbench.board.track_pairs import best_of, compare_all, difference_of
from ictbench.results.failures import failure_remarks
from ictbench.results.pairing import is_blind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.board.entries import Entry
    from ictbench.board.entry_facts import Outcomes
    from ictbench.board.track_pairs import Comparisons, Pair
    from ictbench.records import Division
    from ictbench.results import Interval

MAX_PAIRS = 20
"""Maximum number of other entries with which an entry's page compares it."""

MAX_DIFFERENCES_IN_NAME = 3
"""Maximum differences that a track's name lists, if several tracks share profile and actor."""


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
    same_as: Entry | None = None
    """Earlier entry with the same results (`ictbench.board.same_results`); it may be of another division."""
    on_front: bool = False
    """Whether it is on the Pareto front of all ranked entries with its tasks and actor (`ictbench.board.divisions`)."""

    @property
    def gain(self) -> float:
        """Its gain."""
        assert self.entry.measures is not None, "a ranked entry has held-out families"
        return self.entry.measures.gain.value

    @property
    def remarks(self) -> list[str]:
        """What a reader should know beside its score."""
        remarks = [*failure_remarks(self.entry.held_out)]
        if (other := self.same_as) is not None:
            same_ranking = other.section == "ranked" and other.facts.division == self.entry.facts.division
            ranks = "; both count once in the ranks" if same_ranking else ""
            remarks.append(
                f"the same results as {other.submission.name} by {other.submission.submitted_by}, which came first: "
                f"nearly all test episodes under the best prompts are the same, step by step{ranks}"
            )
        return remarks

    @property
    def ranks(self) -> str:
        """The rank as text: a number, or a range for a tie."""
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


@dataclass(frozen=True)
class Track:
    """Entries ranked together: one division, profile and actor, with the same held-out tasks and package versions."""

    key: str
    """Digest of what the entries have in common."""
    setup: str
    """The same without the division: tracks of one setup played the same tasks with the same actor."""
    setup_name: str
    division: Division
    profile: str
    actor: str
    scripted: bool
    """Whether the actor is scripted instead of a language model."""
    ranked: tuple[Ranked, ...]
    """Entries, highest `best` first."""
    comparisons: Comparisons

    @property
    def name(self) -> str:
        """The name of its setup, with the division unless it is that of reflectors."""
        return self.setup_name if self.division == DIVISIONS[0] else f"{self.setup_name}, {NAMES[self.division]}"

    @cached_property
    def places(self) -> dict[str, int]:
        """Positions of the entries, by slug."""
        return {ranked.entry.slug: position for position, ranked in enumerate(self.ranked)}

    def pairs_with(self, slug: str) -> tuple[Pair, ...]:
        """Return the comparisons of an entry with the others, or with the nearest in a long ranking, best first."""
        first = max(0, min(self.places[slug] - MAX_PAIRS // 2, len(self.ranked) - MAX_PAIRS - 1))
        near = [ranked.entry.slug for ranked in self.ranked[first : first + MAX_PAIRS + 1]]
        return tuple(self.comparisons.pair(slug, other) for other in near if other != slug)


def rank(entries: Iterable[Entry]) -> tuple[Track, ...]:
    """Return the ranked tracks: language models as actors before scripted ones, `standard` before `lite`."""
    groups: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.slug):
        groups[entry.facts.track].append(entry)
    # Setups of unranked entries alone have no track, and do not lengthen the names of tracks.
    shown = {key: group for key, group in groups.items() if any(entry.section == "ranked" for entry in group)}
    names = _names({key: track_setup(group[0].result) for key, group in shown.items()})

    def order(key: str) -> tuple[bool, bool, str, str]:
        first = shown[key][0].result
        return first.actor.model is None, first.profile != "standard", names[key], key

    return tuple(track for key in sorted(shown, key=order) for track in _tracks(key, names[key], shown[key]))


def _tracks(setup: str, name: str, group: list[Entry]) -> Iterator[Track]:
    """Yield a track for each division of a setup that has a ranked entry."""
    ranked = [entry for entry in group if entry.section == "ranked"]
    outcomes = {entry.slug: entry.facts.held_out_outcomes for entry in group}
    same = _same_results(group, outcomes)
    on_front = pareto_front([spent_by(entry) for entry in ranked])
    front = {entry.slug for entry, is_on_front in zip(ranked, on_front, strict=True) if is_on_front}
    for division in DIVISIONS:
        if of_division := [entry for entry in ranked if entry.facts.division == division]:
            yield _track(setup, name, division, group, of_division, outcomes, same, front)


def _track(
    setup: str,
    name: str,
    division: Division,
    group: list[Entry],
    ranked: list[Entry],
    outcomes: dict[str, Outcomes],
    same: dict[str, Entry],
    front: set[str],
) -> Track:
    shared = group[0].result.intervals == "for these games"
    comparisons = compare_all(ranked, outcomes, same, shared)
    # Anyone could record a rival's episodes, or strong prompts, as those of its blind arm, and a replay would confirm
    # them. A rerun shows what the control itself reaches.
    blind = [entry for entry in group if entry.section == "control" and {*BADGES} <= {*entry.badges.held}]
    rows = []
    for entry, (low, high) in zip(ranked, comparisons.ranks(), strict=True):
        arm = _blind_arm(entry, blind, outcomes)
        over_blind = difference_of(outcomes[entry.slug], outcomes[arm.slug], shared) if arm else None
        rows.append(Ranked(entry, low, high, over_blind, arm, same.get(entry.slug), entry.slug in front))
    rows.sort(key=lambda row: (-best_of(outcomes[row.entry.slug]), row.entry.slug))
    first = group[0].result
    return Track(
        key=setup if division == DIVISIONS[0] else f"{setup}-{division}",
        setup=setup,
        setup_name=name,
        division=division,
        profile=first.profile,
        actor=first.actor.label,
        scripted=first.actor.model is None,
        ranked=tuple(rows),
        comparisons=comparisons,
    )


def _same_results(group: Sequence[Entry], outcomes: dict[str, Outcomes]) -> dict[str, Entry]:
    """Return the earlier entry with the same results, by slug."""
    names = sorted(outcomes[group[0].slug])
    return same_results(group, [[outcomes[entry.slug][name]["best"] for name in names] for entry in group])


def _blind_arm(entry: Entry, controls: Sequence[Entry], outcomes: dict[str, Outcomes]) -> Entry | None:
    """Return the best of the blind controls of an entry's reflector, whoever submitted it; None without any."""
    version = entry.result.reflector.fingerprint
    arms = [
        control
        for control in controls
        if is_blind_of(control.result, entry.result) and control.result.reflector.fingerprint == version
    ]
    return max(arms, key=lambda arm: (best_of(outcomes[arm.slug]), arm.slug), default=None)


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

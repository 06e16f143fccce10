from __future__ import annotations

import random
from itertools import combinations
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from boards import make_result
from hypothesis import given, settings
from hypothesis import strategies as st

from ictbench.board.entry_facts import EntryFacts
from ictbench.board.ranking import rank
from ictbench.records import ModelSpec, PluginSpec, Usage
from ictbench.results import compare
from ictbench.results.schema import Measures, Player, SuiteId
from ictbench.suites import Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.entries import Entry
    from ictbench.board.ranking import Track
    from ictbench.board.track_pairs import Pair

LOOPS, TASKS = 5, 4
MODEL = ModelSpec(provider="openai", model="m")


class Stub(SimpleNamespace):
    """What ranking reads of an entry; a test may exchange its result."""

    @property
    def facts(self) -> EntryFacts:
        return EntryFacts.of(self.result)

    @property
    def measures(self) -> Measures | None:
        return self.result.by_role.get("held-out")  # type: ignore[no-any-return]

    @property
    def cost(self) -> Usage:
        return sum(self.result.cost.values(), Usage())


def entry(
    slug: str, bests: Sequence[Sequence[str]], *, section: str = "ranked", by: str | None = None, **changes: Any
) -> Entry:
    """Return an entry with these outcomes of the best prompt, by family and loop; `prompt[0]` solved nothing."""
    families = {f"family-{i}": [("0" * len(loop), loop) for loop in loops] for i, loops in enumerate(bests)}
    held = {"replayed": None}
    stub: Any = Stub(
        slug=slug,
        section=section,
        result=make_result(families, slug, **changes),
        badges=SimpleNamespace(held=held),
        submission=SimpleNamespace(submitted_by=by or slug, name=slug),
        added=float("inf"),
        plays={},
    )
    return stub  # type: ignore[no-any-return]


def steady(slug: str, solved: int, **changes: Any) -> Entry:
    """Return an entry that solves this many tasks in every loop of two families."""
    return entry(slug, [["1" * solved + "0" * (TASKS - solved)] * LOOPS] * 2, **changes)


def only_track(entries: Sequence[Entry]) -> Track:
    (track,) = rank(entries)
    return track


def all_pairs(track: Track) -> list[Pair]:
    slugs = sorted(ranked.entry.slug for ranked in track.ranked)
    return [track.comparisons.pair(one, other) for one, other in combinations(slugs, 2)]


def ranks(track: Track) -> dict[str, str]:
    return {ranked.entry.slug: ranked.ranks for ranked in track.ranked}


def test_clear_differences_give_distinct_ranks() -> None:
    track = only_track([steady("worst", 0), steady("best", 4), steady("middle", 2)])
    assert ranks(track) == {"best": "1", "middle": "2", "worst": "3"}
    assert list(ranks(track)) == ["best", "middle", "worst"]
    # All three pairs reach the largest statistic of a flip only with the observed signs, or their opposites.
    assert {pair.p for pair in all_pairs(track)} == {2 / 1024}


def test_entries_without_a_significant_difference_tie() -> None:
    other = entry("other", [["1100", "1000", "1110", "1000", "1110"]] * 2)
    track = only_track([steady("even", 2), other, steady("worst", 0), steady("top", 4)])
    assert ranks(track) == {"top": "1", "other": "2–3", "even": "2–3", "worst": "4"}


def test_order_of_families_makes_no_track_of_its_own() -> None:
    one, other = steady("one", 2), steady("other", 4)
    families = tuple(reversed(other.result.families))
    other.result = other.result.model_copy(update={"families": families})  # type: ignore[misc]
    assert ranks(only_track([one, other])) == {"other": "1", "one": "2"}


def test_single_entry_is_first() -> None:
    assert ranks(only_track([steady("one", 2)])) == {"one": "1"}


def test_pairs_agree_with_compare() -> None:
    rng = random.Random(3)
    first, second = (
        entry(slug, [["".join(rng.choices("01", k=TASKS)) for _ in range(LOOPS)] for _ in range(2)])
        for slug in ("a", "b")
    )
    (pair,) = all_pairs(only_track([first, second]))
    (arm,) = compare(second.result, first.result).arms
    assert (pair.difference, pair.p) == (arm.means[0].difference, arm.means[0].p_corrected)


def test_actors_profiles_and_package_versions_have_separate_tracks() -> None:
    actor = Player(label="openai/m", name="react", model=MODEL)
    entries = [
        steady("scripted", 2),
        steady("model", 2, actor=actor),
        steady("standard", 2, actor=actor, profile="standard"),
        steady("newer", 2, actor=actor, versions={"nle": "2"}),
    ]
    tracks = rank(entries)
    assert [(track.name, track.scripted) for track in tracks] == [
        ("standard, openai/m", False),
        ("lite, openai/m, nle 1", False),
        ("lite, openai/m, nle 2", False),
        ("lite, rules", True),
    ]


def test_runs_with_the_papers_sizes_rank_only_among_themselves() -> None:
    paper = SuiteId(name="minihack-paper-v1", digest="a" * 64)
    k3, k5 = Sizes(turns=10, batch_size=3, loops=10), Sizes(turns=10, batch_size=5, loops=10)
    entries = [
        steady("three", 2, suite=paper, profile="standard", sizes=k3),
        steady("three-too", 3, suite=paper, profile="standard", sizes=k3),
        steady("five", 4, suite=paper, profile="standard-k5", sizes=k5),
        # The same sizes on the suite with own selection blocks.
        steady("own-blocks", 4, profile="standard", sizes=k3),
    ]
    tracks = rank(entries)
    assert sorted([ranked.entry.slug for ranked in track.ranked] for track in tracks) == [
        ["five"],
        ["own-blocks"],
        ["three-too", "three"],
    ]


def test_additional_meta_train_families_stay_in_the_same_track() -> None:
    with_extra = steady("both", 4)
    extra = with_extra.result.families[0].model_copy(update={"name": "extra", "role": "meta-train"})
    with_extra.result = with_extra.result.model_copy(update={"families": (extra, *with_extra.result.families)})  # type: ignore[misc]
    assert ranks(only_track([with_extra, steady("one", 0)])) == {"both": "1", "one": "2"}


def test_other_tasks_make_another_track() -> None:
    assert len(rank([steady("one", 2), entry("two", [["11"] * LOOPS] * 2)])) == 2


def test_only_entries_of_the_ranked_section_are_ranked() -> None:
    track = only_track(
        [steady("one", 2), *(steady(s, 4, section=s) for s in ("control", "trained", "waiting", "shown"))]
    )
    assert ranks(track) == {"one": "1"}
    assert rank([steady("one", 2, section="waiting")]) == ()


def test_unranked_entries_with_other_sizes_do_not_lengthen_the_name_of_a_track() -> None:
    shown = steady("shown", 4, section="shown", sizes=Sizes(turns=6, batch_size=3, loops=LOOPS))
    assert only_track([steady("one", 2), shown]).name == only_track([steady("one", 2)]).name == "lite, rules"


def test_over_blind_is_the_paired_difference_from_the_best_blind_arm() -> None:
    seeing = PluginSpec(label="rules", name="rules")
    inner = seeing.model_dump(mode="json", exclude={"model"})
    blind = PluginSpec(label="blind:rules", name="blind", options={"reflector": inner})
    arms = [steady(f"blind-{n}", n, reflector=blind, section="control") for n in (1, 2)]
    for arm in arms:
        arm.badges.held["rerun"] = arm  # type: ignore[assignment]
    track = only_track([steady("seeing", 4, reflector=seeing), steady("other", 3), *arms])
    over_blind = {ranked.entry.slug: ranked.over_blind for ranked in track.ranked}
    (compared,) = compare(arms[1].result, track.ranked[0].entry.result).arms
    assert over_blind["seeing"] == compared.over_blind
    assert [ranked.blind for ranked in track.ranked] == [arms[1], None]
    assert over_blind["seeing"] is not None
    assert over_blind["seeing"].value == pytest.approx(0.5)
    assert over_blind["other"] is None
    # A blind arm that was only replayed does not count: its trajectories may be a rival's, or those of strong prompts.
    del arms[1].badges.held["rerun"]
    assert only_track([track.ranked[0].entry, *arms]).ranked[0].over_blind.value == pytest.approx(0.75)  # type: ignore[union-attr]
    # Nor does one of another version of the model.
    other = Player(label="blind:rules", name="blind", options={"reflector": inner}, fingerprint="sha256:other")
    arms[0].result = arms[0].result.model_copy(update={"reflector": other})  # type: ignore[misc]
    assert only_track([track.ranked[0].entry, arms[0]]).ranked[0].over_blind is None


def rates(slug: str, *by_family: Sequence[int], by: str | None = None, **changes: Any) -> Entry:
    """Return an entry that solves this many of 20 tasks, by family and loop."""
    return entry(slug, [["1" * n + "0" * (20 - n) for n in loops] for loops in by_family], by=by, **changes)


def test_near_copies_of_a_rival_count_once() -> None:
    """Three near-copies pushed p from 0.008 to 0.08, and the leader's rank from 1 to 1-5, with Holm over all pairs."""
    leader = rates("leader", [19, 18, 20, 19], [17, 18, 19, 18], by="us")
    rival = rates("rival", [16, 15, 16, 17], [15, 15, 16, 16], by="them")
    copies = [
        rates("copy-1", [16, 15, 16, 17], [15, 15, 16, 15], by="Them "),
        rates("copy-2", [16, 15, 16, 16], [15, 14, 16, 16], by="THEM"),
        rates("copy-3", [15, 15, 16, 17], [15, 15, 16, 16], by="them"),
    ]
    alone = only_track([leader, rival])
    assert alone.comparisons.pair("leader", "rival").p == 2 / 2**8
    assert ranks(alone) == {"leader": "1", "rival": "2"}
    crowded = only_track([leader, rival, *copies])
    assert crowded.comparisons.pair("leader", "rival").p == pytest.approx(2 / 2**8)
    assert ranks(crowded) == {"leader": "1", **dict.fromkeys(("rival", "copy-1", "copy-2", "copy-3"), "2")}


def test_ranks_count_submitters_that_tie_with_copies_once() -> None:
    tied = [rates(f"copy-{n}", [16, 15, 16, 17], [15, 15, 16, 16], by="them") for n in range(3)]
    track = only_track([rates("leader", [17, 14, 17, 16], [16, 14, 17, 16], by="us"), *tied])
    assert set(ranks(track).values()) == {"1–2"}
    others = only_track(
        [
            rates("leader", [17, 14, 17, 16], [16, 14, 17, 16]),
            *(rates(f"e{n}", [16, 15, 16, 17], [15, 15, 16, 16]) for n in range(3)),
        ]
    )
    assert set(ranks(others).values()) == {"1–4"}, "entries of different submitters count"


def test_shared_games_are_compared_with_loops_and_games_crossed() -> None:
    """Two prompts that solve different games in the same way in every loop tie; an entry that solves all is first."""
    games: dict[str, Any] = {"intervals": "for these games"}
    one, other = ["1" * 14 + "0" * 6] * 10, ["0" * 4 + "1" * 13 + "0" * 3] * 10
    track = only_track(
        [entry("a", [one], **games), entry("b", [other], **games), entry("c", [["1" * 20] * 10], **games)]
    )
    assert ranks(track) == {"c": "1", "a": "2–3", "b": "2–3"}
    pair = track.comparisons.pair("a", "b")
    assert pair.p == pytest.approx(
        compare(track.ranked[2].entry.result, track.ranked[1].entry.result).arms[0].means[0].p
    )
    own = only_track([entry("a", [one]), entry("b", [other])])
    assert ranks(own) == {"a": "1", "b": "2"}


def test_a_long_ranking_compares_an_entry_with_its_neighbours() -> None:
    track = only_track([rates(f"e{n:02}", [n % 20] * 2) for n in range(40)])
    order = [ranked.entry.slug for ranked in track.ranked]
    for place in (0, 15, 39):
        near = [pair.other for pair in track.pairs_with(order[place])]
        assert len(near) == 20
        assert set(near) <= set(order[max(0, place - 20) : place + 21])
    assert len(only_track([steady("one", 1), steady("two", 2)]).pairs_with("one")) == 1


OUTCOMES = st.lists(st.integers(0, TASKS), min_size=2 * LOOPS, max_size=2 * LOOPS)


@settings(deadline=None, max_examples=25)
@given(st.lists(OUTCOMES, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_rank_ranges_hold_the_rank_and_do_not_depend_on_the_order(solved: list[list[int]], rng: random.Random) -> None:
    texts = [["1" * n + "0" * (TASKS - n) for n in counts] for counts in solved]
    entries = [entry(f"e{i}", [loops[:LOOPS], loops[LOOPS:]]) for i, loops in enumerate(texts)]
    track = only_track(entries)
    shuffled = list(entries)
    rng.shuffle(shuffled)
    assert ranks(only_track(shuffled)) == ranks(track)
    assert all_pairs(only_track(shuffled)) == all_pairs(track)
    totals = {item.slug: sum(solved[i]) for i, item in enumerate(entries)}
    order = [totals[ranked.entry.slug] for ranked in track.ranked]
    assert order == sorted(order, reverse=True)
    for ranked in track.ranked:
        total = totals[ranked.entry.slug]
        above, below = sum(t > total for t in totals.values()), sum(t < total for t in totals.values())
        assert 1 <= ranked.low <= 1 + above
        assert len(entries) - below <= ranked.high <= len(entries)

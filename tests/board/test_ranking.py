from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from boards import make_result
from hypothesis import given, settings
from hypothesis import strategies as st

from ictbench.board.ranking import rank
from ictbench.records import ModelSpec, PluginSpec
from ictbench.results import compare
from ictbench.results.schema import Player

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.entries import Entry
    from ictbench.board.ranking import Track

LOOPS, TASKS = 5, 4
MODEL = ModelSpec(provider="openai", model="m")


def entry(slug: str, bests: Sequence[Sequence[str]], *, section: str = "ranked", **changes: Any) -> Entry:
    """Return an entry with these outcomes of the best prompt, by family and loop; `prompt[0]` solved nothing."""
    families = {f"family-{i}": [("0" * len(loop), loop) for loop in loops] for i, loops in enumerate(bests)}
    held = {"replayed": None}
    stub: Any = SimpleNamespace(
        slug=slug, section=section, result=make_result(families, slug, **changes), badges=SimpleNamespace(held=held)
    )
    return stub  # type: ignore[no-any-return]


def steady(slug: str, solved: int, **changes: Any) -> Entry:
    """Return an entry that solves this many tasks in every loop of two families."""
    return entry(slug, [["1" * solved + "0" * (TASKS - solved)] * LOOPS] * 2, **changes)


def only_track(entries: Sequence[Entry]) -> Track:
    (track,) = rank(entries)
    return track


def ranks(track: Track) -> dict[str, str]:
    return {ranked.entry.slug: ranked.ranks for ranked in track.ranked}


def test_clear_differences_give_distinct_ranks() -> None:
    track = only_track([steady("worst", 0), steady("best", 4), steady("middle", 2)])
    assert ranks(track) == {"best": "1", "middle": "2", "worst": "3"}
    assert list(ranks(track)) == ["best", "middle", "worst"]
    assert {pair.p for pair in track.pairs} == {3 * 2 / 1024}


def test_entries_without_a_significant_difference_tie() -> None:
    other = entry("other", [["1100", "1000", "1110", "1000", "1110"]] * 2)
    track = only_track([steady("even", 2), other, steady("worst", 0), steady("top", 4)])
    assert ranks(track) == {"top": "1", "other": "2–3", "even": "2–3", "worst": "4"}


def test_single_entry_is_first() -> None:
    assert ranks(only_track([steady("one", 2)])) == {"one": "1"}


def test_pairs_agree_with_compare() -> None:
    rng = random.Random(3)
    first, second = (
        entry(slug, [["".join(rng.choices("01", k=TASKS)) for _ in range(LOOPS)] for _ in range(2)])
        for slug in ("a", "b")
    )
    (pair,) = only_track([first, second]).pairs
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
    assert only_track(shuffled).pairs == track.pairs
    totals = {item.slug: sum(solved[i]) for i, item in enumerate(entries)}
    order = [totals[ranked.entry.slug] for ranked in track.ranked]
    assert order == sorted(order, reverse=True)
    for ranked in track.ranked:
        total = totals[ranked.entry.slug]
        above, below = sum(t > total for t in totals.values()), sum(t < total for t in totals.values())
        assert 1 <= ranked.low <= 1 + above
        assert len(entries) - below <= ranked.high <= len(entries)

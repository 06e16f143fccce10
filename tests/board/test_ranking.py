from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from boards import made_up
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
    """One with these outcomes of the best prompt, by family and loop; nothing was solved before."""
    families = {f"family-{i}": [("0" * len(loop), loop) for loop in loops] for i, loops in enumerate(bests)}
    held = {"replayed": None}
    found: Any = SimpleNamespace(
        slug=slug, section=section, result=made_up(families, slug, **changes), badges=SimpleNamespace(held=held)
    )
    return found  # type: ignore[no-any-return]


def steady(slug: str, solved: int, **changes: Any) -> Entry:
    """One that solves so many tasks in every loop of two families."""
    return entry(slug, [["1" * solved + "0" * (TASKS - solved)] * LOOPS] * 2, **changes)


def only(entries: Sequence[Entry]) -> Track:
    (track,) = rank(entries)
    return track


def shown(track: Track) -> dict[str, str]:
    return {one.entry.slug: one.ranks for one in track.ranked}


def test_the_highest_best_comes_first_and_ranks_are_told_apart() -> None:
    track = only([steady("worst", 0), steady("best", 4), steady("middle", 2)])
    assert shown(track) == {"best": "1", "middle": "2", "worst": "3"}
    assert list(shown(track)) == ["best", "middle", "worst"]
    assert {pair.p for pair in track.pairs} == {3 * 2 / 1024}


def test_what_cannot_be_told_apart_is_a_tie() -> None:
    other = entry("other", [["1100", "1000", "1110", "1000", "1110"]] * 2)
    track = only([steady("even", 2), other, steady("worst", 0), steady("top", 4)])
    assert shown(track) == {"top": "1", "other": "2–3", "even": "2–3", "worst": "4"}


def test_alone_one_is_first() -> None:
    assert shown(only([steady("one", 2)])) == {"one": "1"}


def test_pairs_are_those_of_compare() -> None:
    draw = random.Random(3)
    one, other = (
        entry(slug, [["".join(draw.choices("01", k=TASKS)) for _ in range(LOOPS)] for _ in range(2)])
        for slug in ("a", "b")
    )
    (pair,) = only([one, other]).pairs
    (arm,) = compare(other.result, one.result).arms
    assert (pair.difference, pair.p) == (arm.means[0].difference, arm.means[0].p_corrected)


def test_actors_profiles_and_packages_are_ranked_apart() -> None:
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


def test_meta_train_families_beside_the_held_out_ones_make_no_other_track() -> None:
    both = steady("both", 4)
    more = both.result.families[0].model_copy(update={"name": "beside", "role": "meta-train"})
    both.result = both.result.model_copy(update={"families": (more, *both.result.families)})  # type: ignore[misc]
    assert shown(only([both, steady("one", 0)])) == {"both": "1", "one": "2"}


def test_other_tasks_make_another_track() -> None:
    assert len(rank([steady("one", 2), entry("two", [["11"] * LOOPS] * 2)])) == 2


def test_only_what_may_be_ranked_is_ranked() -> None:
    track = only([steady("one", 2), *(steady(s, 4, section=s) for s in ("control", "trained", "waiting", "shown"))])
    assert shown(track) == {"one": "1"}
    assert rank([steady("one", 2, section="waiting")]) == ()


def test_over_blind_is_the_paired_difference_from_the_best_blind_arm() -> None:
    seeing = PluginSpec(label="rules", name="rules")
    inside = seeing.model_dump(mode="json", exclude={"model"})
    blind = PluginSpec(label="blind:rules", name="blind", options={"reflector": inside})
    arms = [steady(f"blind-{n}", n, reflector=blind, section="control") for n in (1, 2)]
    track = only([steady("seeing", 4, reflector=seeing), steady("other", 3), *arms])
    found = {one.entry.slug: one.over_blind for one in track.ranked}
    (arm,) = compare(arms[1].result, track.ranked[0].entry.result).arms
    assert found["seeing"] == arm.over_blind
    assert found["seeing"] is not None
    assert found["seeing"].value == pytest.approx(0.5)
    assert found["other"] is None
    # A claim that nobody replayed says nothing of others.
    arms[1].badges.held.clear()
    assert only([track.ranked[0].entry, *arms]).ranked[0].over_blind.value == pytest.approx(0.75)  # type: ignore[union-attr]


OUTCOMES = st.lists(st.integers(0, TASKS), min_size=2 * LOOPS, max_size=2 * LOOPS)


@settings(deadline=None, max_examples=25)
@given(st.lists(OUTCOMES, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_ranges_hold_the_rank_and_do_not_depend_on_the_order(solved: list[list[int]], draw: random.Random) -> None:
    texts = [["1" * n + "0" * (TASKS - n) for n in one] for one in solved]
    entries = [entry(f"e{i}", [loops[:LOOPS], loops[LOOPS:]]) for i, loops in enumerate(texts)]
    track = only(entries)
    shuffled = list(entries)
    draw.shuffle(shuffled)
    assert shown(only(shuffled)) == shown(track)
    assert only(shuffled).pairs == track.pairs
    means = {one.slug: sum(solved[i]) for i, one in enumerate(entries)}
    order = [means[one.entry.slug] for one in track.ranked]
    assert order == sorted(order, reverse=True)
    for one in track.ranked:
        mean = means[one.entry.slug]
        above, below = sum(m > mean for m in means.values()), sum(m < mean for m in means.values())
        assert 1 <= one.low <= 1 + above
        assert len(entries) - below <= one.high <= len(entries)

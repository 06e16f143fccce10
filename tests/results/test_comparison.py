from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import Outcomes, result

import ictbench
from ictbench.errors import ResultError, UnknownNameError, UsageError
from ictbench.records import ModelSpec, PluginSpec
from ictbench.results.comparison_schema import Comparison, Difference
from ictbench.results.pairing import Measure, incomparable
from ictbench.results.schema import Interval, Player
from ictbench.results.tables import comparison_table
from ictbench.results.verdict import comparison_markdown

LOST, WON = "0000000000", "1111111111"
FLAT: list[Outcomes] = [("0011000000", "0011000000")] * 3
UP: list[Outcomes] = [
    ("0011000000", "1111110000"),
    ("0011000000", "1111111000"),
    ("0011000000", "1111100000"),
]


def verdict_of(comparison: Comparison, arm: int = 0) -> str:
    return " ".join(comparison.arms[arm].verdict)


def test_a_difference_is_paired_by_task_and_summarised_in_the_verdict() -> None:
    families = dict.fromkeys(("read", "zap", "eat"), FLAT)
    found = ictbench.compare(result(families, "old"), result(dict.fromkeys(families, UP), "new"))
    (arm,) = found.arms
    (mean,) = arm.means
    assert (found.reference, arm.label, mean.name) == ("old", "new", "mean held-out")
    assert (mean.reference, mean.other, mean.difference.value) == pytest.approx((0.2, 0.6, 0.4))
    assert (mean.families, mean.loops, mean.wins, mean.ties, mean.losses) == (3, 9, 36, 54, 0)
    assert mean.p == mean.p_corrected == mean.smallest_p == 2 / 2**9
    assert [(row.family, row.loops, row.p, row.p_corrected) for row in arm.families] == [
        (name, 3, 0.25, 0.75) for name in families
    ]
    verdict = verdict_of(found)
    assert "new is better than old: +0.40 [" in verdict
    assert "in best on 3 held-out families, p = 0.004." in verdict
    assert "No conclusion about single families: none has more than 3 pairs of loops, too few" in verdict
    back = ictbench.compare(result(dict.fromkeys(families, UP), "new"), result(families, "old"))
    assert "old is worse than new: -0.40 [" in verdict_of(back)


def test_too_few_loops_are_distinguished_from_no_difference() -> None:
    few = ictbench.compare(result({"read": [(LOST, LOST)] * 3}, "a"), result({"read": [(LOST, WON)] * 3}, "b"))
    assert "No conclusion: +1.00 [" in verdict_of(few)
    assert "With 3 pairs of loops the smallest possible p is 0.250" in verdict_of(few)
    assert "Run at least 6 loops." in verdict_of(few)
    many = ictbench.compare(result({"read": FLAT * 3}, "a"), result({"read": FLAT * 3}, "b"))
    assert "b and a do not differ significantly: 0.00 [" in verdict_of(many)
    assert "Differences from -0." in verdict_of(many)


@pytest.mark.parametrize(
    ("families", "arms", "loops", "needed"),
    [(1, 1, 5, "6 loops"), (1, 2, 6, "7 loops"), (2, 1, 2, "3 loops per family")],
)
def test_the_verdict_names_the_fewest_loops_that_can_show_a_difference(
    families: int, arms: int, loops: int, needed: str
) -> None:
    def verdict_with(count: int) -> str:
        names = ("read", "zap")[:families]
        reference = result({name: [(LOST, LOST)] * count for name in names}, "a")
        others = [result({name: [(LOST, WON)] * count for name in names}, f"arm{n}") for n in range(arms)]
        return verdict_of(ictbench.compare(reference, *others))

    assert f"Run at least {needed}." in verdict_with(loops)
    assert "is better than a" in verdict_with(int(needed[0]))


@pytest.mark.parametrize("loops", [1, 2])
def test_fewer_than_three_loops_have_a_difference_without_interval(loops: int) -> None:
    found = ictbench.compare(result({"read": FLAT[:loops]}, "a"), result({"read": UP[:loops]}, "b"))
    (row,) = found.arms[0].families
    assert (row.difference.low, row.difference.high) == (None, None)
    assert row.p == (1.0 if loops == 1 else 0.5)
    assert "No interval: a family has fewer than 3 loops." in verdict_of(found)


@pytest.mark.parametrize("outcomes", [LOST, WON])
def test_equal_extreme_outcomes_still_have_an_interval(outcomes: str) -> None:
    same = {"read": [(outcomes, outcomes)] * 10}
    (row,) = ictbench.compare(result(same, "a"), result(same, "b")).arms[0].families
    assert row.difference.value == 0
    assert row.difference.low is not None
    assert -0.1 < row.difference.low < 0
    assert row.p == 1


def test_equal_gains_in_all_loops_still_have_a_wide_interval() -> None:
    """One more loop of either arm may keep prompt[0]: two such losses of up to 1, each with a weight of Beta(1, 3)."""
    both = {"read": [(LOST, WON)] * 3}
    (row,) = ictbench.compare(result(both, "a"), result(both, "b")).arms[0].families
    # The difference of two such weights has the mean 0, the variance 2 · 3/80 and the range -1 to 1.
    assert row.difference.high == pytest.approx(-(row.difference.low or 0))
    assert 0.5 < (row.difference.high or 0) < 1


@pytest.mark.parametrize("measure", ["best", "gain", "base"])
def test_a_result_does_not_differ_from_itself(measure: Measure) -> None:
    one = result({"read": UP, "zap": FLAT}, "a")
    found = ictbench.compare(one, one, measure=measure)
    for row in found.arms[0].rows:
        assert row.difference == Interval(value=0.0, low=0.0, high=0.0)
        assert row.p == 1
    assert verdict_of(found).startswith("Both are the same run")
    assert "same run" not in verdict_of(ictbench.compare(one, result({"read": UP, "zap": FLAT}, "b")))
    # The same outcomes under another prompt are another result.
    same_outcomes = one.families[0].loops[0].model_copy(update={"index": 9})
    assert same_outcomes != one.families[0].loops[0]


def test_families_that_are_the_same_say_nothing_about_others() -> None:
    """A loop that fell by 1 is not taken for a few tasks, although another family is the same in both results."""
    full: list[Outcomes] = [(LOST, WON)] * 3
    one, other = ({"eat": full, "read": [*full[1:], (LOST, best)]} for best in (WON, LOST))
    (mean,) = ictbench.compare(result(one, "a"), result(other, "a")).arms[0].means
    assert mean.difference.value == pytest.approx(-1 / 6)
    assert mean.difference.high is not None
    assert mean.difference.high > 0


@pytest.mark.parametrize(
    "families", [{"read": UP}, {"read": UP, "zap": FLAT}, {"read": FLAT, "zap": [(LOST, WON)] * 3}]
)
def test_the_difference_from_an_arm_that_keeps_the_prompt_is_the_gain(families: dict[str, list[Outcomes]]) -> None:
    kept = {name: [(base, base) for base, _ in loops] for name, loops in families.items()}
    learner, none = result(families, "a"), result(kept, reflector=PluginSpec(label="none", name="none"))
    (forth,), (back,) = (ictbench.compare(*pair).arms for pair in ((none, learner), (learner, none)))
    gains = [family.measures.gain for family in learner.families if family.measures]
    assert [row.difference for row in forth.families] == gains
    assert forth.means[0].difference == learner.by_role["held-out"].gain
    assert [row.difference for row in back.families] == [-gain for gain in gains]


@pytest.mark.parametrize("measure", ["best", "last"])
def test_two_actors_under_one_prompt_differ_by_their_tasks(measure: Measure) -> None:
    """No prompt was found that could explain a difference: the interval is not one of changes by prompts."""
    none = PluginSpec(label="none", name="none")
    loops: list[Outcomes] = [("11100", "11100"), ("11000", "11000"), ("10000", "10000")]
    turned: list[Outcomes] = [(base[::-1], best[::-1]) for base, best in loops]
    one = result({"zap": loops}, reflector=none)
    other = result({"zap": turned}, reflector=none, actor=Player(label="human", name="human"))

    def row(measure: Measure) -> Difference:
        return ictbench.compare(one, other, measure=measure, force=True).arms[0].families[0]

    assert (row(measure).wins, row(measure).ties, row(measure).losses) == (5, 5, 5)
    assert row(measure).difference == row("base").difference
    # The mean of 15 values of which each third is -1, 0 and 1 has the standard error 0.22.
    assert 0.4 < (row(measure).difference.high or 0) < 0.7
    assert row("gain").difference == Interval(value=0.0, low=0.0, high=0.0)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(*[st.text("01", min_size=4, max_size=4)] * 4), min_size=1, max_size=5))
def test_the_value_is_the_difference_of_the_measures(loops: list[tuple[str, str, str, str]]) -> None:
    one = result({"read": [(base, best) for base, best, _, _ in loops]}, "a")
    other = result({"read": [(base, best) for _, _, base, best in loops]}, "b")

    def share(index: int) -> float:
        return sum(outcomes[index].count("1") for outcomes in loops) / 4 / len(loops)

    expected = {
        "best": share(3) - share(1),
        "last": share(3) - share(1),
        "base": share(2) - share(0),
        "gain": share(3) - share(2) - share(1) + share(0),
        "last_gain": share(3) - share(2) - share(1) + share(0),
    }
    for measure, difference in expected.items():
        (row,) = ictbench.compare(one, other, measure=measure).arms[0].families  # type: ignore[arg-type]
        assert row.difference.value == pytest.approx(difference)
        swapped = ictbench.compare(other, one, measure=measure).arms[0].families[0]  # type: ignore[arg-type]
        assert swapped.difference.value == pytest.approx(-difference)
        assert swapped.p == pytest.approx(row.p)
        assert (swapped.wins, swapped.losses) == (row.losses, row.wins)


def test_several_arms_are_corrected_together() -> None:
    ten = {"read": FLAT * 4, "zap": FLAT * 4}
    found = ictbench.compare(result(ten, "a"), result(dict.fromkeys(ten, UP * 4), "b"), result(ten, "c"))
    (better, same) = found.arms
    smallest = 2 / 2**12
    assert [row.p_corrected for row in better.families] == [4 * smallest, 4 * smallest]
    assert better.means[0].p == pytest.approx(1 / 100_000), "sign vectors of 24 pairs are sampled"
    assert better.means[0].p_corrected == 2 * better.means[0].p
    assert same.means[0].p_corrected == 1
    assert "Families that differ significantly after Holm's correction: read (better), zap (better)." in verdict_of(
        found
    )
    assert "No single family differs significantly after Holm's correction." in verdict_of(found, 1)


def test_every_role_has_a_mean_and_held_out_comes_first() -> None:
    roles: dict[str, Any] = {"eat": "meta-train", "read": "held-out"}
    one = result({"eat": UP, "read": FLAT}, "a", roles=roles)
    arm = ictbench.compare(one, result({"eat": FLAT, "read": FLAT}, "b", roles=roles)).arms[0]
    assert [(mean.name, round(mean.difference.value, 2)) for mean in arm.means] == [
        ("mean held-out", 0.0),
        ("mean meta-train", -0.4),
    ]
    trained = ictbench.compare(result({"eat": UP}, "a", roles=roles), result({"eat": UP}, "b", roles=roles))
    assert [mean.role for mean in trained.arms[0].means] == ["meta-train"]


MODEL = Player(label="openai/m", name="react", model=ModelSpec(provider="openai", model="m"), fingerprint="f1")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"suite": {"name": "rooms-v2", "digest": "d" * 64}}, "suite rooms-v1 against rooms-v2"),
        (
            {"suite": {"name": "rooms-v1", "digest": "e" * 64}},
            "suite digest dddddddddddd against eeeeeeeeeeee",
        ),
        ({"versions": {"nle": "2"}}, "nle 1 against 2"),
        ({"versions": {}}, "nle 1 against (none)"),
        ({"profile": "lite"}, "profile quick against lite"),
        ({"sizes": {"turns": 1, "batch_size": 2, "loops": 3}}, "batch_size 1 against 2"),
        ({"max_steps": 30}, "max_steps 25 against 30"),
        ({"prompt_bytes": 9000}, "prompt_bytes 8000 against 9000"),
        ({"actor": MODEL.model_dump()}, "actor rules against openai/m"),
        ({"complete": False, "owed": 2}, "the run of b is incomplete: 2 owed"),
        ({"deviations": ("episode_time_limit 3 instead of None",)}, "only one of them deviates: episode_time_limit 3"),
    ],
)
def test_incomparable_results_are_refused_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    one, other = result({"read": FLAT}, "a"), result({"read": FLAT}, "b", **changes)
    assert any(reason in line for line in incomparable(one, other))
    with pytest.raises(
        ResultError, match=r"a and b are not comparable: .*; use --force to compare them anyway"
    ) as caught:
        ictbench.compare(one, other)
    assert reason in str(caught.value)
    forced = ictbench.compare(one, other, force=True)
    assert forced.arms[0].verdict[0].startswith("Not comparable, compared by force: ")
    assert reason in forced.arms[0].verdict[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fingerprint": "f2"}, "actor's fingerprint f1 against f2"),
        ({"options": {"decoding": "json"}}, "actor's options {} against {'decoding': 'json'}"),
        ({"model": ModelSpec(provider="openai", model="m", temperature=1.0)}, "actor's temperature 0.0 against 1.0"),
    ],
)
def test_actors_with_one_label_must_be_identical(change: dict[str, Any], reason: str) -> None:
    one, other = (result({"read": FLAT}, actor=actor) for actor in (MODEL, MODEL.model_copy(update=change)))
    assert any(line.startswith(reason) for line in incomparable(one, other))
    assert incomparable(one, one) == ()


def test_refused_runs_of_one_reflector_are_named_with_their_folders() -> None:
    one, other = result({"read": FLAT}, "a"), result({"read": FLAT}, "a", max_steps=30)
    other = other.model_copy(update={"host": other.host.model_copy(update={"folder": "runs/late"})})
    with pytest.raises(ResultError, match=r"a \(runs/a\) and a \(runs/late\) are not comparable: max_steps 25"):
        ictbench.compare(one, other)


def test_missing_families_are_refused_and_force_compares_the_common_ones() -> None:
    one = result({"read": UP, "zap": UP}, "a")
    with pytest.raises(ResultError, match="families read, zap against read"):
        ictbench.compare(one, result({"read": FLAT}, "b"))
    forced = ictbench.compare(one, result({"read": FLAT[:2]}, "b"), force=True)
    assert [(row.family, row.loops) for row in forced.arms[0].families] == [("read", 2)]


@pytest.mark.parametrize("families", [{}, {"read": []}, {"eat": FLAT}, {"read": [("00", "01")] * 3}])
def test_runs_without_a_common_loop_cannot_be_forced(families: dict[str, list[Outcomes]]) -> None:
    with pytest.raises(ResultError, match="no loop was finished in both and tested on the same tasks"):
        ictbench.compare(result({"read": FLAT}, "a"), result(families, "b"), force=True)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="a comparison needs at least two runs"):
        ictbench.compare(result({"read": FLAT}))
    with pytest.raises(UnknownNameError, match="'bset' is not a measure that can be compared; did you mean 'best'"):
        ictbench.compare(result({"read": FLAT}), result({"read": FLAT}), measure="bset")  # type: ignore[arg-type]


SEEING = PluginSpec(label="openai/r", name="rewrite", model=ModelSpec(provider="openai", model="r"))


def blind_of(spec: PluginSpec, wrapper: str = "blind") -> PluginSpec:
    inside = spec.model_dump(mode="json", exclude={"model"})
    return PluginSpec(label=f"{wrapper}:{spec.label}", name=wrapper, options={"reflector": inside}, model=spec.model)


def test_over_blind_is_best_minus_best_of_the_blind_arm_in_any_order() -> None:
    seeing, blind = result({"read": UP}, reflector=SEEING), result({"read": FLAT}, reflector=blind_of(SEEING))
    found, back = ictbench.compare(blind, seeing).arms[0], ictbench.compare(seeing, blind).arms[0]
    assert found.over_blind == found.means[0].difference
    assert found.over_blind is not None
    assert found.over_blind.value == pytest.approx(0.4)
    assert back.over_blind == found.over_blind
    assert any(sentence.startswith("Over blind +0.40 [") for sentence in back.verdict)
    assert ictbench.compare(blind, seeing, measure="last").arms[0].over_blind is None


@pytest.mark.parametrize(
    ("wrapper", "pattern"),
    [
        ("shuffled", r"Over shuffled \+0\.40 \[.*\]: contribution of the family's own experience, .*\."),
        ("reflexion", r"Over reflexion \+0\.40 \[.*\]: contribution of fresh tasks, .*\."),
        ("my_arms:Hinted", r"Over my_arms:Hinted \+0\.40 \[.*\]\."),
    ],
)
def test_any_wrapper_has_an_over_difference(wrapper: str, pattern: str) -> None:
    plain, wrapped = result({"read": UP}, reflector=SEEING), result({"read": FLAT}, reflector=blind_of(SEEING, wrapper))
    for arm in (ictbench.compare(wrapped, plain).arms[0], ictbench.compare(plain, wrapped).arms[0]):
        assert list(arm.over) == [wrapper]
        assert arm.over_blind is None
        assert any(re.fullmatch(pattern, sentence) for sentence in arm.verdict)


def test_a_blind_arm_of_another_reflector_or_model_is_ignored() -> None:
    blind = result({"read": FLAT}, reflector=blind_of(SEEING))
    others = [
        PluginSpec(label="rules", name="rules"),
        SEEING.model_copy(update={"model": ModelSpec(provider="openai", model="r", temperature=1.0)}),
        SEEING.model_copy(update={"options": {"more": 1}}),
    ]
    for spec in others:
        assert ictbench.compare(blind, result({"read": UP}, reflector=spec)).arms[0].over_blind is None


def test_arms_with_one_label_are_named_with_their_folders() -> None:
    one, other = result({"read": FLAT}, "a"), result({"read": FLAT}, "a")
    found = ictbench.compare(one, other, result({"read": FLAT}, "b"))
    assert (found.reference, [arm.label for arm in found.arms]) == ("a (runs/a)", ["a (runs/a)", "b"])


def test_shared_games_are_crossed_and_named_in_the_verdict() -> None:
    settings: dict[str, Any] = {"intervals": "for these games"}
    one, other = result({"read": FLAT}, "a", **settings), result({"read": UP}, "b", **settings)
    found = ictbench.compare(one, other)
    assert "on these games" in verdict_of(found)
    assert (
        found.arms[0].families[0].difference
        != ictbench.compare(result({"read": FLAT}, "a"), result({"read": UP}, "b")).arms[0].families[0].difference
    )


def test_the_table_holds_every_row_and_markdown_the_verdict() -> None:
    found = ictbench.compare(result({"read": FLAT, "zap": FLAT}, "a|b"), result({"read": UP, "zap": UP}, "c\x1b"))
    table = comparison_table(found)
    assert list(table["family"]) == ["read", "zap", "mean held-out"]
    assert list(table["arm_value"] - table["reference_value"]) == pytest.approx(list(table["difference"]))
    assert {"reference", "arm", "measure", "low", "high", "p", "p_corrected", "smallest_p", "wins"} <= set(
        table.columns
    )
    text = comparison_markdown(found)
    assert "compared with a\\|b" in text
    assert "\x1b" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 3
    assert {row.replace("\\|", "").count("|") for row in rows} == {9}
    assert all(f"- {sentence}".replace("|", "\\|").replace("\x1b", "�") in text for sentence in found.arms[0].verdict)


def test_a_comparison_survives_json() -> None:
    found = ictbench.compare(result({"read": FLAT}, "a"), result({"read": UP}, "b"))
    assert Comparison.model_validate_json(found.model_dump_json()) == found
    assert isinstance(found.arms[0].rows[0], Difference)
    assert isinstance(found.arms[0].rows[0].difference, Interval)

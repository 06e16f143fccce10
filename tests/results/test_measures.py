from __future__ import annotations

from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING

import pytest
from finished import episodes_of, loop
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ictbench.protocol import episode_uses, keys_for
from ictbench.records import ReflectionFailure, Role, Usage, episode_key, prompt_digest
from ictbench.results.assemble import costs, family_result, role_measures
from ictbench.results.measures import behave, measure
from ictbench.results.schema import Interval
from ictbench.suites import Family

if TYPE_CHECKING:
    from ictbench.protocol import LoopResult

ONE = loop(["00", "11", "10"], {0: "1000", 1: "1110", 2: "0100"}, best=1)
TWO = loop(["00", "00", "10"], {0: "1100", 2: "1000"}, best=2, index=1)
THREE = loop(["10", "10", "10"], {0: "0001", 2: "0011"}, best=0, index=2)
LOOPS = (ONE, TWO, THREE)


def test_base_best_and_last_are_success_on_test_tasks() -> None:
    found = measure([LOOPS])
    assert found.base.value == pytest.approx((1 + 2 + 1) / 12)
    assert found.best.value == pytest.approx((3 + 1 + 1) / 12)
    assert found.last.value == pytest.approx((1 + 1 + 2) / 12)


def test_gain_is_best_minus_base_with_the_interval_of_paired_differences() -> None:
    found = measure([LOOPS])
    assert found.gain.value == pytest.approx((0.5 - 0.25 + 0.0) / 3)
    assert found.last_gain.value == pytest.approx((0.0 - 0.25 + 0.25) / 3)
    # Pairing matters: two tasks lost and two others won are four differences, not none.
    traded = [loop(["0", "1"], {0: "1100", 1: "0011"}, best=1, index=i) for i in range(6)]
    kept = [loop(["0", "1"], {0: "1100", 1: "1100"}, best=1, index=i) for i in range(6)]
    (wide, narrow) = (measure([tuple(group)]).gain for group in (traded, kept))
    assert wide.value == narrow.value == 0
    assert wide.high is not None
    assert narrow.high is not None
    assert wide.high > narrow.high


def test_headroom_gain_is_the_share_of_the_possible_gain() -> None:
    found = measure([LOOPS])
    assert found.headroom_gain is not None
    assert found.headroom_gain.value == pytest.approx((1 / 12) / (1 - 4 / 12))
    full = tuple(loop(["1", "1"], {0: "11", 1: "11"}, best=0, index=i) for i in range(3))
    assert measure([full]).headroom_gain is None


def test_the_curve_is_selection_success_by_prompt() -> None:
    found = measure([LOOPS])
    points = [point.value for point in found.curve]
    assert points == pytest.approx([(0 + 0 + 1) / 6, (2 + 0 + 1) / 6, (1 + 1 + 1) / 6])
    assert found.auc.value == pytest.approx((1 / 6 + 3 / 6 + 3 / 6) / 3)
    assert found.w_auc.value == pytest.approx((1 * 3 / 6 + 2 * 3 / 6) / 3)


CURVES = st.integers(1, 4).flatmap(
    lambda turns: st.lists(
        st.lists(st.text("01", min_size=5, max_size=5), min_size=turns + 1, max_size=turns + 1), min_size=3, max_size=4
    )
)


@given(CURVES)
def test_curve_auc_and_w_auc_follow_their_definitions(selections: list[list[str]]) -> None:
    loops = tuple(loop(rows, {0: "0", len(rows) - 1: "0"}, best=0, index=i) for i, rows in enumerate(selections))
    found = measure([loops])
    points = [fmean(row.count("1") / 5 for row in rows) for rows in zip(*selections, strict=True)]
    assert [point.value for point in found.curve] == pytest.approx(points)
    assert found.auc.value == pytest.approx(fmean(points))
    weighted = sum(i * point for i, point in enumerate(points)) / sum(range(len(points)))
    assert found.w_auc.value == pytest.approx(weighted)
    for one in (*found.curve, found.auc, found.w_auc):
        assert one.low is not None
        assert one.high is not None
        assert 0 <= one.low <= one.value + 1e-12
        assert one.value - 1e-12 <= one.high <= 1


@given(st.lists(st.tuples(*[st.text("01", min_size=4, max_size=4)] * 3), min_size=1, max_size=6))
def test_measures_on_test_tasks_follow_their_definitions(tests: list[tuple[str, str, str]]) -> None:
    loops = tuple(
        loop(["0", "1", "0"], {0: base, 1: best, 2: last}, best=1, index=i)
        for i, (base, best, last) in enumerate(tests)
    )
    found = measure([loops])
    base, best, last = ([outcomes.count("1") / 4 for outcomes in column] for column in zip(*tests, strict=True))
    assert (found.base.value, found.best.value, found.last.value) == pytest.approx(
        (fmean(base), fmean(best), fmean(last))
    )
    assert found.gain.value == pytest.approx(fmean(best) - fmean(base))
    assert found.last_gain.value == pytest.approx(fmean(last) - fmean(base))
    room = 1 - fmean(base)
    assert (found.headroom_gain is None) == (room == 0)
    if found.headroom_gain is not None:
        assert found.headroom_gain.value == pytest.approx((fmean(best) - fmean(base)) / room)
    lost = sum(after < before for before, after in zip(base, best, strict=True))
    assert found.negative_transfer.value == pytest.approx(lost / len(tests))
    assert (found.negative_transfer.low is None) == (len(tests) < 3)


def test_negative_transfer_is_the_share_of_loops_that_lost() -> None:
    found = measure([LOOPS])
    exact = stats.binomtest(1, 3).proportion_ci(method="exact")
    for share in (found.negative_transfer, found.negative_last_transfer):
        assert (share.value, share.low, share.high) == pytest.approx((1 / 3, exact.low, exact.high))
    assert measure([(ONE,)]).negative_transfer == Interval(value=0)


def test_best_on_test_requires_a_test_of_every_prompt() -> None:
    assert measure([LOOPS]).best_on_test is None
    assert measure([(ONE,)]).best_on_test == pytest.approx(0.75)
    assert measure([(ONE, TWO)]).best_on_test is None
    unlucky = loop(["00", "11", "10"], {0: "1000", 1: "0000", 2: "1111"}, best=1, index=1)
    assert measure([(ONE, unlucky)]).best_on_test == pytest.approx((0.75 + 1.0) / 2)


def audited(index: int, experience: list[str], audit: list[tuple[str, str]]) -> LoopResult:
    plain = {"selection": ["0"] * 4, "test": {0: "0", 3: "0"}, "best": 0, "batch": 2}
    return loop(**plain, index=index, experience=experience, audit=audit)  # type: ignore[arg-type]


def test_the_overfitting_gap_is_gain_on_the_own_batch_minus_gain_on_the_next() -> None:
    # Turn 1 wins both of its own tasks and one of the next two; turn 2 loses one of its own and wins one of the next.
    one = audited(0, ["00", "11", "01"], [("11", "01"), ("10", "00")])
    assert measure([(one,)]).overfitting_gap == Interval(value=((1 - 0.5) + (-0.5 - 0.5)) / 2)
    none = audited(1, ["00", "00", "00"], [("00", "00"), ("00", "00")])
    # Every turn memorises its own batch and makes the next one worse.
    most = audited(2, ["00", "00", "00"], [("11", "11"), ("11", "11")])
    assert measure([(most,)]).overfitting_gap == Interval(value=2)
    found = measure([(one, none, most)]).overfitting_gap
    assert found is not None
    assert found.value == pytest.approx((-0.25 + 0 + 2) / 3)
    # Student's t would reach from -2.4 to 3.6, but prompts overfit by -1 to 1.
    assert found.low is not None
    assert -1 < found.low < 0
    assert found.high is not None
    assert found.value < found.high <= 2
    assert measure([LOOPS]).overfitting_gap is None


def test_episodes_of_an_audit_are_a_cost_role() -> None:
    one = audited(0, ["00", "11", "01"], [("11", "01"), ("10", "00")])
    found = costs([one], episodes_of(one))
    assert {role: usage.calls for role, usage in found.items()} == {
        "experience": 6,
        "selection": 4,
        "test": 2,
        "audit": 8,
    }
    # A replay under an unchanged prompt is the same episode.
    still = one.model_copy(update={"prompts": one.prompts[:1] * 4})
    assert costs([still], episodes_of(still)).get("audit", Usage()).calls == 0


def test_families_have_equal_weights_whatever_their_number_of_loops() -> None:
    sure = tuple(loop(["0", "1"], {0: "0", 1: "1"}, best=1, family="eat", index=i) for i in range(4))
    flat = tuple(loop(["0", "1"], {0: "0", 1: "0"}, best=1, family="zap", index=i) for i in range(3))
    found = measure([sure, flat])
    assert found.gain.value == pytest.approx(0.5)
    assert [point.value for point in found.curve] == pytest.approx([0, 1])
    assert found.headroom_gain is not None
    assert found.headroom_gain.value == pytest.approx(0.5)
    assert measure([sure]).gain.value == 1


def test_two_loops_have_no_interval() -> None:
    found = measure([LOOPS[:2]])
    assert (found.gain.low, found.best.high) == (None, None)
    assert measure([LOOPS]).gain.low is not None


def test_invalid_decisions_are_counted_under_base_and_best() -> None:
    episodes = episodes_of(*LOOPS)
    for one, index, invalid in [(ONE, 0, 2), (ONE, 1, 1), (TWO, 2, 3), (ONE, 2, 4)]:
        key = episode_key(one.test_tasks[0], one.prompts[index].digest)
        episodes[key] = episodes[key].model_copy(update={"invalid": invalid})
    found = behave(LOOPS, episodes)
    # Twelve episodes of four decisions each; prompt[2] of the first loop is neither base nor best.
    assert found.invalid_base is not None
    assert found.invalid_best is not None
    assert found.invalid_base.value == pytest.approx(2 / 48)
    assert found.invalid_best.value == pytest.approx((1 + 3) / 48)
    assert 0 < (found.invalid_best.low or 0) < found.invalid_best.value
    assert found.invalid_best.high is not None
    assert 4 / 48 < found.invalid_best.high < 1


def test_the_share_of_invalid_decisions_needs_a_decision() -> None:
    silent = {"end": "failed", "failure": "empty", "decisions": 0}
    assert behave((ONE,), episodes_of(ONE, read_test=silent)).invalid_base is None


def test_ends_and_failures_are_counted() -> None:
    best = prompt_digest("p1")
    failed = {"end": "failed", "failure": "refused"}
    episodes = episodes_of(ONE, read_test_0_0=failed, read_selection_0_1=failed | {"failure": "empty"})
    found = behave((ONE,), episodes)
    assert found.ends == {"failed": 1, "step_limit": 3}
    assert sum(key.endswith(best) and "-test-" in key for key in episodes) == 4
    # One test task and one selection task, each under three prompts.
    assert found.failed == {"empty": 3, "refused": 3}


def test_unusable_reflections_are_counted() -> None:
    kinds: list[ReflectionFailure | None] = ["too_long", None]
    loops = (
        loop(["0", "0", "0"], {0: "0", 2: "0"}, best=0, failures=kinds),
        loop(["0", "0", "0"], {0: "0", 2: "0"}, best=0, index=1, failures=["too_long", "unparseable"]),
    )
    found = behave(loops, episodes_of(*loops))
    assert found.reflection_failures == {"too_long": 2, "unparseable": 1}
    assert found.unusable == Interval(value=3 / 4)


def test_prompt_bytes_are_the_mean_of_the_best_prompts() -> None:
    loops = (
        loop(["0", "1"], {0: "0", 1: "0"}, best=1, prompts=["p0", "été"]),
        loop(["1", "1"], {0: "0", 1: "0"}, best=0, index=1),
    )
    assert behave(loops, episodes_of(*loops)).prompt_bytes == pytest.approx((5 + 2) / 2)


def test_shared_starts_are_compared_within_a_loop() -> None:
    same = {"first_digest": "same"}
    # In one of two loops, two of four test tasks start as an experience task of the same loop.
    episodes = episodes_of(
        ONE, TWO, read_experience_0_1=same, read_test_0_0=same, read_test_0_3=same, read_test_1_0=same
    )
    assert behave((ONE,), episodes).starts_shared == pytest.approx(0.5)
    assert behave((TWO,), episodes).starts_shared == 0
    assert behave((ONE, TWO), episodes).starts_shared == pytest.approx(0.25)


def test_a_start_key_replaces_the_first_observation() -> None:
    # All first observations differ; two test tasks have the map of an experience task.
    room = {"start": "room"}
    episodes = episodes_of(ONE, read_experience_0_1=room, read_test_0_0=room, read_test_0_3=room)
    assert behave((ONE,), episodes).starts_shared == pytest.approx(0.5)


def test_every_use_of_an_episode_is_enumerated() -> None:
    uses = list(episode_uses(ONE))
    assert Counter(use.purpose for use in uses) == {"experience": 2, "selection": 3 * 2, "test": 3 * 4}
    assert ("experience", 1, episode_key("read-experience-0-1", prompt_digest("p1"))) in uses
    assert len(set(uses)) == len(uses)
    assert keys_for(ONE, "selection", 2) == [f"read-selection-0-{i}@{prompt_digest('p2')}" for i in range(2)]
    assert keys_for(ONE, "test") == [use.key for use in uses if use.purpose == "test"]


def test_a_shared_episode_is_counted_once() -> None:
    # Three equal prompts are scored once.
    still = loop(["00", "00", "00"], {0: "0000", 2: "0000"}, best=0, prompts=["p0"] * 3)
    found = costs([still], episodes_of(still))
    assert {role: usage.calls for role, usage in found.items()} == {
        "experience": 2,
        "selection": 2,
        "test": 4,
    }
    assert found["test"].input_tokens == 40
    assert found["test"].cost is None
    twice = costs([still, ONE], episodes_of(still, ONE))
    assert {role: usage.calls for role, usage in twice.items()} == {
        "experience": 3,
        "selection": 6,
        "test": 12,
    }


def test_a_family_result_holds_its_loops_by_index() -> None:
    found = family_result("read", Family(role="held-out", note="one room"), [THREE, ONE, TWO], episodes_of(*LOOPS))
    assert [one.index for one in found.loops] == [0, 1, 2]
    assert (found.role, found.note) == ("held-out", "one room")
    first = found.loops[0]
    assert first.test == {0: "1000", 1: "1110", 2: "0100"}
    assert first.selection == ("00", "11", "10")
    assert first.test_tasks == tuple(f"read-test-0-{i}" for i in range(4))
    assert [(batch.tasks, batch.outcomes) for batch in first.batches] == [
        (("read-experience-0-0",), "1"),
        (("read-experience-0-1",), "1"),
    ]
    assert [(prompt.text, prompt.analysis) for prompt in first.prompts] == [
        ("p0", ""),
        ("p1", "analysis 1"),
        ("p2", "analysis 2"),
    ]
    assert first.prompts[1].digest == prompt_digest("p1")
    assert found.measures == measure([LOOPS])


def test_a_family_without_finished_loops_has_no_measures() -> None:
    found = family_result("read", Family(role="held-out", note="one room"), [], {})
    assert (found.loops, found.measures, found.behaviour) == ((), None, None)


def test_means_by_role_omit_families_without_loops() -> None:
    eat = loop(["0", "1"], {0: "0", 1: "1"}, best=1, family="eat")
    zap = loop(["0", "1"], {0: "0", 1: "0"}, best=1, family="zap")
    roles: dict[str, Role] = {"eat": "held-out", "zap": "meta-train", "read": "held-out"}
    loops = {"eat": [eat], "zap": [zap], "read": []}
    families = [family_result(name, Family(role=roles[name]), loops[name], episodes_of(eat, zap)) for name in roles]
    means = role_measures(families)
    assert set(means) == {"held-out", "meta-train"}
    assert (means["held-out"].gain.value, means["meta-train"].gain.value) == (1, 0)
    assert role_measures([families[2]]) == {}


def test_a_reflector_that_keeps_the_prompt_by_design_gains_nothing() -> None:
    """Its loops differ by their tasks only, so that one more loop could not do anything else."""
    kept = [loop(["00", "00"], {0: outcomes, 1: outcomes}, best=0, index=i) for i, outcomes in enumerate(["0110"] * 3)]
    found, unknown = (measure([tuple(kept)], constant=constant) for constant in (True, False))
    assert found.gain == found.headroom_gain == Interval(value=0.0, low=0.0, high=0.0)
    assert found.best == found.last == found.base
    assert unknown.gain.high is not None
    assert unknown.gain.high > 0.4, "another reflector that kept it three times may not keep it the next time"

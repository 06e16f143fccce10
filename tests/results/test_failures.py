"""Failures of the actor stand beside the gain, which is computed with and without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from synthetic import result

from ictbench.records import EpisodeSummary, Usage
from ictbench.results.failures import count_failed, failure_remarks, failures_beside_gain, gain_unfailed

if TYPE_CHECKING:
    from ictbench.results.failures import Episodes
    from ictbench.results.schema import FamilyResult


def episodes(ends: str) -> Episodes:
    """Return one episode per task: `1` solved, `0` lost, `f` failed."""
    outcome = {"1": "solved", "0": "step_limit", "f": "failed"}
    lost = EpisodeSummary(
        key="", end="step_limit", failure=None, decisions=1, invalid=0, first_digest="", usage=Usage()
    )
    return [[lost.model_copy(update={"end": outcome[end]})] for end in ends]


@pytest.mark.parametrize(
    ("base", "best", "gain"),
    [
        (["10"], ["11"], None),  # nothing failed
        (["f0"], ["11"], 1.0),  # the first pair is left out
        (["ff11"], ["1111"], 0.0),  # two wins cut under prompt[0] were the whole gain
        (["1111"], ["ff11"], 0.0),
        (["f1", "00"], ["11", "10"], 0.25),  # the mean over loops, 0 and 0.5
        (["ff", "00"], ["11", "10"], 0.5),  # a loop without a pair does not count
        (["ff"], ["11"], None),
    ],
)
def test_gain_without_the_pairs_of_which_one_failed(base: list[str], best: list[str], gain: float | None) -> None:
    assert gain_unfailed([*map(episodes, base)], [*map(episodes, best)]) == gain


def test_failed_episodes_are_counted() -> None:
    assert count_failed([episodes("f0f"), episodes("1")]) == 2


def family(name: str, **behaviour: float | None) -> FamilyResult:
    one = result({name: [("0000", "1100"), ("0000", "1100")]}).families[0]
    assert one.behaviour is not None
    changed = one.behaviour.model_copy(update={"ends": {"solved": 4, "step_limit": 4}, **behaviour})
    return one.model_copy(update={"behaviour": changed})


def test_both_gains_are_named_with_the_failures() -> None:
    one, other = family("read", failed_base=3, failed_best=1, gain_unfailed=0.1), family("zap")
    assert failures_beside_gain("held-out", [one, other]) == (
        "Failed test episodes, held-out: 3 of 16 under prompt[0], 1 under the best prompts; gain +0.50 with failures "
        "as losses, +0.30 without the pairs of episodes of which one failed."
    )
    assert failures_beside_gain("held-out", [other]) == ""
    none_left = family("read", failed_base=8, gain_unfailed=None)
    assert "unknown without the pairs" in failures_beside_gain("held-out", [none_left, other])
    assert len([*failure_remarks([one, other])]) == 1

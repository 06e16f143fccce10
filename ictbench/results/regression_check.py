"""The check for regressions: has a run fallen below a baseline, and could these sizes have shown it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ictbench.errors import UsageError
from ictbench.records import Record
from ictbench.results.comparison import ROLES, comparable_by_force
from ictbench.results.intervals import CONFIDENCE, Sample, estimate, mean_interval
from ictbench.results.pairing import Measure, PairedFamily, bounds, pair, require_measures
from ictbench.results.schema import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.schema import Result

POWER = 0.8

Outcome = Literal["passed", "failed", "warned"]


class Regression(Record):
    """One measure of one family, or of the mean over families, beside the baseline."""

    measure: Measure
    name: str
    """Of the family; `held-out` or `meta-train` for the mean over families of that role."""
    baseline: float
    run: float
    difference: Interval
    """Run minus baseline. Intervals of several families hold together: each is wider for their number (Bonferroni)."""
    detectable: float | None
    """The smallest true fall that these sizes show with 80 % power; None where they cannot show any."""
    outcome: Outcome
    message: str


class Check(Record):
    """A run beside its baseline."""

    run: str
    baseline: str
    suite: str
    tolerance: float
    not_comparable: tuple[str, ...]
    """Why the two may not be compared, if they were all the same, by force."""
    falls: tuple[Regression, ...]

    @property
    def failed(self) -> tuple[Regression, ...]:
        """What fell by more than the tolerance, beyond chance."""
        return tuple(fall for fall in self.falls if fall.outcome == "failed")

    @property
    def warned(self) -> tuple[Regression, ...]:
        """What fell but may be chance, and means whose sizes would miss a fall as small as the tolerance too often."""
        return tuple(fall for fall in self.falls if fall.outcome == "warned")


def check(
    result: Result,
    baseline: Result,
    *,
    tolerance: float = 0.05,
    measures: Sequence[Measure] = ("best",),
    force: bool = False,
) -> Check:
    """Check a result against a baseline, on the same tasks.

    A measure fails where it fell by more than `tolerance` and the interval of the paired difference excludes zero.
    The mean over families of a role is checked at 95 %, its families together at 95 %. What fell by more,
    but may be chance, is `warned`, and so are means whose sizes show a fall of `tolerance` with less than 80 % power.

    Raises:
        UsageError: the tolerance is no share.
        ResultError: the two are not comparable and `force` is not given, or have no loop in common.
    """
    require_measures(*measures)
    if not 0 <= tolerance < 1:
        raise UsageError(f"a tolerance is a share from 0 to below 1, e.g. 0.05, not {tolerance:g}")
    reasons = comparable_by_force(baseline, result, force)
    paired = pair(baseline, result)
    shared = result.intervals == "for these games"
    groups = [(role, [family for family in paired if family.role == role]) for role in ROLES]
    falls: list[Regression] = []
    for measure in dict.fromkeys(measures):
        for role, families in ((role, families) for role, families in groups if families):
            falls.append(_fall(role, families, measure, shared, tolerance, CONFIDENCE))
            each = 1 - (1 - CONFIDENCE) / len(families)
            if len(families) > 1:
                falls += [_fall(one.name, [one], measure, shared, tolerance, each) for one in families]
    return Check(
        run=result.reflector.label,
        baseline=baseline.reflector.label,
        suite=result.suite.name,
        tolerance=tolerance,
        not_comparable=reasons,
        falls=tuple(falls),
    )


def _fall(
    name: str, families: list[PairedFamily], measure: Measure, shared: bool, tolerance: float, confidence: float
) -> Regression:
    samples = [family.difference(measure) for family in families]
    before, after = np.mean([family.levels(measure) for family in families], axis=0)
    difference = mean_interval(samples, bounds(measure), shared=shared, confidence=confidence)
    detectable = _detectable(samples, max(bounds(measure)), shared, confidence)
    farthest = float(before) - min(0.0, min(bounds(measure)) + 1)
    if detectable is not None and detectable > farthest:
        detectable = None
    fell = -difference.value
    shown = difference.high is not None and difference.high < 0
    outcome: Outcome = "passed"
    if fell > tolerance and shown:
        outcome = "failed"
    elif fell > tolerance or (name in ROLES and (detectable is None or detectable > tolerance)):
        outcome = "warned"
    return Regression(
        measure=measure,
        name=name,
        baseline=float(before),
        run=float(after),
        difference=difference,
        detectable=detectable,
        outcome=outcome,
        message=_what_happened(fell, tolerance, shown)
        + ("" if outcome == "failed" else f"; {_power(difference, detectable)}"),
    )


def _detectable(samples: list[Sample], scale: float, shared: bool, confidence: float) -> float | None:
    """The fall whose interval excludes zero with 80 % power, by the noncentral t distribution, from the error seen."""
    if not all(sample.has_interval for sample in samples):
        return None
    from scipy.special import nctdtrinc

    found = estimate(samples, shared=shared, scale=scale)
    threshold = float(found.half_width(confidence) / found.error)
    return float(nctdtrinc(float(found.freedom), 1 - POWER, threshold) * found.error)


def _what_happened(fell: float, tolerance: float, shown: bool) -> str:
    if not fell:
        return "did not change"
    if fell < 0:
        return f"rose by {-fell:.3f}"
    if fell <= tolerance:
        return f"fell by {fell:.3f}, within {tolerance:g}"
    beyond = "and the interval excludes zero" if shown else "but the interval holds zero: it may be chance"
    return f"fell by {fell:.3f}, more than {tolerance:g}, {beyond}"


def _power(difference: Interval, detectable: float | None) -> str:
    if difference.low is None:
        return "with fewer than 3 loops in a family no fall can be shown, however large"
    if detectable is None:
        return "these sizes cannot show a fall, however large, with 80 % power"
    return f"these sizes show falls of {detectable:.3f} and more with 80 % power"

"""Check of a run for regressions against a baseline, and the drops that its sizes can detect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ictbench.errors import UsageError
from ictbench.records import Record
from ictbench.results.comparison import ROLES, check_comparable
from ictbench.results.intervals import CONFIDENCE, Sample, estimate, mean_interval
from ictbench.results.pairing import Measure, PairedFamily, bounds, pair, require_measures
from ictbench.results.schema import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.schema import Result

POWER = 0.8

Outcome = Literal["passed", "failed", "warned"]


class Regression(Record):
    """Check of one measure of one family, or of its mean over families, against the baseline."""

    measure: Measure
    name: str
    """Name of the family; `held-out` or `meta-train` for the mean over families of that role."""
    baseline: float
    run: float
    difference: Interval
    """Run minus baseline. Intervals of several families hold simultaneously: each is wider (Bonferroni)."""
    detectable: float | None
    """Smallest true drop that these sizes detect with 80 % power; None if they cannot detect any."""
    outcome: Outcome
    message: str


class Check(Record):
    """Check of a run against a baseline."""

    run: str
    baseline: str
    suite: str
    tolerance: float
    not_comparable: tuple[str, ...]
    """Reasons why the two are not comparable; not empty only if the check was forced."""
    falls: tuple[Regression, ...]

    @property
    def failed(self) -> tuple[Regression, ...]:
        """Measures that fell significantly by more than the tolerance."""
        return tuple(fall for fall in self.falls if fall.outcome == "failed")

    @property
    def warned(self) -> tuple[Regression, ...]:
        """Measures that fell, but not significantly, and means whose sizes do not reliably detect the tolerance."""
        return tuple(fall for fall in self.falls if fall.outcome == "warned")


def check(
    result: Result,
    baseline: Result,
    *,
    tolerance: float = 0.05,
    measures: Sequence[Measure] = ("best",),
    force: bool = False,
) -> Check:
    """Check a result for regressions against a baseline, on the same tasks.

    A measure fails if it fell by more than the tolerance and the interval of the paired difference excludes zero. The
    mean over families of a role has a 95 % interval; the intervals of its families hold simultaneously at 95 %. A
    warning says that a measure fell by more than the tolerance, but not significantly, or that the sizes detect a drop
    as large as the tolerance with less than 80 % power.

    Args:
        result: The result to check.
        baseline: The result that it must not fall below.
        tolerance: How much a measure may fall, as a share.
        measures: The measures to check.
        force: Check results that are not comparable, and say so.

    Raises:
        UsageError: The tolerance is not a share, or a measure cannot be compared.
        ResultError: The two are not comparable and `force` is False, or they have no loop in common.
    """
    require_measures(*measures)
    if not 0 <= tolerance < 1:
        raise UsageError(f"the tolerance must be a share from 0 to below 1, e.g. 0.05, not {tolerance:g}")
    reasons = check_comparable(baseline, result, force)
    paired = pair(baseline, result)
    shared = result.intervals == "for these games"
    by_role = {role: [family for family in paired if family.role == role] for role in ROLES}
    falls: list[Regression] = []
    for measure in dict.fromkeys(measures):
        for role, families in by_role.items():
            if families:
                falls.append(_check(role, families, measure, shared, tolerance, CONFIDENCE))
            if len(families) > 1:
                confidence = 1 - (1 - CONFIDENCE) / len(families)
                falls += [_check(one.name, [one], measure, shared, tolerance, confidence) for one in families]
    return Check(
        run=result.reflector.label,
        baseline=baseline.reflector.label,
        suite=result.suite.name,
        tolerance=tolerance,
        not_comparable=reasons,
        falls=tuple(falls),
    )


def _check(
    name: str, families: list[PairedFamily], measure: Measure, shared: bool, tolerance: float, confidence: float
) -> Regression:
    samples = [family.difference(measure) for family in families]
    before, after = np.mean([family.levels(measure) for family in families], axis=0)
    difference = mean_interval(samples, bounds(measure), shared=shared, confidence=confidence)
    detectable = _detectable(samples, max(bounds(measure)), shared, confidence)
    largest_drop = float(before) - min(0.0, min(bounds(measure)) + 1)
    if detectable is not None and detectable > largest_drop:
        detectable = None
    drop = -difference.value
    significant = difference.high is not None and difference.high < 0
    outcome: Outcome = "passed"
    if drop > tolerance and significant:
        outcome = "failed"
    elif drop > tolerance or (name in ROLES and (detectable is None or detectable > tolerance)):
        outcome = "warned"
    message = _change(drop, tolerance, significant)
    return Regression(
        measure=measure,
        name=name,
        baseline=float(before),
        run=float(after),
        difference=difference,
        detectable=detectable,
        outcome=outcome,
        message=message if outcome == "failed" else f"{message}; {_power(difference, detectable)}",
    )


def _detectable(samples: list[Sample], scale: float, shared: bool, confidence: float) -> float | None:
    """Return the drop whose interval excludes zero with 80 % power, by the noncentral t distribution."""
    if not all(sample.has_interval for sample in samples):
        return None
    from scipy.special import nctdtrinc

    mean = estimate(samples, shared=shared, scale=scale)
    threshold = float(mean.half_width(confidence) / mean.error)
    return float(nctdtrinc(float(mean.freedom), 1 - POWER, threshold) * mean.error)


def _change(drop: float, tolerance: float, significant: bool) -> str:
    if not drop:
        return "did not change"
    if drop < 0:
        return f"rose by {-drop:.3f}"
    if drop <= tolerance:
        return f"fell by {drop:.3f}, within the tolerance of {tolerance:g}"
    conclusion = "and the interval excludes zero" if significant else "but the interval includes zero"
    return f"fell by {drop:.3f}, more than the tolerance of {tolerance:g}, {conclusion}"


def _power(difference: Interval, detectable: float | None) -> str:
    if difference.low is None:
        return "with fewer than 3 loops in a family no drop can be detected"
    if detectable is None:
        return "these sizes cannot detect any drop with 80 % power"
    return f"these sizes detect drops of {detectable:.3f} or more with 80 % power"

"""Check of a run for regressions against a baseline, and the drops that its sizes can detect."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ictbench.errors import UsageError
from ictbench.records import Record
from ictbench.results.comparison import ROLES, check_comparable
from ictbench.results.formatting import p_value
from ictbench.results.intervals import mean_interval
from ictbench.results.pairing import (
    Measure,
    PairedFamily,
    bounds,
    difference_samples,
    pair,
    require_measures,
    share_games,
)
from ictbench.results.schema import Interval
from ictbench.results.significance import ALPHA, MAX_EXACT_PAIRS, holm, paired_p, smallest_p
from ictbench.results.standard_errors import mean_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Role
    from ictbench.results.schema import Result
    from ictbench.results.standard_errors import Floats

POWER = 0.8
DIGITS = 12
"""Decimal places to which a drop is exact: sums in another order differ in later ones."""

Outcome = Literal["passed", "failed", "warned"]


class Regression(Record):
    """Check of one measure of one family, or of its mean over families, against the baseline."""

    measure: Measure
    name: str
    """Name of the family; `held-out` or `meta-train` for the mean over families of that role."""
    baseline: float
    run: float
    difference: Interval
    """Run minus baseline. The interval describes; p-values decide."""
    p: float
    """One-sided p-value of a drop, corrected after Holm over the families of the role if it is of one of several."""
    smallest_p: float
    """Smallest corrected p-value that these sizes allow."""
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

    A measure fails if it fell by more than the tolerance and the drop is significant: its one-sided p-value is at most
    0.05, after Holm's correction over the families of a role. A warning says that a measure fell by more than the
    tolerance, but not significantly, or that the sizes detect a drop as large as the tolerance with less than 80 %
    power. If no outcome differs, there is no warning.

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
    shared = share_games(baseline, result)
    by_role = {role: [family for family in paired if family.role == role] for role in ROLES}
    falls: list[Regression] = []
    for measure in dict.fromkeys(measures):
        for role, families in by_role.items():
            if families:
                falls += _checks(role, [families], measure, shared, tolerance)
            if len(families) > 1:
                falls += _checks(None, [[family] for family in families], measure, shared, tolerance)
    return Check(
        run=result.reflector.label,
        baseline=baseline.reflector.label,
        suite=result.suite.name,
        tolerance=tolerance,
        not_comparable=reasons,
        falls=tuple(falls),
    )


def _checks(
    role: Role | None, groups: Sequence[list[PairedFamily]], measure: Measure, shared: bool, tolerance: float
) -> list[Regression]:
    """Check the mean over the families of each group; p-values are corrected over the groups."""
    test: dict[str, Any] = {"shared": shared, "scale": max(bounds(measure)), "alternative": "less"}
    values = [[family.difference(measure) for family in families] for families in groups]
    corrected = holm([paired_p(differences, **test) for differences in values])
    return [
        _check(role or families[0].name, families, measure, shared, tolerance, p, len(groups))
        for families, p in zip(groups, corrected, strict=True)
    ]


def _check(
    name: str, families: list[PairedFamily], measure: Measure, shared: bool, tolerance: float, p: float, tests: int
) -> Regression:
    values, scale = [family.difference(measure) for family in families], max(bounds(measure))
    before, after = np.mean([family.levels(measure) for family in families], axis=0)
    difference = mean_interval(difference_samples(families, measure, shared=shared), shared=shared)
    sizes = [family.shape for family in values]
    smallest = min(1.0, tests * smallest_p(sizes, shared=shared, scale=scale, alternative="less"))
    detectable = _detectable(values, shared, scale, ALPHA / tests) if smallest <= ALPHA else None
    largest_drop = float(before) - min(0.0, min(bounds(measure)) + 1)
    if detectable is not None and detectable > largest_drop:
        detectable = None
    drop = round(float(before - after), DIGITS)
    outcome: Outcome = "passed"
    if drop > tolerance and p <= ALPHA:
        outcome = "failed"
    elif drop > tolerance or (name in ROLES and _may_hide_a_drop(values, difference, detectable, tolerance)):
        outcome = "warned"
    message = _change(drop, tolerance, p)
    return Regression(
        measure=measure,
        name=name,
        baseline=float(before),
        run=float(after),
        difference=difference,
        p=p,
        smallest_p=smallest,
        detectable=detectable,
        outcome=outcome,
        message=message if outcome == "failed" else f"{message}; {_power(values, tests, smallest, detectable)}",
    )


def _may_hide_a_drop(
    values: Sequence[Floats], difference: Interval, detectable: float | None, tolerance: float
) -> bool:
    """Return whether a drop of more than the tolerance remains possible that the sizes do not reliably detect."""
    if not any(map(np.any, values)) or _detects(detectable, tolerance):
        return False
    return difference.low is None or difference.low < -tolerance


def _detectable(families: list[Floats], shared: bool, scale: float, alpha: float) -> float | None:
    """Return the drop that a one-sided test detects with 80 % power, by the noncentral t distribution.

    Sign flips of few loops are tested at the largest level up to `alpha` that they can reach. If no outcome differs,
    the variance is unknown.
    """
    if not any(map(np.any, families)) or any(len(family) < 2 for family in families):
        return None
    from scipy.special import nctdtrinc, stdtrit

    pairs = sum(map(len, families))
    if not shared and pairs <= MAX_EXACT_PAIRS:
        alpha = floor(alpha * 2**pairs) / 2**pairs
    _, error, freedom = mean_error(families, shared=shared, scale=scale)
    return float(nctdtrinc(float(freedom), 1 - POWER, float(stdtrit(freedom, 1 - alpha))) * error)


def _detects(detectable: float | None, drop: float) -> bool:
    return detectable is not None and detectable <= drop


def _change(drop: float, tolerance: float, p: float) -> str:
    if not drop:
        return "did not change"
    if drop < 0:
        return f"rose by {-drop:.3f}"
    if drop <= tolerance:
        return f"fell by {drop:.3f}, within the tolerance of {tolerance:g}"
    significant = "" if p <= ALPHA else "not significantly, "
    return f"fell by {drop:.3f}, more than the tolerance of {tolerance:g}, {significant}p = {p_value(p)}"


def _power(families: list[Floats], tests: int, smallest: float, detectable: float | None) -> str:
    if not any(map(np.any, families)):
        return "no outcome differs"
    if smallest > ALPHA:
        pairs = sum(map(len, families))
        loops = f"{pairs} {'pair' if pairs == 1 else 'pairs'} of loops"
        each = f" in each of {tests} families" if tests > 1 else ""
        return f"with {loops}{each} the smallest possible p is {p_value(smallest)}, so no drop can be detected"
    if detectable is None:
        return "these sizes cannot detect any drop with 80 % power"
    return f"these sizes detect drops of {detectable:.3f} or more with 80 % power"

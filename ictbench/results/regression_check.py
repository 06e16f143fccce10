"""Check of a run for regressions against a baseline, and the drops that its sizes can detect."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Literal

import numpy as np

from ictbench.errors import ResultError, UsageError
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
    from collections.abc import Mapping, Sequence

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
    """One-sided p-value of a drop, corrected after Holm over the tests of its kind: families, or those of all cells."""
    smallest_p: float
    """Smallest corrected p-value that these sizes allow."""
    detectable: float | None
    """Smallest true drop that these sizes detect with 80 % power; None if they cannot detect any."""
    outcome: Outcome
    message: str


class Check(Record):
    """Check of a run against a baseline."""

    cell: str = ""
    """Name of the cell, if the run is part of a campaign."""
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
    (only,) = check_cells({"": (result, baseline)}, tolerance=tolerance, measures=measures, force=force)
    return only


def check_cells(
    cells: Mapping[str, tuple[Result, Result]],
    *,
    tolerance: float = 0.05,
    measures: Sequence[Measure] = ("best",),
    force: bool = False,
) -> list[Check]:
    """Check the results of a campaign, each with its baseline; see `check`.

    Holm's correction is over all cells: means over families of one role are one group of tests, single families are
    another.

    Args:
        cells: Result and baseline by name of the cell.
        tolerance: How much a measure may fall, as a share.
        measures: The measures to check.
        force: Check results that are not comparable, and say so.

    Raises:
        UsageError: The tolerance is not a share, or a measure cannot be compared.
        ResultError: Two are not comparable and `force` is False, or they have no loop in common.
    """
    require_measures(*measures)
    if not 0 <= tolerance < 1:
        raise UsageError(f"the tolerance must be a share from 0 to below 1, e.g. 0.05, not {tolerance:g}")
    reasons = {cell: _reasons(cell, baseline, result, force) for cell, (result, baseline) in cells.items()}
    paired = {cell: pair(baseline, result) for cell, (result, baseline) in cells.items()}
    falls: dict[str, list[Regression]] = {cell: [] for cell in cells}
    for measure in dict.fromkeys(measures):
        for role in ROLES:
            by_cell = {cell: [family for family in paired[cell] if family.role == role] for cell in cells}
            shared = {cell: share_games(baseline, result) for cell, (result, baseline) in cells.items()}
            means = [_Test(cell, role, families, shared[cell]) for cell, families in by_cell.items() if families]
            single = [
                _Test(cell, family.name, [family], shared[cell])
                for cell, families in by_cell.items()
                if len(families) > 1
                for family in families
            ]
            for cell, fall in (*_checks(means, measure, tolerance), *_checks(single, measure, tolerance)):
                falls[cell].append(fall)
    return [
        Check(
            cell=cell,
            run=result.reflector.label,
            baseline=baseline.reflector.label,
            suite=result.suite.name,
            tolerance=tolerance,
            not_comparable=reasons[cell],
            falls=tuple(falls[cell]),
        )
        for cell, (result, baseline) in cells.items()
    ]


@dataclass(frozen=True, slots=True)
class _Test:
    """One test of a group that is corrected together."""

    cell: str
    name: str
    families: list[PairedFamily]
    shared: bool


def _reasons(cell: str, baseline: Result, result: Result, force: bool) -> tuple[str, ...]:
    try:
        return check_comparable(baseline, result, force)
    except ResultError as error:
        raise ResultError(f"cell {cell}: {error}" if cell else str(error)) from error


def _checks(tests: Sequence[_Test], measure: Measure, tolerance: float) -> list[tuple[str, Regression]]:
    """Return the check of each test, by cell; p-values are corrected over the tests."""
    ps = []
    for test in tests:
        differences = [family.difference(measure) for family in test.families]
        scale = max(bounds(measure))
        ps.append(paired_p(differences, shared=test.shared, scale=scale, alternative="less"))
    corrected = holm(ps)
    kind = "families" if len({test.cell for test in tests}) == 1 else "tests"
    return [
        (test.cell, _check(test, measure, tolerance, p, len(tests), kind))
        for test, p in zip(tests, corrected, strict=True)
    ]


def _check(test: _Test, measure: Measure, tolerance: float, p: float, tests: int, kind: str) -> Regression:
    """Check one test of several of a kind."""
    name, families, shared = test.name, test.families, test.shared
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
        message=message if outcome == "failed" else f"{message}; {_power(values, tests, kind, smallest, detectable)}",
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


def _power(families: list[Floats], tests: int, kind: str, smallest: float, detectable: float | None) -> str:
    if not any(map(np.any, families)):
        return "no outcome differs"
    if smallest > ALPHA:
        pairs = sum(map(len, families))
        loops = f"{pairs} {'pair' if pairs == 1 else 'pairs'} of loops"
        each = f" in each of {tests} {kind}" if tests > 1 else ""
        return f"with {loops}{each} the smallest possible p is {p_value(smallest)}, so no drop can be detected"
    if detectable is None:
        return "these sizes cannot detect any drop with 80 % power"
    return f"these sizes detect drops of {detectable:.3f} or more with 80 % power"

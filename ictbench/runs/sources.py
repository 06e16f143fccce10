"""Comparison, regression check and power of runs, results or their paths: `ictbench.compare`, `check` and `power`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results import comparison, loops_needed, regression_check
from ictbench.runs.api import result_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results import Check, Comparison, Power
    from ictbench.results.loops_needed import PowerMeasure
    from ictbench.results.pairing import Measure
    from ictbench.runs.api import Source


def compare(reference: Source, *others: Source, measure: Measure = "best", force: bool = False) -> Comparison:
    """Compare runs with a reference on the same tasks.

    P-values come from sign flips of whole (family, loop) differences; if loops share their games, from a t test in
    which loops and games are crossed. They are corrected after Holm across families, and across arms if there are
    several.

    Args:
        reference: The run that the others are compared with: a run, a result, or the path of either.
        others: Runs of other arms.
        measure: The measure to compare.
        force: Compare runs that are not comparable, and say so.

    Raises:
        UsageError: There is no other run, a run has no result, or the measure cannot be compared.
        ResultError: Two runs are not comparable and `force` is False, or they have no loop in common.
    """
    return comparison.compare(result_of(reference), *map(result_of, others), measure=measure, force=force)


def check(
    run: Source,
    baseline: Source,
    *,
    tolerance: float = 0.05,
    measures: Sequence[Measure] = ("best",),
    force: bool = False,
) -> Check:
    """Check a run for regressions against a baseline, on the same tasks; see `ictbench.results.check`.

    Args:
        run: The run to check: a run, a result, or the path of either.
        baseline: The run that it must not fall below.
        tolerance: How much a measure may fall, as a share.
        measures: The measures to check.
        force: Check runs that are not comparable, and say so.

    Raises:
        UsageError: A run has no result, the tolerance is not a share, or a measure cannot be compared.
        ResultError: The two are not comparable and `force` is False, or they have no loop in common.
    """
    return regression_check.check(
        result_of(run), result_of(baseline), tolerance=tolerance, measures=measures, force=force
    )


def power(
    pilot: Source,
    against: Source | None = None,
    *,
    difference: float = 0.1,
    target: float = 0.8,
    measure: PowerMeasure = "best",
) -> Power:
    """Return how many loops a comparison needs to show a difference between two arms.

    Args:
        pilot: Run of one arm: a run, a result, or the path of either.
        against: Run of the other arm on the same tasks; None assumes an arm that varies as much as the pilot,
            independently of it on the same tasks.
        difference: Difference in success rate, from 0 to 1.
        target: Probability with which the difference shall be significant.
        measure: Success under the best or the last prompt.

    Raises:
        UsageError: A run has no result, or a number is out of range.
        ResultError: No family has two finished loops, or the runs are not comparable.
    """
    other = None if against is None else result_of(against)
    return loops_needed.power(result_of(pilot), other, difference=difference, target=target, measure=measure)

"""Comparison of arms on the same tasks: differences, intervals, p-values and conclusions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ictbench.errors import ResultError, UsageError
from ictbench.results.comparison_schema import Arm, Comparison, Difference
from ictbench.results.intervals import mean_interval
from ictbench.results.pairing import (
    Measure,
    PairedFamily,
    bounds,
    difference_samples,
    incomparable,
    names_of,
    pair,
    require_measures,
    share_games,
    wrapper_of,
)
from ictbench.results.significance import holm, paired_p, smallest_p
from ictbench.results.verdict import verdict

if TYPE_CHECKING:
    from ictbench.records import Role
    from ictbench.results.schema import Interval, Result

SAME_RUN = "Both are the same run: every difference is 0 by construction. Name another run to compare it with."

ROLES: tuple[Role, ...] = ("held-out", "meta-train")


def compare(reference: Result, *others: Result, measure: Measure = "best", force: bool = False) -> Comparison:
    """Compare results with a reference on the same tasks.

    P-values come from sign flips of whole (family, loop) differences; if loops share their games, from a t test in
    which loops and games are crossed. They are corrected after Holm across families, and across arms if there are
    several.

    Args:
        reference: The result that the others are compared with.
        others: Results of other arms.
        measure: The measure to compare.
        force: Compare results that are not comparable, and say so.

    Raises:
        UsageError: There is no other result, or the measure cannot be compared.
        ResultError: Two results are not comparable and `force` is False, or they have no loop in common.
    """
    require_measures(measure)
    if not others:
        raise UsageError("a comparison needs at least two runs, and only one is given")
    reasons = [check_comparable(reference, other, force) for other in others]
    reference_name, *labels = names_of(reference, *others)
    shared = share_games(reference, *others)
    rows = _corrected([_differences(pair(reference, other), measure, shared) for other in others])
    arms = tuple(
        _arm(reference, other, label, reason, arm_rows, measure)
        for other, label, reason, arm_rows in zip(others, labels, reasons, rows, strict=True)
    )
    comparison = Comparison(
        measure=measure,
        reference=reference_name,
        suite=reference.suite.name,
        games="for these games" if shared else "over loops",
        arms=arms,
    )
    concluded = tuple(
        arm.model_copy(update={"verdict": (*(SAME_RUN,) * (other == reference), *verdict(comparison, arm))})
        for arm, other in zip(arms, others, strict=True)
    )
    return comparison.model_copy(update={"arms": concluded})


def check_comparable(reference: Result, other: Result, force: bool | None) -> tuple[str, ...]:
    """Return the reasons why two results are not comparable; with `force` only.

    Args:
        reference: One result.
        other: The other one.
        force: Whether to accept reasons; None if no user can choose it.

    Raises:
        ResultError: There is a reason, and `force` is not True.
    """
    reasons = incomparable(reference, other)
    if reasons and not force:
        names = " and ".join(names_of(reference, other))
        remedy = "" if force is None else "; use --force to compare them anyway"
        raise ResultError(f"{names} are not comparable: {'; '.join(reasons)}{remedy}")
    return reasons


def _arm(
    reference: Result, other: Result, label: str, reasons: tuple[str, ...], rows: list[Difference], measure: Measure
) -> Arm:
    means = tuple(row for row in rows if row.family is None)
    return Arm(
        label=label,
        not_comparable=reasons,
        families=tuple(row for row in rows if row.family is not None),
        means=means,
        over=_over_wrapped(reference, other, means[0].difference) if measure == "best" else {},
        verdict=(),
    )


def _over_wrapped(reference: Result, other: Result, difference: Interval) -> dict[str, Interval]:
    if wrapper := wrapper_of(reference, other):
        return {wrapper: difference}
    if wrapper := wrapper_of(other, reference):
        return {wrapper: -difference}
    return {}


def _differences(paired: list[PairedFamily], measure: Measure, shared: bool) -> list[Difference]:
    """Return one row per family, then one per role with the mean, held-out first."""
    rows = [_difference([family], measure, shared, family.name) for family in paired]
    for role in ROLES:
        if families := [family for family in paired if family.role == role]:
            rows.append(_difference(families, measure, shared, None))
    return rows


def _difference(families: list[PairedFamily], measure: Measure, shared: bool, name: str | None) -> Difference:
    samples = difference_samples(families, measure, shared=shared)
    levels = np.mean([family.levels(measure) for family in families], axis=0)
    pairs = sum(len(sample.values) for sample in samples)
    # Rounded: of tasks that are repeated, the values are fractions, and 1 - 2/3 is not 1/3.
    signs = Counter(int(sign) for sample in samples for sign in np.sign(sample.values.round(9)).flat)
    values = [sample.values for sample in samples]
    test: dict[str, Any] = {"shared": shared, "scale": max(bounds(measure))}
    p = paired_p(values, **test)
    return Difference(
        family=name,
        role=families[0].role,
        families=len(families),
        loops=pairs,
        reference=float(levels[0]),
        other=float(levels[1]),
        difference=mean_interval(samples, shared=shared),
        p=p,
        p_corrected=p,
        smallest_p=smallest_p([family.shape for family in values], **test),
        wins=signs[1],
        ties=signs[0],
        losses=signs[-1],
    )


def _corrected(arms: list[list[Difference]]) -> list[list[Difference]]:
    """Return the rows with p-values corrected after Holm.

    Families of all arms are one group; the means of each role over all arms are another.
    """
    groups: dict[Role | None, list[float]] = {}
    for row in (row for rows in arms for row in rows):
        groups.setdefault(_group(row), []).append(row.p)
    corrected = {group: iter(holm(values)) for group, values in groups.items()}
    return [[row.model_copy(update={"p_corrected": next(corrected[_group(row)])}) for row in rows] for rows in arms]


def _group(row: Difference) -> Role | None:
    return row.role if row.family is None else None

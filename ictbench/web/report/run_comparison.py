"""Paired differences between the first run of a report and each other run on the same tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.errors import IctbenchError
from ictbench.results.comparison import compare
from ictbench.results.pairing import incomparable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.comparison_schema import Difference
    from ictbench.results.schema import Result

    Json = dict[str, Any]


def run_comparison(results: Sequence[Result], labels: Sequence[str]) -> Json | None:
    """Return the differences in `best` of the runs from the first one; None for a single run.

    Runs that are not comparable with the first one are listed with the reason instead.
    """
    if len(results) < 2:
        return None
    reference, *others = results
    reasons = ["; ".join(incomparable(reference, other)) for other in others]
    arms = [(other, label) for other, label, reason in zip(others, labels[1:], reasons, strict=True) if not reason]
    missing = [{"label": label, "reason": reason} for label, reason in zip(labels[1:], reasons, strict=True) if reason]
    compared: list[Json] = []
    if arms:
        try:
            comparison = compare(reference, *(other for other, _ in arms))
        except IctbenchError as error:
            missing += [{"label": label, "reason": str(error)} for _, label in arms]
        else:
            compared = [
                {"label": label, "rows": list(map(_row, arm.rows)), "verdict": list(arm.verdict)}
                for (_, label), arm in zip(arms, comparison.arms, strict=True)
            ]
    return {"reference": labels[0], "arms": compared, "missing": missing}


def _row(row: Difference) -> Json:
    return row.model_dump(mode="json") | {"name": row.name}

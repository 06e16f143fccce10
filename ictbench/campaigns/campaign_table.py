"""Long table of a campaign: one row per cell, family and measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.records import Usage
from ictbench.results.tables import MEASURES, MIXED, ONLINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from ictbench.results import Result
    from ictbench.results.schema import Interval, Measures

COLUMNS = ("cell", "suite", "family", "role", "measure", "value", "low", "high", "loops")
MEAN = "mean"
"""Family of the mean over the families of a role."""
ALL = "all"
"""Family of what is counted over all families."""


def long_table(results: Mapping[str, Result], values: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return the measures of all cells: of each family, the mean of each role, and the usage of all episodes.

    Args:
        results: Results of the complete cells, by name.
        values: Name of the cell's value by axis, for each cell; each axis is a column.
    """
    import pandas as pd

    rows = [row for cell, result in results.items() for row in _rows(cell, result, values.get(cell, {}))]
    axes = dict.fromkeys(_column(axis) for labels in values.values() for axis in labels)
    first, *others = COLUMNS
    return pd.DataFrame(rows, columns=[first, *axes, *others])


def _column(axis: str) -> str:
    return f"axis_{axis}" if axis in COLUMNS else axis


def _rows(cell: str, result: Result, labels: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    common = {"cell": cell, **{_column(axis): label for axis, label in labels.items()}, "suite": result.suite.name}
    for family in result.families:
        if family.measures:
            place = {"family": family.name, "role": family.role, "loops": len(family.loops)}
            yield from ({**common, **place, **row} for row in _measured(family.measures))
    for role, measures in result.by_role.items():
        loops = sum(len(family.loops) for family in result.families if family.role == role)
        place = {"family": MEAN, "role": role, "loops": loops}
        yield from ({**common, **place, **row} for row in _measured(measures))
    usage = Usage.total([*result.cost.values()])
    loops = sum(len(family.loops) for family in result.families)
    for name in ("calls", "input_tokens", "output_tokens", "cost"):
        value = getattr(usage, name)
        yield {**common, "family": ALL, "role": None, "measure": name, "value": value, "loops": loops}


def _measured(measures: Measures) -> Iterator[dict[str, Any]]:
    for name in MEASURES:
        yield from _row(name, getattr(measures, name))
    for name in ONLINE if measures.online else ():
        yield from _row(f"online_{name}", getattr(measures.online, name))
    for name in MIXED if measures.mixed else ():
        yield from _row(name, getattr(measures.mixed, name))
    for name, interval in measures.progress or ():
        yield from _row(f"progress_{name}", interval)


def _row(name: str, interval: Interval | None) -> Iterator[dict[str, Any]]:
    if interval is not None:
        yield {"measure": name, "value": interval.value, "low": interval.low, "high": interval.high}

"""Transfer matrix: gains by evaluation family and by what the reflector was trained on."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from ictbench.errors import ConfigError
from ictbench.records import Record, Role
from ictbench.results.comparability import disagreements
from ictbench.results.formatting import signed
from ictbench.results.outcomes import levels_of
from ictbench.results.schema import Interval
from ictbench.suites.trained_on import env_of_suite, format_trained_on, was_trained_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ictbench.results.schema import FamilyResult, Measures, Result

Gain = Literal["gain", "last_gain"]

NEGATIVE, SIGNIFICANTLY_NEGATIVE, SEEN, UNRANKED = "▼", "▼▼", "†", "‡"
LEGEND = {
    NEGATIVE: "negative transfer: worse than the first prompt",
    SIGNIFICANTLY_NEGATIVE: "negative transfer, with the whole interval below zero",
    SEEN: "the reflector was trained on this family",
    UNRANKED: "the reflector was trained on this held-out family, so it is not ranked here",
}
MAY_DIFFER = ("profile", "families")
"""Parts of a setup that may differ between runs on one suite."""


class Cell(Record):
    """One reflector in one family, or on average over the families of a role."""

    run: str
    reflector: str
    trained_on: str
    """Names of families; `unknown` if the run does not state them."""
    suite: str
    family: str | None
    """None for the mean over the families of the role."""
    role: Role
    seen: bool | None
    """Whether the reflector was trained on this family, or on one of these; None for unknown."""
    loops: int
    """Number of loops per family."""
    base: float
    best: float
    last: float
    gain: float
    gain_low: float | None
    gain_high: float | None
    last_gain: float
    last_gain_low: float | None
    last_gain_high: float | None
    negative_transfer: float
    """Share of loops with gain < 0."""
    negative_last_transfer: float
    """Share of loops with last gain < 0."""

    @property
    def ranked(self) -> bool:
        """Whether the reflector may be ranked here: not on a held-out family that it was trained on."""
        return not (self.seen and self.role == "held-out")

    @property
    def column(self) -> tuple[str, str]:
        """Column of the matrix: training and reflector."""
        return self.trained_on, self.reflector

    @property
    def row(self) -> tuple[str, Role, str | None]:
        """Row of the matrix: suite, role and family."""
        return self.suite, self.role, self.family

    def marks(self, measure: Gain) -> str:
        """Return the marks of the cell; `LEGEND` explains them."""
        value, high = getattr(self, measure), getattr(self, f"{measure}_high")
        negative = "" if value >= 0 else SIGNIFICANTLY_NEGATIVE if high is not None and high < 0 else NEGATIVE
        seen = "" if not self.seen else SEEN if self.ranked else UNRANKED
        return negative + seen


def transfer(results: Mapping[str, Result]) -> tuple[Cell, ...]:
    """Return the cells of all runs.

    Args:
        results: Results by name of the run.

    Raises:
        ConfigError: There is no run, two runs have a cell in common, or runs on one suite differ in more than their
            reflector.
    """
    if not results:
        raise ConfigError("a transfer matrix needs runs of one reflector trained on different families; name them")
    _check_comparable(results)
    cells = tuple(cell for name, result in results.items() for cell in _cells(name, result))
    first: dict[Any, Cell] = {}
    for cell in cells:
        other = first.setdefault((cell.column, cell.row), cell)
        if other is not cell:
            raise ConfigError(
                f"{other.run} and {cell.run} are both of {cell.reflector}, trained on {cell.trained_on}, on "
                f"{cell.suite}; omit one, or state what they were trained on with --trained-on"
            )
    return cells


def matrix(cells: Sequence[Cell], measure: Gain = "gain") -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the matrix as text, with one row per evaluation family and one column per training."""
    columns = list(dict.fromkeys(cell.column for cell in cells))
    several = len({reflector for _, reflector in columns}) > 1
    head = [f"{trained_on} ({reflector})" if several else trained_on for trained_on, reflector in columns]
    by_place = {(cell.row, cell.column): cell for cell in cells}
    rows = [
        [row[0], row[2] or "mean", row[1], *(_text(by_place.get((row, column)), measure) for column in columns)]
        for row in _ordered_rows(cells)
    ]
    return ["suite", "family", "role", *head], rows


def legend(cells: Iterable[Cell], measure: Gain = "gain") -> dict[str, str]:
    """Return the meaning of each mark that the cells have."""
    marks = [cell.marks(measure) for cell in cells]
    used = {mark: meaning for mark, meaning in LEGEND.items() if any(mark in text for text in marks)}
    if NEGATIVE in used and all(SIGNIFICANTLY_NEGATIVE in text or NEGATIVE not in text for text in marks):
        del used[NEGATIVE]
    return used


def _cells(name: str, result: Result) -> Iterator[Cell]:
    trained_on, env = result.reflector_trained_on, env_of_suite(result.suite.name)
    seen = {
        family.name: None if trained_on is None else was_trained_on(trained_on, result.suite.name, env, family.name)
        for family in result.families
    }
    common = {
        "run": name,
        "reflector": result.reflector.label,
        "trained_on": format_trained_on(trained_on),
        "suite": result.suite.name,
    }
    for role in ("meta-train", "held-out"):
        families = [family for family in result.families if family.role == role and family.measures]
        for family in families:
            assert family.measures is not None
            yield _cell(family.measures, [family], **common, family=family.name, role=role, seen=seen[family.name])
        if families:
            any_seen = None if trained_on is None else any(seen[family.name] for family in families)
            yield _cell(result.by_role[role], families, **common, family=None, role=role, seen=any_seen)


def _cell(measures: Measures, families: Sequence[FamilyResult], **fields: Any) -> Cell:
    values: dict[str, Any] = {name: getattr(measures, name).value for name in ("base", "best", "last")}
    for name in ("gain", "last_gain"):
        interval: Interval = getattr(measures, name)
        values |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    levels = [[levels_of(loop) for loop in family.loops] for family in families]
    return Cell(
        **fields,
        **values,
        loops=min(map(len, levels)),
        negative_transfer=fmean(fmean(loop.gain < 0 for loop in loops) for loops in levels),
        negative_last_transfer=fmean(fmean(loop.last_gain < 0 for loop in loops) for loops in levels),
    )


def _ordered_rows(cells: Iterable[Cell]) -> list[tuple[str, Role, str | None]]:
    """Return the rows in order: suites as given, held-out families last, and each role's mean after its families."""
    rows = list(dict.fromkeys(cell.row for cell in cells))
    suites = list(dict.fromkeys(suite for suite, _, _ in rows))
    return sorted(rows, key=lambda row: (suites.index(row[0]), row[1] == "held-out", row[2] is None))


def _text(cell: Cell | None, measure: Gain) -> str:
    if cell is None:
        return ""
    value, low, high = (getattr(cell, f"{measure}{end}") for end in ("", "_low", "_high"))
    text = signed(Interval(value=value, low=low, high=high))
    marks = cell.marks(measure)
    return f"{text} {marks}".rstrip()


def _check_comparable(results: Mapping[str, Result]) -> None:
    """Check that runs on one suite differ only in their reflector and in the selected families."""
    first: dict[str, str] = {}
    for name, result in results.items():
        reference = first.setdefault(result.suite.name, name)
        for what, (expected, value) in disagreements((results[reference], result)):
            if what not in MAY_DIFFER:
                raise ConfigError(
                    f"{reference} and {name} are not comparable: {what} is {expected} in the first and {value} in "
                    "the second"
                )

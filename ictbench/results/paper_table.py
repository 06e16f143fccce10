"""The paper's table: its known figures next to those of runs of the same cells."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Literal

from ictbench.errors import ConfigError
from ictbench.records import Record, Role
from ictbench.results.comparability import disagreements
from ictbench.results.outcomes import success_rate
from ictbench.results.paper_figures import CROSS_WINS, LATE_SHARE, MODEL, SUITES, VALIDATION
from ictbench.suites import load_suite
from ictbench.suites.trained_on import env_of_suite, format_trained_on, held_out_trained_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ictbench.results.schema import FamilyResult, Interval, Result

Arm = Literal["initial", "untrained", "trained", "trained elsewhere", "trained on held-out", "unknown", "control"]
"""What a row's prompts come from. `trained` is training on the suite's own meta-train families, as in the paper;
`trained elsewhere` is training on other data, such as the other benchmark; `unknown` is training that is not stated."""

ARMS: tuple[Arm, ...] = (
    "initial",
    "untrained",
    "trained",
    "trained elsewhere",
    "trained on held-out",
    "unknown",
    "control",
)
PAPER_REFLECTOR = "rewrite"
MAY_DIFFER_BETWEEN_SIZES = ("profile", "batch_size", "families")
"""Parts of a setup in which runs on one suite may differ; with the same batch size, only their families may."""


class PaperRow(Record):
    """One line of the table: an arm in one family with one batch size. Success is in percent."""

    suite: str
    family: str
    role: Role
    batch_size: int
    arm: Arm
    reflector: str
    """Empty for the initial prompt, and for a figure of the paper without a run."""
    trained_on: str
    paper: float | None
    """Validation success in the paper; None if it is not known."""
    validation: float | None
    """Success of the best prompt on the selection tasks, on which it was chosen: the form of the paper's figures."""
    test: float | None
    """Success of the best prompt on test tasks."""
    test_low: float | None
    test_high: float | None
    loops: int | None
    run: str
    """Name of the run; empty if there is none."""


def paper_table(results: Mapping[str, Result]) -> tuple[PaperRow, ...]:
    """Return the rows of the table, including figures of the paper that no run belongs to.

    Args:
        results: Results by name of the run.

    Raises:
        ConfigError: There is no run, one is of another suite, two have a row in common, or runs differ in more than
            their reflector, families and batch size.
    """
    if not results:
        raise ConfigError("the paper's table needs runs of its suites; name a campaign or runs")
    for name, result in results.items():
        if result.suite.name not in SUITES:
            raise ConfigError(
                f"{name} is a run of {result.suite.name}, which does not have the paper's pools; "
                f"name runs of {' and '.join(SUITES)}"
            )
    _check_comparable(results)
    found: dict[tuple[str, ...], PaperRow] = {}
    for name, result in results.items():
        for row in _rows(name, result):
            key = (row.suite, row.family, str(row.batch_size), row.arm, row.reflector, row.trained_on)
            other = found.setdefault(key, row)
            if other is not row and row.arm != "initial":
                raise ConfigError(
                    f"{other.run} and {name} are both of {row.reflector}, trained on {row.trained_on}, with "
                    f"k = {row.batch_size}, in {row.family} of {row.suite}; omit one"
                )
    rows = [*found.values()]
    rows += _without_run(rows)
    order = {suite: list(load_suite(suite).families) for suite in SUITES}
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                SUITES.index(row.suite),
                row.role != "held-out",
                order[row.suite].index(row.family),
                row.batch_size,
                ARMS.index(row.arm),
            ),
        )
    )


def differences_from_paper(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield, for each run whose setup is not the paper's, in what it differs."""
    for name, result in results.items():
        found = [] if result.complete else [f"incomplete, {result.owed} owed"]
        if result.profile == "quick":
            found.append("profile quick")
        found += result.deviations
        players = {"actor": result.actor} | ({"reflector": result.reflector} if _arm(result) == "untrained" else {})
        found += [
            f"{role} {player.label} instead of {MODEL}"
            for role, player in players.items()
            if player.name != "none" and (player.model is None or MODEL.lower() not in player.model.model.lower())
        ]
        if found:
            yield f"{name}: {'; '.join(found)}"


def prompts_that_differ(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield, for each cell whose runs disagree about the initial prompt, its success in each of them."""
    levels: dict[tuple[str, str, int], dict[str, PaperRow]] = {}
    for run, result in results.items():
        for family in result.families:
            if row := _initial(run, result, family):
                levels.setdefault((row.suite, row.family, row.batch_size), {})[run] = row
    for (suite, family_name, batch_size), rows in levels.items():
        if len({(row.validation, row.test) for row in rows.values()}) > 1:
            texts = ", ".join(f"{row.validation:.1f} and {row.test:.1f} in {name}" for name, row in rows.items())
            yield f"{suite}, {family_name}, k = {batch_size}: the initial prompt has {texts}"


def late_prompts(results: Iterable[Result]) -> str | None:
    """Return how often the best prompt is that of the last turn, for ALFWorld with k = 3; None without such loops."""
    loops = [
        loop
        for result in results
        if result.suite.name == SUITES[0]
        and result.sizes.batch_size == 3
        and not result.control
        and result.reflector.name != "none"
        for family in result.families
        for loop in family.loops
    ]
    if not loops:
        return None
    late = sum(loop.best == loop.last for loop in loops)
    return (
        f"Best prompt from the last turn, ALFWorld, k = 3: about {LATE_SHARE:.0%} of loops in the paper, "
        f"{late} of {len(loops)} here"
    )


def cross_wins(rows: Sequence[PaperRow]) -> str | None:
    """Return in how many families of ALFWorld training on MiniHack beats no training, k = 5; None without runs."""
    by_arm: dict[Arm, dict[str, PaperRow]] = {}
    for row in rows:
        if (row.suite, row.batch_size) == (SUITES[0], 5) and row.run:
            by_arm.setdefault(row.arm, {})[row.family] = row
    trained, untrained = by_arm.get("trained elsewhere", {}), by_arm.get("untrained", {})
    both = [(trained[family], untrained[family]) for family in trained if family in untrained]
    if not both:
        return None
    wins = [sum(getattr(one, of) > getattr(other, of) for one, other in both) for of in ("validation", "test")]
    return (
        f"Trained on other data above untrained, ALFWorld, k = 5: in {CROSS_WINS[0]} of {CROSS_WINS[1]} "
        f"families in the paper (trained on MiniHack), in {wins[0]} of {len(both)} here on validation, {wins[1]} on "
        "test"
    )


def _rows(name: str, result: Result) -> Iterator[PaperRow]:
    for family in result.families:
        if not family.measures:
            continue
        if (initial := _initial(name, result, family)) is not None:
            yield initial
        if result.reflector.name == "none":
            continue
        arm = _arm(result)
        known = VALIDATION.get((result.suite.name, family.name, result.sizes.batch_size), {})
        yield _row(
            name,
            result,
            family,
            family.measures.best,
            fmean(success_rate(loop.selection[loop.best]) for loop in family.loops),
            arm=arm,
            reflector=result.reflector.label,
            trained_on=format_trained_on(result.reflector_trained_on),
            paper=known.get(arm) if arm in ("untrained", "trained") and _is_papers(result) else None,
        )


def _initial(name: str, result: Result, family: FamilyResult) -> PaperRow | None:
    if not family.measures:
        return None
    validation = fmean(success_rate(loop.selection[0]) for loop in family.loops)
    return _row(name, result, family, family.measures.base, validation, arm="initial")


def _row(
    name: str,
    result: Result,
    family: FamilyResult,
    test: Interval,
    validation: float,
    *,
    arm: Arm,
    reflector: str = "",
    trained_on: str = "",
    paper: float | None = None,
) -> PaperRow:
    low, high = (None if end is None else 100 * end for end in (test.low, test.high))
    return PaperRow(
        suite=result.suite.name,
        family=family.name,
        role=family.role,
        batch_size=result.sizes.batch_size,
        arm=arm,
        reflector=reflector,
        trained_on=trained_on,
        paper=paper,
        validation=100 * validation,
        test=100 * test.value,
        test_low=low,
        test_high=high,
        loops=len(family.loops),
        run=name,
    )


def _arm(result: Result) -> Arm:
    trained_on = result.reflector_trained_on
    if result.control:
        return "control"
    if trained_on is None:
        return "unknown"
    if not trained_on:
        return "untrained"
    suite = load_suite(result.suite.name)
    if held_out_trained_on(trained_on, suite):
        return "trained on held-out"
    own = all(env_of_suite(name.partition("/")[0]) == suite.env for name in trained_on)
    return "trained" if own else "trained elsewhere"


def _is_papers(result: Result) -> bool:
    """Return whether a reflector asks the paper's question: for the whole prompt, in two sections."""
    return result.reflector.name == PAPER_REFLECTOR


def _without_run(rows: Sequence[PaperRow]) -> Iterator[PaperRow]:
    """Yield a row for each figure of the paper, in the suites of the rows, that no row has."""
    suites = {row.suite for row in rows}
    shown = {(row.suite, row.family, row.batch_size, row.arm) for row in rows if row.paper is not None}
    for (suite, family, batch_size), figures in VALIDATION.items():
        for arm, figure in figures.items():
            if suite in suites and (suite, family, batch_size, arm) not in shown:
                yield PaperRow(
                    suite=suite,
                    family=family,
                    role=load_suite(suite).families[family].role,
                    batch_size=batch_size,
                    arm=arm,
                    reflector="",
                    trained_on="",
                    paper=figure,
                    validation=None,
                    test=None,
                    test_low=None,
                    test_high=None,
                    loops=None,
                    run="",
                )


def _check_comparable(results: Mapping[str, Result]) -> None:
    """Check that runs on one suite differ only in their reflector, families and batch size."""
    first: dict[str, str] = {}
    first_of_size: dict[tuple[str, int], str] = {}
    for name, result in results.items():
        references = (
            (first.setdefault(result.suite.name, name), MAY_DIFFER_BETWEEN_SIZES),
            (first_of_size.setdefault((result.suite.name, result.sizes.batch_size), name), ("families",)),
        )
        for reference, may_differ in references:
            for what, (expected, value) in disagreements((results[reference], result)):
                if what not in may_differ:
                    raise ConfigError(
                        f"{reference} and {name} do not belong to one table: {what} is {expected} in the first and "
                        f"{value} in the second; name the runs of one setup"
                    )

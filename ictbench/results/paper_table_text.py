"""The paper's table as text, with what a reader must know to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.paper_figures import MODEL
from ictbench.results.paper_table import cross_wins, differences_from_paper, late_prompts, prompts_that_differ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ictbench.results.paper_table import PaperRow
    from ictbench.results.schema import Result

TITLE = "Success in percent: the paper's figures, and those of these runs"
HEAD = ("suite", "family", "k", "prompts", "reflector", "paper", "validation", "test [95 %]", "loops")

LEGEND = (
    f"paper: validation success of {MODEL} in arXiv 2605.20477, as readers of the paper report it; empty: not known.",
    "validation: of the best prompt on the tasks on which it was chosen, as in the paper; biased upwards.",
    "test: of the same prompt on tasks that were neither reflected on nor used to choose it.",
    "The setups differ in more than the models: see docs/paper.md.",
)


def text_rows(rows: Sequence[PaperRow]) -> list[list[str]]:
    """Return the cells of the table as text."""
    return [
        [
            row.suite,
            row.family,
            str(row.batch_size),
            f"{row.arm}: {row.trained_on}" if row.arm in ("trained elsewhere", "trained on held-out") else row.arm,
            row.reflector if row.run else "(no run)",
            _percent(row.paper),
            _percent(row.validation),
            _with_interval(row),
            "" if row.loops is None else str(row.loops),
        ]
        for row in rows
    ]


def notes(rows: Sequence[PaperRow], results: Mapping[str, Result]) -> Iterator[str]:
    """Yield the legend, the paper's other statements next to these runs, and how the runs depart from the paper."""
    yield from LEGEND
    for statement in (late_prompts(results.values()), cross_wins(rows)):
        if statement:
            yield statement
    departures = list(differences_from_paper(results))
    if departures:
        yield "NOT the paper's setup, so not a replication of its figures:"
        yield from (f"- {departure}" for departure in departures)
    yield from (f"Not repeatable: {text}" for text in prompts_that_differ(results))


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _with_interval(row: PaperRow) -> str:
    if row.test is None or row.test_low is None or row.test_high is None:
        return _percent(row.test)
    return f"{row.test:.1f} [{row.test_low:.1f}, {row.test_high:.1f}]"

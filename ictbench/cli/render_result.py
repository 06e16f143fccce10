"""Results and trajectories on the terminal. Text from games and models is printed with markup off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ictbench.cli.terminal_table import add_row, grid
from ictbench.results.formatting import signed
from ictbench.results.notes import remarks
from ictbench.results.tables import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Episode
    from ictbench.results.schema import Behaviour, Measures, Result
    from ictbench.runs import Run

COLUMNS = ("family", "role", "base", "best", "last", "gain [95 %]", "invalid", "errors")


def print_result(run: Run) -> None:
    """The table of a run, what to know about it, and where its files are."""
    console = Console()
    result = run.result
    console.print(
        _text(
            f"{result.suite.name}, profile {result.profile}: reflector {result.reflector.label}, "
            f"actor {result.actor.label}; success on test tasks"
        ),
        soft_wrap=True,
    )
    console.print(_table(result))
    for line in [*remarks(result), *_cost(result)]:
        console.print(_text(line), soft_wrap=True)
    console.print(_text(f"Files: {run.folder}"), soft_wrap=True)


def print_bounds(bounds: dict[str, int]) -> None:
    """What a dry run found."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, count in bounds.items():
        table.add_row(name.replace("_", " "), f"at most {count:,}")
    Console().print(table)


def episode_pages(episode: Episode) -> Iterator[str]:
    """One trajectory as pages of plain text: what was shown, thought, proposed and done at each decision."""
    return map(_harmless, _pages(episode))


def _pages(episode: Episode) -> Iterator[str]:
    trajectory = episode.trajectory
    steps = trajectory.steps
    end = trajectory.end + (f" ({trajectory.failure})" if trajectory.failure else "")
    yield f"{episode.key}: {end} after {len(steps)} decisions, total reward {trajectory.total_reward:g}\n"
    for number, step in enumerate(steps, 1):
        lines = [f"── decision {number} of {len(steps)} ──", step.observation.rstrip(), ""]
        if step.thought:
            lines.append(f"thought:  {step.thought}")
        lines.append(f"proposed: {'(no action)' if step.proposed is None else step.proposed}")
        keys = f"   further keys: {' '.join(map(repr, step.keys))}" if step.keys else ""
        lines.append(f"executed: {step.executed or '(invalid)'}{keys}")
        lines.append(f"reward:   {step.reward:g}")
        yield "\n".join(lines) + "\n"
    yield f"── end: {end} ──\n{trajectory.last_observation.rstrip()}\n"


def _table(result: Result) -> Table:
    table = grid(COLUMNS, left=("family", "role"))
    for family in result.families:
        cells = _cells(family.measures, family.behaviour)
        add_row(table, (family.name, family.role, *cells, str(errors(family))))
    table.add_section()
    for role, measures in result.by_role.items():
        add_row(table, ("mean", role, *_cells(measures, None), ""), "bold" if role == "held-out" else None)
    return table


def _cells(measures: Measures | None, behaviour: Behaviour | None) -> list[str]:
    if measures is None:
        return ["…"] * 5
    levels = [f"{measure.value:.2f}" for measure in (measures.base, measures.best, measures.last)]
    invalid = f"{behaviour.invalid_best.value:.1%}" if behaviour and behaviour.invalid_best else ""
    return [*levels, signed(measures.gain), invalid]


def _cost(result: Result) -> Iterator[str]:
    usage = {role: usage for role, usage in result.cost.items() if usage.calls}
    if usage:
        said = (
            f"{role} {u.calls} calls, {u.input_tokens}+{u.output_tokens} tokens, {_money(u.cost)}"
            for role, u in usage.items()
        )
        yield f"Cost: {'; '.join(said)}."


def _money(cost: float | None) -> str:
    return "price unknown" if cost is None else f"${cost:.4f}"


def _text(line: str) -> Text:
    return Text(line)


def _harmless(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)

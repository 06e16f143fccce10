"""`ictbench demo`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.help_page import RUN, page

if TYPE_CHECKING:
    from ictbench.protocol import LoopResult
    from ictbench.runs import Run

PAGE = page(RUN, "docs/quickstart.md", "ictbench demo", "ictbench demo --out runs/demo --open")

MEANINGS = (
    ("base, best, last", "solved test tasks under the first, best and last prompt"),
    ("gain", "best - base; no prompt was written from these tasks"),
    ("[low, high]", "95 % interval of the gain; more loops make it narrower"),
)


def demo(
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the run; an unfinished demo is continued.", show_default="runs/demo"),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
) -> None:
    """Watch an agent learn NetHack in a minute, without a model and without a key.

    Two small programs, the scripted pair, play eight families of rooms: one follows the prompt, the other rewrites it.
    """
    import ictbench
    from ictbench.cli.live_progress import watch
    from ictbench.cli.program import program
    from ictbench.cli.render_result import print_result
    from ictbench.cli.run import how_to_continue
    from ictbench.cli.terminal_table import add_row, grid, print_line, print_table
    from ictbench.errors import RunError

    folder = out or Path("runs/demo")
    try:
        with watch(False, keep=True) as on_start:
            finished = ictbench.run(out=folder, on_start=on_start)
    except RunError as error:
        raise type(error)(f"{error}. {how_to_continue(folder)}") from error
    print()
    print_result(finished)
    print()
    meanings = grid(("", ""), left=("",), heading=False)
    for row in MEANINGS:
        add_row(meanings, row)
    print_table(meanings)
    family, loop = _best_loop(finished)
    _print_learned_prompt(family, loop)
    report = ictbench.write_report([finished])
    print_line(f"Report with curves, prompts and games: {report}")
    print_line("Next, watch a game under this prompt:")
    print_line(f"  {program()} show {folder} --episode {_solved_key(loop)}")
    if show:
        import webbrowser

        webbrowser.open(report.resolve().as_uri())


def _best_loop(run: Run) -> tuple[str, LoopResult]:
    """Return the loop that gained most on a held-out family, and the family."""
    from ictbench.results.outcomes import levels_of

    held_out = [family for family in run.result.families if family.role == "held-out"]
    return max(
        ((family.name, loop) for family in held_out for loop in family.loops),
        key=lambda named: levels_of(named[1]).gain,
    )


def _solved_key(loop: LoopResult) -> str:
    """Return the key of a test episode that the best prompt solved, or else of any."""
    from ictbench.protocol.loop_episodes import played_tasks

    played = next(played for played in played_tasks(loop) if (played.purpose, played.prompt) == ("test", loop.best))
    keys = list(played.keys(loop.prompts[loop.best].digest))
    return keys[max(0, played.outcomes.find("1"))]


def _print_learned_prompt(family: str, loop: LoopResult) -> None:
    """Print the best prompt of a loop in full, with its gain."""
    from ictbench.cli.terminal_table import print_line
    from ictbench.results.formatting import signed_number
    from ictbench.results.outcomes import levels_of
    from ictbench.visible_text import visible

    levels = levels_of(loop)
    print()
    print_line(
        f"A learned prompt: {family}, loop {loop.index}, after turn {loop.best}: "
        f"base {levels.base:.2f}, best {levels.best:.2f}, gain {signed_number(levels.gain)}",
        "bold",
    )
    print(textwrap.indent(visible(loop.prompts[loop.best].text.rstrip()), "  "))
    print()

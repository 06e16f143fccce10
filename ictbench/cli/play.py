"""`ictbench play`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.help_page import LOOK, page
from ictbench.errors import ConfigError, file_problem

if TYPE_CHECKING:
    from ictbench.suites import Suite

PAGE = page(
    LOOK,
    "docs/runs.md",
    "ictbench play --env minihack --family zap",
    "ictbench play --suite my-suite.yaml --family doors --tasks 5",
)


def play(
    env: Annotated[str | None, typer.Option("--env", help="Environment; its newest suite is played.")] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="Suite by name or YAML file.")] = None,
    family: Annotated[
        str | None, typer.Option("--family", metavar="FAMILY", help="Family to play.", show_default="the first one")
    ] = None,
    tasks: Annotated[int, typer.Option("--tasks", min=1, max=1000, help="Number of tasks to play.")] = 1,
    prompt: Annotated[
        Path | None,
        typer.Option("--prompt", metavar="FILE", help="Prompt to read first.", show_default="the suite's own prompt"),
    ] = None,
) -> None:
    """Play tasks yourself, as an agent does: the same texts, actions, limit and rules on invalid actions.

    Type one of the available actions, and `quit` to stop. Tasks are those of the experience of a run's first loop.
    Nothing is recorded.
    """
    from ictbench.cli.terminal_player import Quit, play_in_terminal
    from ictbench.cli.terminal_table import print_line
    from ictbench.runs.find_suite import find_suite
    from ictbench.runs.options import Options
    from ictbench.visible_text import visible

    loaded, notes = find_suite(Options.parse({"env": env, "suite": suite}))
    chosen = _family(loaded, family)
    text = _read(prompt) if prompt else loaded.prompt
    for note in notes:
        print_line(note)
    print(visible(text))
    solved = played = 0
    try:
        for task in loaded.experience_order(chosen, 0, tasks):
            played += 1
            print(f"\n── task {played} of {tasks} ({chosen}) ──")
            episode = play_in_terminal(loaded, task, text)
            end, decisions = episode.trajectory.end, len(episode.trajectory.steps)
            print(f"\n{visible(episode.trajectory.last_observation.rstrip())}\n\n{end} after {decisions} decisions")
            solved += episode.trajectory.solved
    except Quit:
        played -= 1
    print(f"\nSolved: {solved} of {played}")


def _family(suite: Suite, name: str | None) -> str:
    if name is None:
        return next(iter(suite.families))
    if name not in suite.families:
        from ictbench.plugins import suggest

        raise ConfigError(f"{name!r} is not a family of {suite.name}; {suggest(name, suite.families)}")
    return name


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--prompt {str(path)!r} cannot be read: {file_problem(error)}") from error

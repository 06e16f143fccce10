"""`ictbench play`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.help_page import LOOK, page
from ictbench.errors import ConfigError, InfrastructureError, RunError, RunInterruptedError, file_problem, stopped_by

if TYPE_CHECKING:
    from ictbench.runs.plan import RunPlan
    from ictbench.suites import Suite

PAGE = page(
    LOOK,
    "docs/runs.md",
    "ictbench play --env minihack --family zap",
    "ictbench play --suite my-suite.yaml --family doors --tasks 5",
    "ictbench play --env minihack --family zap --out runs/me",
)

RECORD = "Human baseline"


def play(
    env: Annotated[str | None, typer.Option("--env", help="Environment; its newest suite is played.")] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="Suite by name or YAML file.")] = None,
    family: Annotated[
        str | None,
        typer.Option(
            "--family",
            metavar="FAMILY",
            help="Family to play. With --out also several, separated by commas, or held-out, meta-train, all.",
            show_default="the first one",
        ),
    ] = None,
    tasks: Annotated[
        int | None,
        typer.Option(
            "--tasks",
            min=1,
            max=1000,
            help="Number of tasks to play; with --out, number of test tasks per loop.",
            show_default="1, with --out 5",
        ),
    ] = None,
    prompt: Annotated[
        Path | None,
        typer.Option("--prompt", metavar="FILE", help="Prompt to read first.", show_default="the suite's own prompt"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the run that holds what you play; a folder of the same run is continued.",
            rich_help_panel=RECORD,
            show_default="nothing is recorded",
        ),
    ] = None,
    loops: Annotated[
        int | None,
        typer.Option(
            "--loops",
            min=1,
            max=1000,
            help="Loops per family; fewer than 3 have no intervals.",
            rich_help_panel=RECORD,
            show_default="3",
        ),
    ] = None,
    player: Annotated[
        str | None,
        typer.Option("--player", metavar="NAME", help="Your name, for the record.", rich_help_panel=RECORD),
    ] = None,
) -> None:
    """Play tasks yourself, as an agent does: the same texts, actions, limit and rules on invalid actions.

    Type an available action or the beginning of one; `quit` stops. With --out, what you play becomes a run of the actor
    `human`, which show, report, compare and verify read. Two practice tasks per loop come first, and test tasks last.
    Without --out nothing is recorded, and tasks are those of the experience of a run's first loop.
    """
    if out is not None:
        _record(env, suite, family, tasks, prompt, out, loops, player or "")
        return
    for name, value in (("--loops", loops), ("--player", player)):
        if value is not None:
            raise ConfigError(f"{name} {value} is for a recorded run: add --out FOLDER, or leave it out")
    _practise(env, suite, family, tasks or 1, prompt)


def _practise(env: str | None, suite: str | None, family: str | None, tasks: int, prompt: Path | None) -> None:
    """Play without a record."""
    from ictbench.actors.person import person
    from ictbench.cli.terminal_player import HELP, Quit, TerminalPlayer, require_input
    from ictbench.cli.terminal_table import print_line
    from ictbench.records import EpisodeSpec
    from ictbench.runs.find_suite import find_suite
    from ictbench.runs.options import Options
    from ictbench.runs.person_run import Place
    from ictbench.visible_text import visible

    require_input()
    loaded, notes = find_suite(Options.parse({"env": env, "suite": suite}))
    chosen = _family(loaded, family)
    text = _read(prompt) if prompt else loaded.prompt
    for note in notes:
        print_line(note)
    print(f"{visible(text)}\n")
    print_line(HELP)
    at_terminal, solved = TerminalPlayer(), 0
    try:
        for number, task in enumerate(loaded.first_tasks(chosen, tasks), 1):
            spec = EpisodeSpec(task=task, prompt=text, actor=person(), max_steps=loaded.limits.max_steps, seed=0)
            solved += at_terminal.play(spec, Place(chosen, "practice", number, tasks)).trajectory.solved
    except Quit:
        pass
    except KeyboardInterrupt as error:
        raise RunInterruptedError(f"{stopped_by(error)}; nothing is recorded without --out") from error
    finally:
        at_terminal.close()
    print(f"\nSolved: {solved} of {at_terminal.played}")


def _record(
    env: str | None,
    suite: str | None,
    family: str | None,
    tasks: int | None,
    prompt: Path | None,
    out: Path,
    loops: int | None,
    name: str,
) -> None:
    """Play a run, and print its result."""
    from ictbench.cli.program import program
    from ictbench.cli.render_result import print_result
    from ictbench.cli.run import how_to_continue
    from ictbench.cli.terminal_player import HELP, Quit, TerminalPlayer, require_terminal
    from ictbench.cli.terminal_table import print_line
    from ictbench.runs.person_run import LOOPS, TEST_TASKS, plan_person_run, play_person_run
    from ictbench.runs.run_folder import RunFolder
    from ictbench.user_folders import expand_home
    from ictbench.visible_text import visible

    require_terminal()
    if prompt:
        _read(prompt)
    plan = plan_person_run(
        env=env,
        suite=suite,
        families=family,
        loops=loops or LOOPS,
        test_size=tasks or TEST_TASKS,
        start_prompt=prompt,
        name=name,
    )
    folder, at_terminal = RunFolder(expand_home(out)), TerminalPlayer()
    for note in plan.notes:
        print_line(note)
    for text in {plan.start_prompts.get(family, plan.suite.prompt): None for family in plan.families}:
        print(f"{visible(text)}\n")
    print_line(HELP)
    try:
        run = play_person_run(plan, folder, at_terminal)
    except Quit:
        print_line(f"{_kept(plan, folder.path, unfinished=at_terminal.playing)}. {how_to_continue(out)}")
        return
    except KeyboardInterrupt as error:
        kept = _kept(plan, folder.path, unfinished=at_terminal.playing)
        raise RunInterruptedError(f"{stopped_by(error)}; {kept}. {how_to_continue(out)}") from error
    except (RunError, InfrastructureError) as error:
        kept = _kept(plan, folder.path, unfinished=at_terminal.playing)
        raise RunError(f"{error}; {kept}. {how_to_continue(out)}") from error
    finally:
        at_terminal.close()
    print_result(run)
    agent = f"{out}-agent"
    print_line(f"To compare with an agent on the same tasks: {_same_tasks(plan)} --out {shlex.quote(agent)}")
    print_line(
        f"Then: {program()} compare --force {shlex.join([str(out), agent])} (--force: the actors differ, so the table "
        "compares the two players' success, not two reflectors)"
    )


def _kept(plan: RunPlan, folder: Path, *, unfinished: bool) -> str:
    """Say what the folder of a run that stopped holds."""
    from ictbench.runs import load_run
    from ictbench.runs.person_run import episode_count

    discarded = ", the unfinished one is discarded" if unfinished else ""
    return f"{load_run(folder).state.episodes} of {episode_count(plan)} episodes are recorded in {folder}{discarded}"


def _same_tasks(plan: RunPlan) -> str:
    """Return the command of a run whose loops have the same tasks."""
    from ictbench.cli.program import program

    sizes = plan.sizes
    words = ["--suite", plan.options.suite or plan.suite.name, "--families", ",".join(plan.families)]
    words += ["--turns", "1", "--batch-size", "1", "--selection-size", "1"]
    words += ["--test-size", str(sizes.test_size), "--loops", str(sizes.loops), "--reflector", "none"]
    if plan.options.start_prompt:
        words += ["--start-prompt", plan.options.start_prompt]
    return f"{program()} run {shlex.join(words)} --actor ACTOR"


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

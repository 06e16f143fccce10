"""The `ictbench` command: its subcommands, version, errors and exit codes."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperArgument

from ictbench._version import __version__
from ictbench.cli import (
    campaign,
    check,
    compare,
    data,
    demo,
    doctor,
    export,
    leaderboard,
    learned,
    models,
    new,
    openenv,
    paper_table,
    play,
    power,
    prompts,
    report,
    rerun,
    run,
    runs,
    show,
    submit,
    tasks,
    train,
    transfer,
    transfer_prompts,
    verify,
)
from ictbench.cli.help_page import Group, argument_name, page
from ictbench.cli.stop_signals import exit_code, interrupt, stopping_on_signals
from ictbench.cli.terminal import safe_output
from ictbench.cli.unknown_variables import variables_behind
from ictbench.errors import IctbenchError, RunInterruptedError, UsageError, stopped_by
from ictbench.plugins import suggest
from ictbench.visible_text import joined_lines

MISUSE: Any = typer.BadParameter.__mro__[1]
"""Base of the parser's errors for wrong arguments, which typer does not export."""

INTERRUPTED = 130
"""Exit code for Ctrl-C, of typer and of ours."""

PROFILES = "lite, standard (suites of the paper's experiments: standard-k5, too)"
"""Profiles as an error message lists them: not every suite has the last one."""

app = typer.Typer(
    **page(
        None,
        "docs/command-line.md",
        "ictbench run --env minihack",
        "ictbench tasks list",
        "ictbench doctor",
        cls=Group,
    ),
    name="ictbench",
    help="Measure how well language agents learn from experience: an actor plays, a reflector rewrites its prompt, "
    "and the gain on tasks that were never reflected on is reported.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", **run.PAGE)(run.run)
app.command("campaign", **campaign.PAGE)(campaign.campaign)
app.command("runs", **runs.PAGE)(runs.runs)
app.command("demo", **demo.PAGE)(demo.demo)
app.command("show", **show.PAGE)(show.show)
app.command("play", **play.PAGE)(play.play)
app.command("prompts", **prompts.PAGE)(prompts.prompts)
app.command("report", **report.PAGE)(report.report)
app.command("compare", **compare.PAGE)(compare.compare)
app.command("learned", **learned.PAGE)(learned.learned)
app.command("power", **power.PAGE)(power.power)
app.command("check", **check.PAGE)(check.check)
app.command("export", **export.PAGE)(export.export)
app.command("transfer", **transfer.PAGE)(transfer.transfer)
app.command("transfer-prompts", **transfer_prompts.PAGE)(transfer_prompts.transfer_prompts)
app.command("paper-table", **paper_table.PAGE)(paper_table.paper_table)
app.command("submit", **submit.PAGE)(submit.submit)
app.command("verify", **verify.PAGE)(verify.verify)
app.command("new", **new.PAGE)(new.new)
app.command("openenv", **openenv.PAGE)(openenv.openenv)
app.command("rerun", **rerun.PAGE)(rerun.rerun)
app.command("doctor", **doctor.PAGE)(doctor.doctor)
app.add_typer(tasks.app, name="tasks", **tasks.PAGE)
app.add_typer(data.app, name="data", **data.PAGE)
app.add_typer(models.app, name="models", **models.PAGE)
app.add_typer(leaderboard.app, name="leaderboard", **leaderboard.PAGE)
app.add_typer(train.app, name="train", **train.PAGE)


@app.callback()
def _main(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=lambda v: _print(v))
    ] = False,
) -> None:
    """Define the options that precede a subcommand."""


def main() -> None:
    """Run the command line. Expected errors take one line; ICTBENCH_TRACEBACK=1 shows their traceback."""
    with stopping_on_signals(), safe_output():
        _run()


def _run() -> None:
    try:
        code = app(standalone_mode=False, prog_name="ictbench")
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        sys.exit(code)
    except RunInterruptedError as error:
        _fail(str(error), exit_code(default=INTERRUPTED))
    except IctbenchError as error:
        if os.environ.get("ICTBENCH_TRACEBACK"):
            raise
        if isinstance(error, UsageError):
            _fail(f"{_with_flag(str(error))}{variables_behind(str(error))}", 2)
        _fail(str(error), 1)
    except MISUSE as error:
        if message := _misuse_message(error):
            _fail(f"{message}{' See' if message.endswith('?') else '; see'} {_command_of(error)} --help", 2)
        sys.exit(2)  # a group without a command has printed its help page
    except (OSError, sqlite3.Error) as error:
        if os.environ.get("ICTBENCH_TRACEBACK"):
            raise
        _fail(f"{type(error).__name__}: {error}; everything recorded so far is kept", 1)
    except (KeyboardInterrupt, typer.Abort):
        _fail(f"{stopped_by(interrupt())} before anything was played", exit_code(default=INTERRUPTED))


def _fail(line: str, code: int) -> None:
    print(f"ictbench: {joined_lines(line)}", file=sys.stderr)
    sys.exit(code)


def _with_flag(message: str) -> str:
    """Return a message about an option with the name of its flag, as the parser names it."""
    return re.sub(r"^option (\w+)", lambda match: f"--{match[1].replace('_', '-')}", message)


def _misuse_message(error: Any) -> str:
    """Return the parser's message, with the rejected value and its origin where the parser leaves them out."""
    origin = _origin(error)
    if error.__cause__ is not None and error.param is not None:
        from pydantic import ValidationError

        from ictbench.validation import describe

        if isinstance(error.__cause__, ValidationError):
            problem = describe(error.__cause__.errors(include_url=False)[0])
            if problem.endswith(" is not a number") and str(getattr(error.param, "help", "")).startswith("Seconds"):
                problem += " of seconds"
            return f"{error.param.opts[-1]}: {problem}{f' (from {origin})' if origin else ''}"
    if hasattr(error, "possibilities") and (option := getattr(error, "option_name", None)):
        known = [name for parameter in error.ctx.command.params for name in parameter.opts]
        return f"{option} is not an option of {error.ctx.command_path}; {suggest(option, known)}"
    if isinstance(parameter := getattr(error, "param", None), TyperArgument) and not error.message:
        return f"Missing argument {argument_name(parameter)}"
    message = error.format_message().rstrip(".").replace("lite, standard, standard-k5", PROFILES)
    return f"{message} (from {origin})" if origin else message


def _command_of(error: Any) -> str:
    """Return the command whose help page explains a misuse."""
    context = getattr(error, "ctx", None)
    return str(context.command_path) if context else "ictbench"


def _origin(error: Any) -> str:
    """Return where a rejected value comes from; empty if it is from the command line."""
    parameter, context = getattr(error, "param", None), getattr(error, "ctx", None)
    if parameter is None or context is None:
        return ""
    if any(word.partition("=")[0] in parameter.opts for word in sys.argv[1:]):
        return ""
    if parameter.envvar and parameter.envvar in os.environ:
        return str(parameter.envvar)
    return "the config file" if context.default_map and parameter.name in context.default_map else ""


def _print(version: bool) -> None:
    if version:
        print(f"ictbench {__version__}")
        raise typer.Exit

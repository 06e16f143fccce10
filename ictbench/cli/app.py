"""The `ictbench` command and what all its commands share: version, errors, exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from ictbench import __version__
from ictbench.cli import doctor, run, show, tasks
from ictbench.errors import IctbenchError, UsageError

app = typer.Typer(
    name="ictbench",
    help="Measure how well language agents learn from experience: an actor plays, a reflector rewrites its prompt, "
    "and what counts is how much better the actor becomes on tasks it has never seen.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("show")(show.show)
app.command("doctor")(doctor.doctor)
app.add_typer(tasks.app, name="tasks")


@app.callback()
def _main(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=lambda v: _print(v))
    ] = False,
) -> None:
    """Options that come before any command."""


def main() -> None:
    """Run the command line. Errors we foresee take one line; ICTBENCH_TRACEBACK=1 shows where they arose."""
    try:
        app()
    except IctbenchError as error:
        if os.environ.get("ICTBENCH_TRACEBACK"):
            raise
        print(f"ictbench: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)


def _print(version: bool) -> None:
    if version:
        print(f"ictbench {__version__}")
        raise typer.Exit

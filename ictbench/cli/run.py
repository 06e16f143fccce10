"""`ictbench run`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ictbench.cli.command_options import option, read_config, takes_run_options
from ictbench.cli.help_page import RUN, page
from ictbench.cli.program import continue_with, program
from ictbench.errors import CompleteRunInterruptedError, ConfigError, RunError, RunInterruptedError, stopped_by
from ictbench.runs.option import OUTPUT

if TYPE_CHECKING:
    from ictbench.results import Result
    from ictbench.runs import Run


PAGE = page(
    RUN,
    "docs/runs.md",
    "ictbench run --env minihack",
    "ictbench run --reflector openai/gpt-4.1-mini --profile lite --dry-run",
    "ictbench run --reflector openai/gpt-4.1-mini --profile lite --out runs/mini",
    "ictbench run --reflector none --actor rules --families eat,zap --loops 6",
)


@takes_run_options("run")
def run(
    out: Annotated[
        Path | None,
        option(
            "--out",
            "Folder of the run; a folder of the same run is continued.",
            rich_help_panel=OUTPUT,
            show_default="a new folder in runs/",
        ),
    ] = None,
    as_json: Annotated[
        bool, option("--json", "Make the last line of the output JSON.", rich_help_panel=OUTPUT)
    ] = False,
    quiet: Annotated[bool, option("--quiet", "No progress, no table.", rich_help_panel=OUTPUT)] = False,
    dry_run: Annotated[
        bool,
        option(
            "--dry-run",
            "Check everything, print the maximum counts and an estimate of the cost, and stop.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    ask: Annotated[
        bool,
        option("--ask", "With --dry-run: ask each model a few times, to measure its replies.", rich_help_panel=OUTPUT),
    ] = False,
    config: Annotated[
        Path | None,
        option("--config", "YAML file of these options.", is_eager=True, callback=read_config),
    ] = None,
    **options: Any,
) -> None:
    """Run the protocol (play, reflect, select, test), then print the result and the folder of its files.

    Every option is also an environment variable (--batch-size: ICTBENCH_BATCH_SIZE) and a key of the --config file.
    """
    import ictbench
    from ictbench.cli.live_progress import watch
    from ictbench.cli.render_dry_run import print_dry_run
    from ictbench.cli.render_result import print_result
    from ictbench.cli.terminal import print_json

    if dry_run:
        planned = ictbench.dry_run(ask=ask, **options)
        if not quiet:
            print_dry_run(planned)
        if as_json:
            print_json(planned.model_dump_json())
        return
    if ask:
        raise ConfigError("--ask measures replies for the estimate of --dry-run: add --dry-run")
    finished: Run | None = None
    try:
        with watch(quiet) as on_start:
            finished = ictbench.run(out=out, on_start=on_start, **options)
        if not quiet:
            print_result(finished)
        if as_json:
            print(json.dumps(_summary(finished)))
    except CompleteRunInterruptedError as error:
        raise CompleteRunInterruptedError(f"{error}. {_how_to_show(out or on_start.folder)}") from error
    except RunError as error:
        folder = on_start.folder
        raise type(error)(f"{error}. {how_to_continue(folder)}") from error
    except KeyboardInterrupt as error:
        if finished is None:
            raise
        ended = f"{stopped_by(error)} after the run had ended; everything is recorded in {finished.folder}"
        raise RunInterruptedError(f"{ended}. {_how_to_show(finished.folder)}") from error
    if not finished.result.complete:
        raise RunError(f"the run is incomplete: {_owed(finished.result)}. {how_to_continue(finished.folder)}")


def _how_to_show(folder: Path | None) -> str:
    return f"Show it with: {program()} show {shlex.quote(str(folder))}"


def how_to_continue(folder: Path | None) -> str:
    """Return the command that continues this one."""
    if folder is None or not folder.exists():
        return "Nothing was played; the same command starts again"
    arguments = sys.argv[1:]
    if not any(word == "--out" or word.startswith("--out=") for word in arguments):
        arguments = [*arguments, "--out", str(folder)]
    return continue_with(arguments)


def _owed(result: Result) -> str:
    reasons = f" ({'; '.join(result.host.troubles)})" if result.host.troubles else ""
    return f"{result.owed} episodes or reflections are owed{reasons}"


def _summary(finished: Run) -> dict[str, Any]:
    """Return the summary that --json prints."""
    from ictbench.results.failures import failure_counts

    result = finished.result
    failed, unusable = failure_counts(result.families)
    return {
        "run": str(finished.folder),
        "complete": result.complete,
        "owed": result.owed,
        "ranked": result.ranked,
        "failed_episodes": dict(failed),
        "failed_reflections": dict(unusable),
        "seconds": round(result.host.seconds, 3),
        "families": {f.name: f.measures and f.measures.model_dump(mode="json") for f in result.families},
        "by_role": {role: measures.model_dump(mode="json") for role, measures in result.by_role.items()},
    }

"""`ictbench leaderboard`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ictbench.cli import leaderboard_log, leaderboard_pending, leaderboard_show, leaderboard_site
from ictbench.cli.help_page import PUBLISH, Group, page
from ictbench.cli.leaderboard_site import DEFAULT_FOLDER, Cache, Leaderboards

app = typer.Typer(no_args_is_help=True)
PAGE = page(
    PUBLISH,
    "docs/leaderboard.md",
    "ictbench leaderboard show minihack-v1",
    "ictbench leaderboard serve leaderboards",
    cls=Group,
    help="Check, build and show leaderboards.",
)
app.command("show", **leaderboard_show.PAGE)(leaderboard_show.show)
app.command("build", **leaderboard_site.BUILD_PAGE)(leaderboard_site.build)
app.command("serve", **leaderboard_site.SERVE_PAGE)(leaderboard_site.serve)
app.command("log", **leaderboard_log.PAGE)(leaderboard_log.log)
app.command("pending", **leaderboard_pending.PAGE)(leaderboard_pending.pending)


@app.command(
    **page(
        None,
        "docs/leaderboard.md",
        "ictbench leaderboard validate leaderboards",
        "ictbench leaderboard validate leaderboards --submission rules",
    )
)
def validate(
    leaderboards: Leaderboards = DEFAULT_FOLDER,
    submission: Annotated[
        str | None, typer.Option("--submission", metavar="SLUG", help="Check only the submissions of this name.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="COMMIT",
            help="Also check that the changes since this commit are exactly one new submission.",
        ),
    ] = None,
    maintainer: Annotated[
        bool, typer.Option("--maintainer", help="With --base: allow every change except of existing lines of a log.")
    ] = False,
    cache: Cache = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as a JSON list.")] = False,
) -> None:
    """Check submissions without playing: files, schema, digests, tasks, prompts, measures, leaks.

    Only data is read; nothing in a submission is imported or run. Submissions that have passed, and that have not
    changed since, are not checked again by the same version. Each problem is one line. Exit code 1: there is a problem.
    """
    from ictbench.board.finding_cache import open_cache
    from ictbench.board.validate import validate as find_problems
    from ictbench.board.validate import validate_changes
    from ictbench.cli.step_progress import show_steps

    findings = open_cache(cache, leaderboards)
    problems = [] if base is None else list(validate_changes(leaderboards, base, maintainer=maintainer))
    if not problems:  # a change that is not allowed could allow others, such as new hosts of evidence
        with show_steps() as on_progress:
            problems += find_problems(leaderboards, submission, findings=findings, on_progress=on_progress)
    if as_json:
        print(json.dumps([problem._asdict() for problem in problems], indent=1))
    else:
        for problem in problems:
            print(problem)
    if problems:
        raise typer.Exit(1)
    if not as_json:
        print(f"{leaderboards}: no problems")

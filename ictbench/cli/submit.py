"""`ictbench submit`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ictbench.submissions.build_submission import Draft, Submitted

SAID, PLAYERS, OUTPUT = "The entry", "Reflector and actor", "Output"


class Weights(StrEnum):
    """Who can get a model's weights."""

    OPEN = "open"
    CLOSED = "closed"


def submit(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    leaderboard: Annotated[
        Path, typer.Option("--leaderboard", metavar="LEADERBOARDS", help="Folder of the boards, one a suite.")
    ] = Path("leaderboards"),
    name: Annotated[
        str, typer.Option("--name", help="Of the entry, as the board shows it.", rich_help_panel=SAID)
    ] = "",
    description: Annotated[
        str, typer.Option("--description", help="What it is, in a few sentences.", rich_help_panel=SAID)
    ] = "",
    url: Annotated[
        list[str] | None,
        typer.Option("--url", help="https://… of a paper, code or weights; up to five.", rich_help_panel=SAID),
    ] = None,
    submitted_by: Annotated[str, typer.Option("--submitted-by", help="Who you are.", rich_help_panel=SAID)] = "",
    slug: Annotated[
        str | None,
        typer.Option("--slug", help="Folder of the submission.", show_default="from the name", rich_help_panel=SAID),
    ] = None,
    unranked: Annotated[
        bool,
        typer.Option(
            "--unranked", help="For maintainers: any profile, shown apart and never ranked.", rich_help_panel=SAID
        ),
    ] = False,
    reflector_trained_on: Annotated[
        str,
        typer.Option(
            "--reflector-trained-on",
            help="SUITE/FAMILY, SUITE/meta-train, SUITE, other:NAME, several with commas; or nothing; or unknown.",
            show_default="what the result says",
            rich_help_panel=PLAYERS,
        ),
    ] = "",
    reflector_weights: Annotated[
        Weights | None,
        typer.Option("--reflector-weights", help="Whether anyone can get its weights.", rich_help_panel=PLAYERS),
    ] = None,
    actor_weights: Annotated[
        Weights | None,
        typer.Option("--actor-weights", help="Whether anyone can get its weights.", rich_help_panel=PLAYERS),
    ] = None,
    reflector_revision: Annotated[
        str | None,
        typer.Option(
            "--reflector-revision",
            help="Of its weights or service.",
            show_default="what the result says",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    actor_revision: Annotated[
        str | None,
        typer.Option(
            "--actor-revision",
            help="Of its weights or service.",
            show_default="what the result says",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    git: Annotated[
        bool, typer.Option("--git/--no-git", help="Make a branch, or just the folder.", rich_help_panel=OUTPUT)
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be made, and stop.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Make a leaderboard submission of a run, check it as the board will, and say how to hand it in.

    In a git checkout it goes to a branch of its own; your files, index and branch stay as they are.
    """
    import ictbench
    from ictbench.board.validate import check_submission
    from ictbench.submissions import build_submission
    from ictbench.submissions.metadata import Statement

    statement = Statement(
        name=name,
        description=description,
        links=tuple(url or ()),
        submitted_by=submitted_by,
        trained_on=tuple(part for part in reflector_trained_on.split(",") if part),
        reflector_weights=_value(reflector_weights),
        actor_weights=_value(actor_weights),
        reflector_revision=reflector_revision,
        actor_revision=actor_revision,
    )
    draft = build_submission.draft(ictbench.load_run(run), leaderboard, statement, slug, unranked=unranked)
    if draft.missing:
        print(f"ictbench: {run} cannot be submitted yet:", file=sys.stderr)
        for what in draft.missing:
            print(f"- {what}", file=sys.stderr)
        raise typer.Exit(2)
    if dry_run:
        _print_draft(draft)
    else:
        _print_made(build_submission.submit(draft, check_submission, git=git))


def _value(weights: Weights | None) -> Literal["open", "closed"] | None:
    return None if weights is None else weights.value


def _print_draft(draft: Draft) -> None:
    from ictbench.submissions.build_submission import submission_files

    files = submission_files(draft)
    print(f"would make {draft.folder.path}:")
    for name, content in files.items():
        print(f"  {name:22}{len(content):>12,} bytes")
    print(files["submission.json"].decode(), end="")


def _print_made(made: Submitted) -> None:
    size = sum(made.sizes.values()) / 1e6
    place = f"on branch {made.branch}" if made.branch else "in that folder"
    print(f"made {made.folder.path}, {place}: {len(made.sizes)} files, {size:.1f} MB, checked as the board will")
    print(f"digest {made.submission.digest}")
    if made.branch:
        print(f"look at it:   git show --stat {made.branch}")
        print(f"hand it in:   git push origin {made.branch}   (to your fork of the board)")
        print("              and open a pull request from that branch: git push prints the address, or")
        print(f"              gh pr create --head {made.branch} --fill")
    else:
        print("hand it in:   copy it into a git checkout of the board, to the same place; commit it, and nothing else,")
        print("              on a branch of its own, push that to your fork, and open a pull request")

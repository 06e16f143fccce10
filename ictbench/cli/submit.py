"""`ictbench submit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ictbench.cli.help_page import PUBLISH, page
from ictbench.cli.option_values import complete_runs
from ictbench.runs.option import OUTPUT, PLAYERS

if TYPE_CHECKING:
    from ictbench.submissions.build_submission import Draft, Submitted

ENTRY = "The entry"

Weights = Literal["open", "closed"]


PAGE = page(
    PUBLISH,
    "docs/leaderboard.md",
    "ictbench submit runs/mini --name Mini --submitted-by Me --dry-run",
)


def submit(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.", autocompletion=complete_runs)],
    leaderboard: Annotated[
        Path, typer.Option("--leaderboards", metavar="LEADERBOARDS", help="Folder of the boards, one per suite.")
    ] = Path("leaderboards"),
    name: Annotated[str, typer.Option("--name", help="Name of the entry on the board.", rich_help_panel=ENTRY)] = "",
    description: Annotated[
        str, typer.Option("--description", help="Description of the entry, in a few sentences.", rich_help_panel=ENTRY)
    ] = "",
    url: Annotated[
        list[str] | None,
        typer.Option("--url", help="https://… of a paper, code or weights; up to five.", rich_help_panel=ENTRY),
    ] = None,
    submitted_by: Annotated[str, typer.Option("--submitted-by", help="Your name.", rich_help_panel=ENTRY)] = "",
    slug: Annotated[
        str | None,
        typer.Option("--slug", help="Folder of the submission.", show_default="from the name", rich_help_panel=ENTRY),
    ] = None,
    unranked: Annotated[
        bool,
        typer.Option(
            "--unranked", help="For maintainers: any profile; shown separately, never ranked.", rich_help_panel=ENTRY
        ),
    ] = False,
    reflector_trained_on: Annotated[
        str,
        typer.Option(
            "--reflector-trained-on",
            help="Families the reflector was trained on: SUITE/FAMILY, SUITE/meta-train, SUITE, other:NAME, several "
            "separated by commas; or nothing; or unknown.",
            show_default="what the result says",
            rich_help_panel=PLAYERS,
        ),
    ] = "",
    actor_trained_on: Annotated[
        str,
        typer.Option(
            "--actor-trained-on",
            help="Families the actor was trained on, in the same form.",
            show_default="what the result says",
            rich_help_panel=PLAYERS,
        ),
    ] = "",
    reflector_weights: Annotated[
        Weights | None,
        typer.Option("--reflector-weights", help="Whether its weights are public.", rich_help_panel=PLAYERS),
    ] = None,
    actor_weights: Annotated[
        Weights | None,
        typer.Option("--actor-weights", help="Whether its weights are public.", rich_help_panel=PLAYERS),
    ] = None,
    reflector_revision: Annotated[
        str | None,
        typer.Option(
            "--reflector-revision",
            help="Revision of the weights or service.",
            show_default="what the result says",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    actor_revision: Annotated[
        str | None,
        typer.Option(
            "--actor-revision",
            help="Revision of the weights or service.",
            show_default="what the result says",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    trust_code: Annotated[
        bool,
        typer.Option(
            "--trust-code",
            help="Import the reflector's own class for its instruction.",
            rich_help_panel=PLAYERS,
        ),
    ] = False,
    evidence: Annotated[
        str | None,
        typer.Option(
            "--evidence",
            metavar="ADDRESS",
            help="Keep the episodes outside the submission: in the board's own folder (`board`), or at an https://, "
            "s3:// or hf:// address that the board allows.",
            show_default="in the submission",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    git: Annotated[
        bool, typer.Option("--git/--no-git", help="Make a branch, or only the folder.", rich_help_panel=OUTPUT)
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be made, and stop.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Make a leaderboard submission of a run, check it as the board will, and explain how to hand it in.

    In a git checkout, the submission becomes a new branch; your files, index and current branch do not change.
    """
    import ictbench
    from ictbench.board.examine import check_submission
    from ictbench.submissions import build_submission
    from ictbench.submissions.metadata import Statement

    statement = Statement(
        name=name,
        description=description,
        links=tuple(url or ()),
        submitted_by=submitted_by,
        trained_on=tuple(part for part in reflector_trained_on.split(",") if part),
        actor_trained_on=tuple(part for part in actor_trained_on.split(",") if part),
        reflector_weights=reflector_weights,
        actor_weights=actor_weights,
        reflector_revision=reflector_revision,
        actor_revision=actor_revision,
    )
    draft = build_submission.draft(
        ictbench.load_run(run),
        leaderboard,
        statement,
        slug,
        unranked=unranked,
        trust_code=trust_code,
        store=evidence,
    )
    if draft.missing:
        print(f"ictbench: {run} cannot be submitted yet:", file=sys.stderr)
        for problem in draft.missing:
            print(f"- {problem}", file=sys.stderr)
        raise typer.Exit(2)
    if dry_run:
        _print_draft(draft)
    else:
        _print_submitted(build_submission.submit(draft, check_submission, git=git))


def _print_draft(draft: Draft) -> None:
    from ictbench.cli.terminal import print_json
    from ictbench.submissions.build_submission import submission_files
    from ictbench.submissions.move_evidence import elsewhere

    files = submission_files(draft)
    print(f"would make {draft.folder.path}:")
    remaining = files if draft.store is None else elsewhere(files, draft.store)
    for name, content in (files | remaining).items():
        print(f"  {name:22}{len(content):>12,} bytes{'' if name in remaining else f', in {draft.store}'}")
    files |= remaining
    print_json(files["submission.json"].decode().rstrip("\n"))


def _print_submitted(submitted: Submitted) -> None:
    from ictbench.submissions.evidence_location import BOARD

    size = sum(submitted.sizes.values()) / 1e6
    place = f"on branch {submitted.branch}" if submitted.branch else "in that folder"
    print(f"made {submitted.folder.path}, {place}: {len(submitted.sizes)} files, {size:.1f} MB, checked")
    if location := submitted.submission.evidence:
        size = sum(location.sizes.values()) / 1e6
        store = submitted.folder.board.evidence if location.store == BOARD else location.store
        place = ", on the same branch" if location.store == BOARD and submitted.branch else ""
        print(f"evidence in {store}{place}: {len(location.sizes)} files, {size:.1f} MB, read back")
    print(f"digest {submitted.submission.digest}")
    if submitted.branch:
        print(f"look at it:   git show --stat {submitted.branch}")
        print(f"hand it in:   git push origin {submitted.branch}   (to your fork of the board)")
        print("              and open a pull request from that branch: git push prints the address, or")
        print(f"              gh pr create --head {submitted.branch} --fill")
    else:
        what = "it and its files in evidence/" if location and location.store == BOARD else "it"
        print(f"hand it in:   copy {what} to the same place in a git checkout of the board; commit")
        print("              that, and nothing else, on a new branch, push it to your fork, and open a pull request")

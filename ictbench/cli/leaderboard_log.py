"""`ictbench leaderboard log`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ictbench.cli.help_page import page

if TYPE_CHECKING:
    from ictbench.submissions.layout import BoardFolder


Event = Literal["added", "attempted", "corrected", "removed"]


PAGE = page(
    None,
    "docs/leaderboard.md",
    "ictbench leaderboard log leaderboards/minihack-v1",
    "ictbench leaderboard log leaderboards/minihack-v1 added rules --by Me --reason replayed",
)


def log(
    board: Annotated[Path, typer.Argument(help="Folder of the board of one suite, e.g. leaderboards/minihack-v1.")],
    event: Annotated[Event | None, typer.Argument(help="Event to log; none prints the log.", show_default="")] = None,
    slug: Annotated[str | None, typer.Argument(help="Submission concerned.", show_default="")] = None,
    by: Annotated[str, typer.Option("--by", help="Person who did it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Reason for it.")] = "",
) -> None:
    """Print the log of a board, or add a line to it, for maintainers. Existing lines never change."""
    from ictbench.board import board_log as logs
    from ictbench.errors import UsageError
    from ictbench.submissions.layout import BoardFolder
    from ictbench.visible_text import one_line

    folder = BoardFolder(board)
    if event is None:
        for line in logs.read_log(folder.log):
            print(one_line(f"{line.date:%Y-%m-%d} {line.event} {line.slug}, by {line.by}: {line.reason}"))
        return
    if slug is None or not by or not reason:
        raise UsageError(f"to log {event!r}, give the submission, --by and --reason")
    submission = None if event == "removed" else _digest(folder, slug, required=event != "attempted")
    line = logs.append(folder.log, event, slug, by=by, reason=reason, submission=submission)
    print(f"{folder.log}: {line.event} {line.slug}")


def _digest(folder: BoardFolder, slug: str, *, required: bool) -> str | None:
    """Return the digest of a submission, ranked or unranked; None if it is not required and there is no submission."""
    from ictbench.submissions.read_submission import read_content

    places = folder.submission(slug), folder.shown(slug)
    if not required and not any(place.path.exists() for place in places):
        return None
    return read_content(next((place for place in places if place.path.exists()), places[0])).submission.digest

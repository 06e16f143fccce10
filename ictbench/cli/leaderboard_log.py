"""`ictbench leaderboard log`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ictbench.submissions.layout import BoardFolder


class Event(StrEnum):
    """What happened."""

    ADDED = "added"
    ATTEMPTED = "attempted"
    CORRECTED = "corrected"
    REMOVED = "removed"


def log(
    board: Annotated[Path, typer.Argument(help="Folder of one suite's board, e.g. leaderboards/minihack-v1.")],
    event: Annotated[Event | None, typer.Argument(help="What to log; nothing prints the log.", show_default="")] = None,
    slug: Annotated[str | None, typer.Argument(help="The submission that it happened to.", show_default="")] = None,
    by: Annotated[str, typer.Option("--by", help="Who did it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
) -> None:
    """Print the log of a board, or add a line to it: for maintainers. What was added before is never changed."""
    from ictbench.board import board_log as logs
    from ictbench.errors import UsageError
    from ictbench.results.formatting import one_line
    from ictbench.submissions.layout import BoardFolder

    folder = BoardFolder(board)
    if event is None:
        for line in logs.read_log(folder.log):
            print(one_line(f"{line.date:%Y-%m-%d} {line.event} {line.slug}, by {line.by}: {line.reason}"))
        return
    if slug is None or not by or not reason:
        raise UsageError(f"to log {event.value!r}, name the submission, --by and --reason")
    submission = _digest(folder, slug) if event in (Event.ADDED, Event.CORRECTED) else None
    line = logs.append(folder.log, event.value, slug, by=by, reason=reason, submission=submission)
    print(f"{folder.log}: {line.event} {line.slug}")


def _digest(folder: BoardFolder, slug: str) -> str:
    """Of the submission as it lies on the board, or among what it shows unranked."""
    from ictbench.submissions.read_submission import read_submission

    places = folder.submission(slug), folder.shown(slug)
    return read_submission(next((place for place in places if place.path.exists()), places[0])).digest

"""`ictbench leaderboard pending`."""

from __future__ import annotations

from ictbench.cli.help_page import page
from ictbench.cli.leaderboard_site import DEFAULT_FOLDER, Leaderboards

PAGE = page(
    None,
    "docs/leaderboard.md",
    "ictbench leaderboard pending leaderboards",
)


def pending(leaderboards: Leaderboards = DEFAULT_FOLDER) -> None:
    """Print the submissions that the log does not know with their present digest: those to replay, one folder a line.

    A submission that was refused or removed is not pending, even if it returns; one that changed is.
    """
    from ictbench.board.pending import pending as find_pending

    for folder in find_pending(leaderboards):
        print(folder.path)

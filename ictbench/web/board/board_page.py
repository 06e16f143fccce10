"""A suite's page: rankings, families, curves, costs, what is not ranked, the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.board.board_log import head
from ictbench.results.comparison import ROLES
from ictbench.web.board.entry_summary import entry_summary, interval, track_summary
from ictbench.web.board.index_page import title_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.board.entries import Board
    from ictbench.board.ranking import Track
    from ictbench.results import Result
    from ictbench.results.schema import FamilyResult

    Json = dict[str, Any]


def board_document(board: Board, tracks: Sequence[Track]) -> Json:
    """The document of a suite's page. Its curves are packed apart: see `curves_of`."""
    ranked = {one.entry.slug: one for track in tracks for one in track.ranked}
    return {
        "ictbench": __version__,
        "suite": board.suite,
        "title": title_of(board.suite),
        "tracks": list(map(track_summary, tracks)),
        "entries": [entry_summary(entry, ranked.get(entry.slug)) for entry in board.entries],
        "families": _families([entry.result for entry in board.entries]),
        "log": [line.model_dump(mode="json", exclude={"before"}) for line in board.log],
        "log_head": head(board.folder.log),
        "unlogged": [entry.slug for entry in board.unlogged],
    }


def curves_of(track: Track) -> Json:
    """By entry, then by family or mean: success of each prompt on selection tasks, with its interval."""
    return {one.entry.slug: _curves(one.entry.result) for one in track.ranked}


def _curves(result: Result) -> Json:
    means = {f"mean of {role} families": result.by_role[role] for role in ROLES if role in result.by_role}
    families = {family.name: family.measures for family in _held_out_first(result.families) if family.measures}
    return {name: [interval(point) for point in measures.curve] for name, measures in (means | families).items()}


def _families(results: Sequence[Result]) -> list[Json]:
    """All families that any entry has, held-out first."""
    found = {family.name: family for result in results for family in result.families}
    return [
        {"name": family.name, "role": family.role, "note": family.note} for family in _held_out_first(found.values())
    ]


def _held_out_first(families: Iterable[FamilyResult]) -> list[FamilyResult]:
    return sorted(families, key=lambda family: family.role != "held-out")

"""The page of a suite: ranking, families, curves, costs, unranked entries, log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.board.board_log import head
from ictbench.board.prompt_transfers import prompt_transfers
from ictbench.results.comparison import ROLES
from ictbench.web.board.entry_summary import entry_summary, interval_json, track_summary
from ictbench.web.board.index_page import suite_title
from ictbench.web.report.transfer_document import transfer_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Track
    from ictbench.results import Result
    from ictbench.results.prompt_transfer import PromptTransfer
    from ictbench.results.schema import FamilyResult

    Json = dict[str, Any]


def board_document(board: Board, tracks: Sequence[Track]) -> Json:
    """Return the document of a suite's page, without the curves (`track_curves`)."""
    ranked = {ranked.entry.slug: ranked for track in tracks for ranked in track.ranked}
    return {
        "ictbench": __version__,
        "suite": board.suite,
        "title": suite_title(board.suite),
        "tracks": list(map(track_summary, tracks)),
        "entries": [entry_summary(entry, ranked.get(entry.slug)) for entry in board.entries],
        "bad": [{"slug": bad.slug, "reason": bad.reason} for bad in board.bad],
        "families": _families([entry.result for entry in board.entries]),
        "transfers": [entry_transfer(*place) for place in prompt_transfers(board.entries)],
        "log": [line.model_dump(mode="json", exclude={"before"}) for line in board.log],
        "log_head": head(board.folder.log),
        "unlogged": [entry.slug for entry in board.unlogged],
    }


def entry_transfer(source: Entry, played: Entry, transfer: PromptTransfer) -> Json:
    """Return the table of prompts that two entries have in common, with the names and pages of both."""
    names = ({"name": entry.submission.name, "slug": entry.slug} for entry in (source, played))
    return transfer_document(transfer, *names)


def track_curves(track: Track) -> Json:
    """Return selection success of each prompt with its interval, by entry, then by family or mean of a role."""
    return {ranked.entry.slug: _curves(ranked.entry.result) for ranked in track.ranked}


def _curves(result: Result) -> Json:
    means = {f"mean of {role} families": result.by_role[role] for role in ROLES if role in result.by_role}
    families = {family.name: family.measures for family in _held_out_first(result.families) if family.measures}
    return {name: [interval_json(point) for point in measures.curve] for name, measures in (means | families).items()}


def _families(results: Sequence[Result]) -> list[Json]:
    """Return all families that any entry has, held-out families first."""
    families = {family.name: family for result in results for family in result.families}
    return [
        {"name": family.name, "role": family.role, "note": family.note} for family in _held_out_first(families.values())
    ]


def _held_out_first(families: Iterable[FamilyResult]) -> list[FamilyResult]:
    return sorted(families, key=lambda family: family.role != "held-out")

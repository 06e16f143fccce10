"""Entries of a board whose actor plays the prompts that another entry learned with its actor, and their table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.board.finding_cache import submission_key
from ictbench.records import Record
from ictbench.results.formatting import p_value, signed
from ictbench.results.prompt_transfer import REFLECTOR, PromptTransfer, transfers_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.board.entries import Entry

TRANSFERRED = (
    "prompts of",
    "learned with",
    "played by",
    "family",
    "gain [95 %]",
    "transferred gain [95 %]",
    "difference [95 %]",
    "p",
)


class FoundTransfers(Record):
    """Finding: the transfers between two entries; none if they are not comparable."""

    transfers: tuple[PromptTransfer, ...]


def prompt_transfers(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry, PromptTransfer]]:
    """Yield source, entry that plays its prompts, and their table; only of entries that the board has replayed."""
    replayed = [entry for entry in entries if "replayed" in entry.badges.held]
    sources = {entry.facts.checksum: entry for entry in replayed}
    for played in replayed:
        if played.result.reflector.name != REFLECTOR:
            continue
        source = sources.get(str(played.result.reflector.options.get("source")))
        if source is not None:
            for transfer in _between(source, played):
                yield source, played, transfer


def transfer_cells(source: Entry, played: Entry, transfer: PromptTransfer) -> Iterator[list[str]]:
    """Yield rows for the columns `TRANSFERRED`."""
    for row in transfer.rows:
        yield [
            source.submission.name,
            transfer.learner,
            f"{transfer.player} ({played.submission.name})",
            row.family or f"mean {row.role}",
            signed(row.gain),
            signed(row.transferred_gain),
            signed(row.difference),
            p_value(row.p),
        ]


def transfer_records(source: Entry, played: Entry, transfer: PromptTransfer) -> list[dict[str, Any]]:
    """Return plain rows with the slugs of both entries, and the ends of intervals in columns of their own."""
    return [{"prompts_of": source.slug, "played_in": played.slug, **row} for row in transfer.records()]


def _between(source: Entry, played: Entry) -> tuple[PromptTransfer, ...]:
    key = submission_key(source.submission), submission_key(played.submission)
    if (found := played.findings.get(FoundTransfers, *key)) is None:
        found = FoundTransfers(transfers=tuple(transfers_to(played.read().result, [source.read().result])))
        played.findings.put(found, *key)
    return found.transfers

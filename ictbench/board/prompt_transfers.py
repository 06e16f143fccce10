"""Entries of a board whose actor plays the prompts that another entry learned with its actor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.prompt_transfer import REFLECTOR, transfers_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.board.entries import Entry
    from ictbench.results.prompt_transfer import PromptTransfer


def prompt_transfers(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry, PromptTransfer]]:
    """Yield source, entry that plays its prompts, and their table; only of entries that the board has replayed."""
    replayed = [entry for entry in entries if "replayed" in entry.badges.held]
    sources = {entry.facts.checksum: entry for entry in replayed}
    for played in replayed:
        if played.result.reflector.name != REFLECTOR:
            continue
        source = sources.get(str(played.result.reflector.options.get("source")))
        if source is not None:
            for transfer in transfers_to(played.read().result, [source.read().result]):
                yield source, played, transfer

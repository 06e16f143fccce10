"""Table of prompts that were learned with one actor and played by another, as plain JSON for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.results.prompt_transfer import transfers_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.prompt_transfer import PromptTransfer
    from ictbench.results.schema import Result

    Json = dict[str, Any]


def transfer_document(transfer: PromptTransfer, source: Json, played: Json) -> Json:
    """Return the table of a transfer.

    Args:
        transfer: The transfer.
        source: Where the prompts were learned: its `name`, and on a board its `slug`.
        played: Where the other actor played them.
    """
    return {
        "reflector": transfer.reflector,
        "learner": transfer.learner,
        "player": transfer.player,
        "source": source,
        "played": played,
        "rows": [
            row.model_dump(mode="json") | {"name": row.family or f"mean of {row.role} families"}
            for row in transfer.rows
        ],
    }


def run_transfers(results: Sequence[Result], names: Sequence[str]) -> list[Json]:
    """Return the tables of all runs whose actor played the prompts of another run in the same report."""
    named = {result.checksum: name for result, name in zip(results, names, strict=True)}
    return [
        transfer_document(transfer, {"name": named[transfer.source]}, {"name": name})
        for played, name in zip(results, names, strict=True)
        for transfer in transfers_to(played, [result for result in results if result is not played])
    ]

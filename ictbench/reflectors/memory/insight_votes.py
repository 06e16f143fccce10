"""Insights of `expel`: texts with votes, changed by the lines of a model's replies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

NEW_VOTES = 2
"""Votes of a new insight."""
OPERATION = re.compile(
    r"(?P<verb>add|edit|upvote|downvote)\b ?(?:insight ?)?(?P<number>\d+)? ?(?:: ?(?P<text>.*))?", re.IGNORECASE
)


class Insight(Record):
    """Insight with its number of votes."""

    text: str
    votes: int = NEW_VOTES


def apply_operations(insights: Sequence[Insight], lines: Sequence[str]) -> tuple[list[Insight], list[str]]:
    """Apply the valid operations to a list of insights.

    Args:
        insights: The insights; operations refer to them by number, from 1.
        lines: The operations, one a line. Lines that are not valid are skipped. Text that equals an insight is a vote
            for it.

    Returns:
        The new insights, most votes first, and the operations that were applied.
    """
    updated: list[Insight] = list(insights)
    applied: list[str] = []

    def vote(position: int, votes: int) -> None:
        updated[position] = updated[position].model_copy(update={"votes": updated[position].votes + votes})

    for line in lines:
        parsed = OPERATION.fullmatch(line)
        text, number = (parsed["text"] or "", int(parsed["number"] or 0)) if parsed else ("", 0)
        verb, exists = parsed["verb"].upper() if parsed else "", 1 <= number <= len(insights)
        same = next((position for position, insight in enumerate(updated) if insight.text == text), None)
        match verb:
            case "ADD" | "EDIT" if same is not None and (exists or verb == "ADD"):
                vote(same, 1)
            case "ADD" if text:
                updated.append(Insight(text=text))
            case "EDIT" if text and exists:
                updated[number - 1] = Insight(text=text, votes=updated[number - 1].votes + 1)
            case "UPVOTE" | "DOWNVOTE" if exists:
                vote(number - 1, 1 if verb == "UPVOTE" else -1)
            case _:
                continue
        applied.append(line)
    remaining = [insight for insight in updated if insight.votes > 0]
    return sorted(remaining, key=lambda insight: -insight.votes), applied

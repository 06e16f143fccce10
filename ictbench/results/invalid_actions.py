"""Remark on an actor none of whose replies names an available action: its numbers show a format, not a skill."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ictbench.records import Step
    from ictbench.results.schema import FamilyResult

INVALID = "actor invalid"
"""Key of the actor's words among the words about failures."""

MAX_WORDS = 160
"""Characters of a reply that a remark shows, escaped."""


def all_invalid(families: Iterable[FamilyResult]) -> bool:
    """Check whether every decision on test tasks was invalid, and there are some."""
    behaviours = [family.behaviour for family in families if family.behaviour]
    shares = [share for one in behaviours for share in (one.invalid_base, one.invalid_best) if share]
    return bool(shares) and all(share.value == 1 for share in shares)


def words_of(step: Step) -> str:
    """Return what the actor wrote in a decision: the proposed action, or the reply if it holds none."""
    if step.proposed is not None:
        return f"the action {_shortened(step.proposed)}"
    return f"{_shortened(step.thought)}, without an action" if step.thought.strip() else "nothing"


def invalid_remark(decisions: str, words: str, decoding: object) -> str:
    """Return the remark.

    Args:
        decisions: The decisions, e.g. `the first 50 decisions`.
        words: What the actor wrote in one of them; empty if that is unknown.
        decoding: Decoding of the actor.
    """
    wrote = f"; instead it wrote {words}" if words else ""
    remedy = (
        "constrain its replies with --actor-decoding json, grammar or tools, in a new --out, or choose another model"
        if decoding in (None, "free")
        else f"check whether its server enforces --actor-decoding {decoding}, or choose another model"
    )
    return (
        f"The actor named an available action in none of {decisions}{wrote}. The numbers show that, not how well it "
        f"plays: {remedy} (ictbench show RUN --episode KEY shows its replies)."
    )


def _shortened(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= MAX_WORDS else f"{shown[:MAX_WORDS]}…"

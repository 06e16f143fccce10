"""Divisions of a board, each with rankings of its own, and what entries of all divisions cost for what they gain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args

from ictbench.records import Division

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.board.entries import Entry
    from ictbench.records import Usage

DIVISIONS: tuple[Division, ...] = get_args(Division)
"""In the order in which boards show them."""

NAMES: Mapping[Division, str] = {
    "reflector": "reflectors",
    "memory": "memory learners",
    "optimiser": "optimisers",
}


class Spent(NamedTuple):
    """Gain of an entry, and the tokens and episodes that it used."""

    gain: float
    tokens: int
    """Tokens of the whole run."""
    experience: float
    """Episodes that its learner could learn from, mean per loop."""


def spent_by(entry: Entry) -> Spent | None:
    """Return what an entry gained and used; None if its tokens are unknown or it has no held-out family."""
    tokens = known_tokens(entry.cost)
    if entry.measures is None or tokens is None:
        return None
    return Spent(entry.measures.gain.value, tokens, entry.facts.experience)


def known_tokens(cost: Usage) -> int | None:
    """Return the tokens of a run; None if some are unknown: those of replies from the response cache are, too."""
    return None if cost.unreported or cost.cache_hits else cost.tokens


def known_dollars(cost: Usage) -> float | None:
    """Return the price of a run; None if it is unknown: replies from the response cache have cost something before."""
    return None if cost.cache_hits else cost.cost


def pareto_front(spent: Sequence[Spent | None]) -> list[bool]:
    """Return which entries no other one dominates: gains at least as much, with no more tokens and experience.

    An entry whose tokens are unknown is not on the front, and dominates none.
    """
    front: list[Spent] = []
    # What dominates an entry precedes it in this order, so it is enough to compare it with the front so far.
    for one in sorted({one for one in spent if one}, key=lambda one: (one.tokens, one.experience, -one.gain)):
        if not any(other.gain >= one.gain and other.experience <= one.experience for other in front):
            front.append(one)
    return [one in front for one in spent]

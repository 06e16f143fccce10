"""Trajectories as a tally: each action with what became of the episodes in which it was chosen.

In the digest of `event_digest`, a solved episode ends with the action that solved it, so a reader finds that action
without reading any outcome; and where actions are listed with their episodes, the commonest one is often the right
one. This digest names every kind of action that a batch offered exactly once, chosen or not, so that only the outcome
beside it tells one from another. It leaves out the order in time, how often and in which episode an action was chosen,
and how an episode without success ended. The order of lines is random and the same in all turns of a loop: a reader
that guesses by position keeps its guess, so ten turns are not ten guesses of which the best one is kept.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ictbench.records import digest_of
from ictbench.reflectors.event_digest import entered_symbol_of, new_lines, quoted, symbols_met, texts_of
from ictbench.reflectors.unlabelled_trajectory import UnlabelledTrajectory
from ictbench.rules_text.rules import action_kind
from ictbench.rules_text.screen import prose_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ictbench.records import Trajectory

START, LATER, SYMBOLS = "At the start", "Later", "Symbols"
OUTCOMES = {
    frozenset[bool](): "not tried",
    frozenset({True}): "solved",
    frozenset({False}): "not solved",
    frozenset({True, False}): "solved and not solved",
}
"""What stands beside an action, by whether the episodes in which it was chosen were solved."""


def format_tally(trajectories: Sequence[Trajectory], player: str | None, seed: int = 0) -> str:
    """Return the tally of a batch: texts at the start, later texts, actions with their outcomes, symbols.

    Where the outcome of an episode is hidden, the actions stand alone.

    Args:
        trajectories: The batch.
        player: Symbol of the player on a map; None for text without a map.
        seed: Decides the order of lines, of texts and of symbols.
    """
    if not trajectories:
        return ""
    starts: set[str] = set()
    later: set[str] = set()
    outcomes: dict[str, set[bool]] = {}
    for trajectory in trajectories:
        texts = texts_of(trajectory)
        starts.update(new_lines(prose_lines(texts[0]), set()))
        for step, (before, after) in zip(trajectory.steps, pairwise(texts), strict=True):
            for action in step.actions:
                outcomes.setdefault(action_kind(action), set())
            if step.executed is not None:
                outcomes.setdefault(action_kind(step.executed), set()).add(trajectory.solved)
                later.update(_events(before, after, player))
    labelled = not any(isinstance(one, UnlabelledTrajectory) for one in trajectories)
    lines = []
    if starts:
        lines.append(f"{START}: {' '.join(_shuffled(starts, seed))}")
    if later - starts:
        lines.append(f"{LATER}: {' '.join(_shuffled(later - starts, seed))}")
    for action in _shuffled(outcomes, seed):
        lines.append(f"{action}: {OUTCOMES[frozenset(outcomes[action])]}" if labelled else action)
    if symbols := {symbol for trajectory in trajectories for symbol in symbols_met(trajectory, player)}:
        lines.append(f"{SYMBOLS}: {quoted(_shuffled(symbols, seed))}")
    return "\n".join(lines)


def _events(before: str, after: str, player: str | None) -> Iterable[str]:
    """Yield the symbol that the player came onto, and the lines of prose that were not there before."""
    if symbol := entered_symbol_of(before, after, player):
        yield f"Came onto {quoted([symbol])}."
    there = prose_lines(before)
    yield from new_lines([line for line in prose_lines(after) if line not in there], set())


def _shuffled(texts: Collection[str], seed: int) -> list[str]:
    """Return texts in an order that only the seed decides, whatever other texts there are."""
    return sorted(texts, key=lambda text: digest_of([seed, text]))

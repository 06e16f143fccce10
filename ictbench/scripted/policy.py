"""The scripted actor. It is no language model: it obeys the rules of `ictbench.rules_text.rules` that it finds in its
prompt and otherwise picks an available action at random.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from ictbench.actors.actor import Actor
from ictbench.records import Decision
from ictbench.rules_text.rules import Choose, Walk, holds, places, player_symbol, read_rules, symbol_at
from ictbench.scripted.line_following import follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.actors.actor import History
    from ictbench.records import Step
    from ictbench.rules_text.rules import Place

# English, not a game: up is north on every map, rows count downwards.
DIRECTIONS = {
    "n": (-1, 0),
    "e": (0, 1),
    "s": (1, 0),
    "w": (0, -1),
    "ne": (-1, 1),
    "se": (1, 1),
    "sw": (1, -1),
    "nw": (-1, -1),
    "north": (-1, 0),
    "east": (0, 1),
    "south": (1, 0),
    "west": (0, -1),
    "northeast": (-1, 1),
    "southeast": (1, 1),
    "southwest": (1, -1),
    "northwest": (-1, -1),
}


class RulesActor(Actor):
    """Sees what a language model would see: prompt, observations, available actions."""

    only_computes = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """The first rule that applies, else a random action."""
        rules = read_rules(prompt)
        for rule in rules:
            if isinstance(rule, Choose) and rule.action in history.actions and _applies(rule, history):
                return Decision(action=rule.action, thought=f"A rule says: {rule}")
        player = player_symbol(prompt)
        if player and (walk := _walk([rule for rule in rules if isinstance(rule, Walk)], player, history)):
            rule, action = walk
            return Decision(action=action, thought=f"A rule says: {rule}")
        rng = random.Random(f"{seed}:{len(history.steps)}")
        if (followed := follow(rules, history, rng)) is not None:
            return Decision(action=followed, thought="A line says what to look for.")
        action = rng.choice(history.actions)
        return Decision(action=action, thought="No rule applies, so I try something." if rules else "")


def _applies(rule: Choose, history: History) -> bool:
    """Whether a rule is due: its phrase is in sight, or was, and the rule was not yet followed for it."""
    if holds(history.observation, rule.phrase):
        return not _futile(rule.action, history)
    if not rule.later:
        return False
    for step in reversed(history.steps):
        if step.executed == rule.action:
            return False
        if holds(step.observation, rule.phrase):
            return True
    return False


def _walk(rules: Sequence[Walk], player: str, history: History) -> tuple[Walk, str] | None:
    """One step towards the nearest symbol of the walk rule that was fulfilled least often so far."""
    here = places(history.observation, player)
    if not here:
        return None
    words = {action: action.split()[-1] for action in reversed(history.actions) if action.strip()}
    moves = {DIRECTIONS[word]: action for action, word in words.items() if word in DIRECTIONS}
    visible = [(rule, spots) for rule in rules if (spots := places(history.observation, rule.symbol))]
    for rule, spots in sorted(visible, key=lambda pair: _fulfilled(pair[0], player, history.steps)):
        row, column = min(spots, key=lambda spot: (_distance(here[0], spot), spot))
        action = moves.get((_sign(row - here[0][0]), _sign(column - here[0][1])))
        if action is not None and not _futile(action, history):
            return rule, action
    return None


def _futile(action: str, history: History) -> bool:
    """Whether the action was tried before in what is in sight now, and left everything as it was."""
    observations = [*(step.observation for step in history.steps[1:]), history.observation]
    return any(
        step.executed == action and step.observation == after == history.observation
        for step, after in zip(history.steps, observations, strict=False)
    )


def _fulfilled(rule: Walk, player: str, steps: Sequence[Step]) -> int:
    """How often the player has come to stand where the symbol was."""
    count = 0
    for before, after in itertools.pairwise(steps):
        spots = places(after.observation, player)
        count += bool(spots) and symbol_at(before.observation, spots[0]) == rule.symbol
    return count


def _distance(one: Place, other: Place) -> int:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1]))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)

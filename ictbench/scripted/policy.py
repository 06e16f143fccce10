"""The scripted actor, which follows the rules in its prompt and otherwise chooses an available action at random.

The rules are those of `ictbench.rules_text.rules`. The actor is not a language model.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from ictbench.actors.actor import Actor
from ictbench.records import Decision
from ictbench.rules_text.rules import Act, Before, Choose, Walk, parse_rules
from ictbench.rules_text.screen import contains_phrase, find_symbol, player_symbol, symbol_at
from ictbench.scripted.pattern_following import Situation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.actors.actor import History
    from ictbench.records import Step
    from ictbench.rules_text.screen import Position

# Knowledge of English, not of a game. Rows count downwards: north is up on every map.
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
    """Rule-following actor. It sees what a language model would see: prompt, observations, available actions."""

    cpu_bound = True
    trained_on = ()

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Choose by the first rule that applies, rules to walk last; else at random."""
        rules = parse_rules(prompt)
        rng = random.Random(f"{seed}:{len(history.steps)}")
        situation = Situation.of(rules, history)
        for rule in rules:
            if isinstance(rule, Choose) and rule.action in history.actions and _applies(rule, history):
                return Decision(action=rule.action, thought=f"A rule says: {rule}")
            if situation and isinstance(rule, Act | Before) and (chosen := situation.choose(rule, rng)) is not None:
                return Decision(action=chosen, thought=f"A rule says: {rule}")
        player = player_symbol(prompt)
        if player and (step := _walk([rule for rule in rules if isinstance(rule, Walk)], player, history)):
            walk, action = step
            return Decision(action=action, thought=f"A rule says: {walk}")
        action = rng.choice(history.actions)
        return Decision(action=action, thought="No rule applies, so I try something." if rules else "")


def _applies(rule: Choose, history: History) -> bool:
    """Check whether the rule's phrase is on the screen, or was and the rule has not been followed since."""
    if contains_phrase(history.observation, rule.phrase):
        return not _is_futile(rule.action, history)
    if not rule.later:
        return False
    for step in reversed(history.steps):
        if step.executed == rule.action:
            return False
        if contains_phrase(step.observation, rule.phrase):
            return True
    return False


def _walk(rules: Sequence[Walk], player: str, history: History) -> tuple[Walk, str] | None:
    """Return a step towards the nearest symbol of the walk rule that was fulfilled least often, with that rule."""
    here = find_symbol(history.observation, player)
    if not here:
        return None
    last_words = {action: action.split()[-1] for action in reversed(history.actions) if action.strip()}
    moves = {DIRECTIONS[word]: action for action, word in last_words.items() if word in DIRECTIONS}
    visible = [(rule, spots) for rule in rules if (spots := find_symbol(history.observation, rule.symbol))]
    for rule, spots in sorted(visible, key=lambda pair: _times_fulfilled(pair[0], player, history.steps)):
        row, column = min(spots, key=lambda spot: (_distance(here[0], spot), spot))
        action = moves.get((_sign(row - here[0][0]), _sign(column - here[0][1])))
        if action is not None and not _is_futile(action, history):
            return rule, action
    return None


def _is_futile(action: str, history: History) -> bool:
    """Check whether the action was tried before on the same screen and changed nothing."""
    observations = [*(step.observation for step in history.steps[1:]), history.observation]
    return any(
        step.executed == action and step.observation == after == history.observation
        for step, after in zip(history.steps, observations, strict=False)
    )


def _times_fulfilled(rule: Walk, player: str, steps: Sequence[Step]) -> int:
    """Count how often the player came to stand where the rule's symbol was."""
    count = 0
    for before, after in itertools.pairwise(steps):
        positions = find_symbol(after.observation, player)
        count += bool(positions) and symbol_at(before.observation, positions[0]) == rule.symbol
    return count


def _distance(a: Position, b: Position) -> int:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)

"""Baselines of `train_demo.py` that read no outcome, and an upper reference that does: scripts, as reflectors.

Pre-registrations and runs name them by the module that runs the experiment, e.g. `train_demo:RandomAction`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, ClassVar, Literal

from ictbench.records import Reflection
from ictbench.reflectors import Context, Reflector
from ictbench.reflectors.controls.copy import Mention, find_mentions
from ictbench.reflectors.llm.lessons import MAX_RULES, TITLE
from ictbench.reflectors.llm.llm_reflector import format_experience
from ictbench.reflectors.llm.one_action import known_actions, name_action
from ictbench.reflectors.llm.prompt_sections import append_section
from ictbench.reflectors.tally_digest import OUTCOMES
from ictbench.rules_text.rules import Choose, Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory

NOT_TRIED, SOLVED = OUTCOMES[frozenset()], OUTCOMES[frozenset({True})]
SYMBOLS = [chr(code) for code in range(33, 127) if not chr(code).isalnum()]
ACTIONS = ("read", "eat", "puton", "zap", "wield", "wear", "pickup")


class RandomRules(Reflector):
    """Baseline for the syntax of rules: well-formed rules with random symbols and a random action."""

    trained_on = ()
    control = "it writes rules at random"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Replace the rules of the prompt with random ones."""
        rng = random.Random(context.seed)
        walks = [Walk(symbol) for symbol in rng.sample(SYMBOLS, MAX_RULES - 1)]
        return Reflection(prompt=with_rules(prompt, [*walks, Choose("You see here", rng.choice(ACTIONS))]))


class RandomAction(Reflector):
    """Baseline for `one-action`: names any action that it could name, whatever came of it."""

    trained_on = ()
    control = "it names an action at random"
    ignores: ClassVar[Literal["", "outcomes", "episodes"]] = "outcomes"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Name another action; with none to name, keep the prompt."""
        text = format_experience("tally", prompt, trajectories, context.loop_seed)
        known = known_actions(prompt)
        actions = [one.action for one in find_mentions(text) if one.action not in known and self.considers(one)]
        if not actions:
            return Reflection(prompt=prompt)
        return Reflection(prompt=name_action(prompt, random.Random(context.seed).choice(actions)))

    def considers(self, mention: Mention) -> bool:
        """Whether an action may be named."""
        return True


class TriedAction(RandomAction):
    """Reference: names at random one of the actions that were tried.

    Where the right one is named, no other may be tried any more, so this script keeps it without reading an outcome.
    The question of `one-action` does not show what was tried.
    """

    control = "it names at random an action that was tried"

    def considers(self, mention: Mention) -> bool:
        """Whether an action was tried."""
        return mention.text != NOT_TRIED


class SolvedAction(RandomAction):
    """Upper reference: names at random one of the actions that only solved episodes have."""

    control = ""
    ignores = ""

    def considers(self, mention: Mention) -> bool:
        """Whether an action is in solved episodes only."""
        return mention.text == SOLVED


def with_rules(prompt: str, rules: Sequence[object]) -> str:
    """Return the prompt with these rules, in the layout of the reflector `lessons`."""
    return append_section(prompt.partition(TITLE)[0].rstrip(), TITLE, [str(rule) for rule in rules])

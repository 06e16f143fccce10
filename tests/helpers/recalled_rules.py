"""A memory learner without a model, which the scripted actor `rules` can obey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import ADDED_BYTES
from ictbench.rules_text.rules import HEADING, Choose, Walk, parse_rules
from ictbench.rules_text.screen import find_symbol
from ictbench.scripted.miner import RulesReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench import Context, Reflection, Trajectory
    from ictbench.rules_text.rules import Rule

RECALLED_RULES = "recalled_rules:RecalledRules"
"""Its name, as `--reflector` takes it where `tests/helpers` can be imported."""


class RecalledRules(RulesReflector):
    """Mines rules as `rules` does, keeps them in its memory, and recalls those that fit how an episode begins.

    The prompt stays prompt[0].
    """

    division = "memory"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        mined = await super().reflect(prompt, trajectories, state, context)
        assert mined.prompt is not None
        rules = [str(rule) for rule in parse_rules(mined.prompt)]
        return mined.model_copy(update={"prompt": prompt, "memory": {"rules": rules}})

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        assert isinstance(memory, dict)
        rules = parse_rules("\n".join(map(str, memory["rules"])))  # type: ignore[arg-type]
        lines = [HEADING, *(f"- {rule}" for rule in rules if _fits(rule, observation, actions))]
        while len("\n".join(lines).encode()) > ADDED_BYTES:
            lines.pop()
        return "\n".join(lines) if len(lines) > 1 else ""


def _fits(rule: Rule, observation: str, actions: tuple[str, ...]) -> bool:
    match rule:
        case Walk():
            return bool(find_symbol(observation, rule.symbol))
        case Choose():
            return rule.action in actions
    return True

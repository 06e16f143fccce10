"""Reflector that keeps a list of rules, which its model adds, edits and votes on.

Modelled on Zhao et al., *ExpeL: LLM Agents Are Experiential Learners* (arXiv 2308.10144). A new rule has two votes; a
rule with no votes left is dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.records import Record, Reflection
from ictbench.reflectors.llm.llm_reflector import (
    EPISODE_DESCRIPTION,
    LLMReflector,
    UnusableReplyError,
    heading_pattern,
    section_lines,
)
from ictbench.reflectors.llm.prompt_sections import append_section, newest_that_fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

MAX_OPERATIONS = 4
"""Operations per turn."""

NEW_VOTES = 2
"""Votes of a new rule."""

TITLE = "Rules learned from earlier episodes, the surest first:"
INSTRUCTIONS = f"""\
You keep a list of rules for an agent that acts in a text environment. The rules stand below its system prompt.
You are given the prompt, the rules with their numbers and votes, and complete episodes that the agent played by them. \
{EPISODE_DESCRIPTION}
Compare episodes that succeeded with episodes that failed, and change the list by operations: add what is missing, \
edit a rule that is nearly right, vote for a rule that the episodes bear out and against one that they contradict or \
that serves nothing. The agent will play new episodes of the same kind whose details differ: a rule must hold there \
too, be understood by itself, and say what to do and when."""
REQUEST = f"""\
Answer with exactly this section, one operation a line, at most {MAX_OPERATIONS} of them, or the one word none:
OPERATIONS:
ADD: a new rule
EDIT 2: what rule 2 should say
UP 1
DOWN 3"""
OPERATIONS = heading_pattern("operations")
OPERATION = re.compile(
    r"(?P<verb>add|edit|up|down)\b ?(?:rule ?)?(?P<number>\d+)? ?(?:: ?(?P<text>.*))?", re.IGNORECASE
)


class Rule(Record):
    """Rule with its number of votes."""

    text: str
    votes: int = NEW_VOTES


class Insights(Record):
    """Reflector state carried from one turn to the next."""

    own: str
    """`prompt[0]`."""
    rules: tuple[Rule, ...] = ()
    """Most votes first."""


class InsightsReflector(LLMReflector):
    """Asks a language model for operations on its rules and applies them."""

    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model and apply its valid operations; see `LLMReflector.revise`."""
        insights = Insights(own=prompt) if state is None else Insights.model_validate(state)
        request = _request(insights, self.experience_text(prompt, trajectories, context))
        completion = await self.ask(self._system, request, context)
        lines = (section_lines(OPERATIONS, completion.text) or [])[:MAX_OPERATIONS]
        rules, applied = apply_operations(insights.rules, lines)
        if not applied and [line.casefold().rstrip(".") for line in lines] != ["none"]:
            raise UnusableReplyError(completion, "unparseable")
        kept = _rules_that_fit(insights.own, rules, context.prompt_cap)
        return Reflection(
            prompt=append_section(insights.own, TITLE, [_rule_line(rule) for rule in kept]),
            analysis="\n".join(applied) or "Nothing to change.",
            state=Insights(own=insights.own, rules=kept).model_dump(mode="json"),
            usage=completion.usage,
        )


def apply_operations(rules: Sequence[Rule], lines: Sequence[str]) -> tuple[list[Rule], list[str]]:
    """Apply the valid operations to a list of rules.

    Args:
        rules: The rules; operations refer to them by number, from 1.
        lines: The operations, one a line. Lines that are not valid are skipped, and so are duplicates of a rule.

    Returns:
        The new rules, most votes first, and the operations that were applied.
    """
    updated: list[Rule] = list(rules)
    applied: list[str] = []
    for line in lines:
        parsed = OPERATION.fullmatch(line)
        text, number = (parsed["text"] or "", int(parsed["number"] or 0)) if parsed else ("", 0)
        verb, exists = parsed["verb"].upper() if parsed else "", 1 <= number <= len(rules)
        new = bool(text) and text not in (rule.text for rule in updated)
        match verb:
            case "ADD" if new:
                updated.append(Rule(text=text))
            case "EDIT" if new and exists:
                updated[number - 1] = Rule(text=text, votes=updated[number - 1].votes + 1)
            case "UP" | "DOWN" if exists:
                rule = updated[number - 1]
                updated[number - 1] = Rule(text=rule.text, votes=rule.votes + (1 if verb == "UP" else -1))
            case _:
                continue
        applied.append(line)
    remaining = [rule for rule in updated if rule.votes > 0]
    return sorted(remaining, key=lambda rule: -rule.votes), applied


def _request(insights: Insights, episodes: str) -> str:
    numbered = [f"{number}. {rule.text} ({rule.votes} votes)" for number, rule in enumerate(insights.rules, 1)]
    rules = "\n".join(numbered) or "(none)"
    return f"PROMPT:\n{insights.own}\n\nRULES:\n{rules}\n\nEPISODES:\n{episodes}\n\n{REQUEST}"


def _rules_that_fit(prompt: str, rules: Sequence[Rule], cap: int) -> tuple[Rule, ...]:
    """Return the rules with the most votes that fit into the prompt."""
    lines = set(newest_that_fit(prompt, TITLE, [_rule_line(rule) for rule in reversed(rules)], cap))
    return tuple(rule for rule in rules if _rule_line(rule) in lines)


def _rule_line(rule: Rule) -> str:
    return f"- {rule.text}"

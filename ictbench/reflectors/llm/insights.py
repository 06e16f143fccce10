"""The list of rules that is voted on.

In the manner of Zhao et al., *ExpeL: LLM Agents Are Experiential Learners* (arXiv 2308.10144): each turn the model adds
rules, edits them, and votes for or against them. A rule begins with two votes, and one without votes is dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.records import Record, Reflection
from ictbench.reflectors.llm.llm_reflector import EPISODES, LLMReflector, heading, lines_below, unusable
from ictbench.reflectors.llm.prompt_sections import compose, last_that_fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

MOST = 4
"""Operations a turn."""

NEW_VOTES = 2

TITLE = "Rules learned from earlier episodes, the surest first:"
INSTRUCTIONS = f"""\
You keep a list of rules for an agent that acts in a text environment. The rules stand below its system prompt.
You are given the prompt, the rules with their numbers and votes, and complete episodes that the agent played by them. \
{EPISODES}
Compare episodes that succeeded with episodes that failed, and change the list by operations: add what is missing, \
edit a rule that is nearly right, vote for a rule that the episodes bear out and against one that they contradict or \
that serves nothing. The agent will play new episodes of the same kind whose details differ: a rule must hold there \
too, be understood by itself, and say what to do and when."""
REQUEST = f"""\
Answer with exactly this section, one operation a line, at most {MOST} of them, or the one word none:
OPERATIONS:
ADD: a new rule
EDIT 2: what rule 2 should say
UP 1
DOWN 3"""
OPERATIONS = heading("operations")
OPERATION = re.compile(
    r"(?P<verb>add|edit|up|down)\b ?(?:rule ?)?(?P<number>\d+)? ?(?:: ?(?P<text>.*))?", re.IGNORECASE
)


class Rule(Record):
    """One rule, and what it has earned."""

    text: str
    votes: int = NEW_VOTES


class Insights(Record):
    """What is remembered between turns."""

    own: str
    """prompt[0]."""
    rules: tuple[Rule, ...] = ()
    """The one with the most votes first."""


class InsightsReflector(LLMReflector):
    """Asks a language model for operations on its list, and carries them out."""

    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model; see `Reflector.reflect`. Operations that make no sense are left out of the analysis."""
        insights = Insights(own=prompt) if state is None else Insights.model_validate(state)
        completion = await self.ask(INSTRUCTIONS, _request(insights, self.shown(prompt, trajectories)), context)
        if completion.finish_reason == "length":
            return unusable(completion, "truncated", state)
        lines = (lines_below(OPERATIONS, completion.text) or [])[:MOST]
        rules, done = apply(insights.rules, lines)
        if not done and [line.casefold().rstrip(".") for line in lines] != ["none"]:
            return unusable(completion, "unparseable", state)
        kept = _that_fit(insights.own, rules, context.prompt_cap)
        return Reflection(
            prompt=compose(insights.own, TITLE, [_line(rule) for rule in kept]),
            analysis="\n".join(done) or "Nothing to change.",
            state=Insights(own=insights.own, rules=kept).model_dump(mode="json"),
            usage=completion.usage,
        )


def apply(rules: Sequence[Rule], lines: Sequence[str]) -> tuple[list[Rule], list[str]]:
    """The list after the operations that make sense, by votes, and those operations.

    Numbers are those of the list as it was, from 1 on. No two rules say the same.
    """
    after: list[Rule] = list(rules)
    done: list[str] = []
    for line in lines:
        found = OPERATION.fullmatch(line)
        text, number = (found["text"] or "", int(found["number"] or 0)) if found else ("", 0)
        verb, there = found["verb"].upper() if found else "", 1 <= number <= len(rules)
        new = bool(text) and text not in (rule.text for rule in after)
        match verb:
            case "ADD" if new:
                after.append(Rule(text=text))
            case "EDIT" if new and there:
                after[number - 1] = Rule(text=text, votes=after[number - 1].votes + 1)
            case "UP" | "DOWN" if there:
                rule = after[number - 1]
                after[number - 1] = Rule(text=rule.text, votes=rule.votes + (1 if verb == "UP" else -1))
            case _:
                continue
        done.append(line)
    left = [rule for rule in after if rule.votes > 0]
    return sorted(left, key=lambda rule: -rule.votes), done


def _request(insights: Insights, episodes: str) -> str:
    numbered = [f"{number}. {rule.text} ({rule.votes} votes)" for number, rule in enumerate(insights.rules, 1)]
    rules = "\n".join(numbered) or "(none)"
    return f"PROMPT:\n{insights.own}\n\nRULES:\n{rules}\n\nEPISODES:\n{episodes}\n\n{REQUEST}"


def _that_fit(own: str, rules: Sequence[Rule], cap: int) -> tuple[Rule, ...]:
    """Those with the most votes."""
    lines = set(last_that_fit(own, TITLE, [_line(rule) for rule in reversed(rules)], cap))
    return tuple(rule for rule in rules if _line(rule) in lines)


def _line(rule: Rule) -> str:
    return f"- {rule.text}"

"""The playbook that only grows: lessons with their date below prompt[0], never rewritten.

In the manner of Zhang et al., *Agentic Context Engineering* (arXiv 2510.04618), who add small items to a playbook so
that rewriting cannot wear it away, and of its forerunner, Suzgun et al., *Dynamic Cheatsheet* (arXiv 2504.07952). The
date is the turn. Near the prompt's cap the oldest lessons make room for new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import Record, Reflection
from ictbench.reflectors.llm.llm_reflector import EPISODES, LLMReflector, heading, lines_below, unusable
from ictbench.reflectors.llm.prompt_sections import compose, last_that_fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

MOST = 3
"""Lessons a turn."""

TITLE = "Lessons from earlier episodes, the newest last:"
INSTRUCTIONS = f"""\
You keep the playbook of an agent that acts in a text environment: lessons below its system prompt. What stands there \
stays as it is; you only add to it.
You are given the prompt with its lessons so far, and complete episodes that the agent played under it. {EPISODES}
Find what these episodes teach that the playbook does not say yet: what the goal seems to be, how the environment \
behaves, what to do and when, what to leave. The agent will play new episodes of the same kind whose details differ: \
each lesson must hold there too, be understood by itself, and take one or two sentences."""
REQUEST = f"""\
Answer with exactly this section, one lesson a line, at most {MOST} of them, or the one word none:
LESSONS:
- a lesson"""
LESSONS = heading("lessons")


class Playbook(Record):
    """What is remembered between turns."""

    own: str
    """prompt[0]."""
    lessons: tuple[str, ...] = ()
    """The oldest first, each a line with its date."""


class AppendReflector(LLMReflector):
    """Asks a language model for lessons, and appends them."""

    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model; see `Reflector.reflect`. A lesson that is there already is not added again."""
        playbook = Playbook(own=prompt) if state is None else Playbook.model_validate(state)
        episodes = self.shown(prompt, trajectories)
        completion = await self.ask(INSTRUCTIONS, f"PROMPT:\n{prompt}\n\nEPISODES:\n{episodes}\n\n{REQUEST}", context)
        if completion.finish_reason == "length":
            return unusable(completion, "truncated", state)
        found = lines_below(LESSONS, completion.text)
        if not found:
            return unusable(completion, "unparseable", state)
        known = {lesson.partition(") ")[2].casefold() for lesson in playbook.lessons}
        new = [lesson for lesson in found[:MOST] if lesson.casefold().rstrip(".") != "none"]
        dated = [f"- (turn {context.turn}) {lesson}" for lesson in new if lesson.casefold() not in known]
        kept = last_that_fit(playbook.own, TITLE, [*playbook.lessons, *dated], context.prompt_cap)
        return Reflection(
            prompt=compose(playbook.own, TITLE, kept),
            analysis="\n".join(dated) or "Nothing new.",
            state=Playbook(own=playbook.own, lessons=tuple(kept)).model_dump(mode="json"),
            usage=completion.usage,
        )

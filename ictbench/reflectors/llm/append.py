"""Reflector that appends dated lessons to `prompt[0]` and never rewrites them.

Modelled on Zhang et al., *Agentic Context Engineering* (arXiv 2510.04618), who add small items to a playbook so that
rewriting cannot erode it, and on its precursor, Suzgun et al., *Dynamic Cheatsheet* (arXiv 2504.07952). The date of a
lesson is its turn. When the prompt reaches its cap, the oldest lessons are dropped.
"""

from __future__ import annotations

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

MAX_LESSONS = 3
"""New lessons per turn."""

TITLE = "Lessons from earlier episodes, the newest last:"
INSTRUCTIONS = f"""\
You keep the playbook of an agent that acts in a text environment: lessons below its system prompt. What stands there \
stays as it is; you only add to it.
You are given the prompt with its lessons so far, and complete episodes that the agent played under it. \
{EPISODE_DESCRIPTION}
Find what these episodes teach that the playbook does not say yet: what the goal seems to be, how the environment \
behaves, what to do and when, what to leave. The agent will play new episodes of the same kind whose details differ: \
each lesson must hold there too, be understood by itself, and take one or two sentences."""
REQUEST = f"""\
Answer with exactly this section, one lesson a line, at most {MAX_LESSONS} of them, or the one word none:
LESSONS:
- a lesson"""
LESSONS = heading_pattern("lessons")


class Playbook(Record):
    """Reflector state carried from one turn to the next."""

    own: str
    """`prompt[0]`."""
    lessons: tuple[str, ...] = ()
    """Lines with their dates, oldest first."""


class AppendReflector(LLMReflector):
    """Asks a language model for lessons and appends them to `prompt[0]`."""

    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model and add its new lessons; see `LLMReflector.revise`."""
        playbook = Playbook(own=prompt) if state is None else Playbook.model_validate(state)
        episodes = self.experience_text(prompt, trajectories, context)
        completion = await self.ask(self._system, f"PROMPT:\n{prompt}\n\nEPISODES:\n{episodes}\n\n{REQUEST}", context)
        lines = section_lines(LESSONS, completion.text)
        if not lines:
            raise UnusableReplyError(completion, "unparseable")
        known = {lesson.partition(") ")[2].casefold() for lesson in playbook.lessons}
        new = [lesson for lesson in lines[:MAX_LESSONS] if lesson.casefold().rstrip(".") != "none"]
        dated = [f"- (turn {context.turn}) {lesson}" for lesson in new if lesson.casefold() not in known]
        kept = newest_that_fit(playbook.own, TITLE, [*playbook.lessons, *dated], context.prompt_cap)
        return Reflection(
            prompt=append_section(playbook.own, TITLE, kept),
            analysis="\n".join(dated) or "Nothing new.",
            state=Playbook(own=playbook.own, lessons=tuple(kept)).model_dump(mode="json"),
            usage=completion.usage,
        )

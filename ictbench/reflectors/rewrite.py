"""The reflector of the paper: a language model reads finished trajectories and rewrites the whole prompt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.records import Reflection
from ictbench.reflectors.asking import EPISODES, AskingReflector, heading, unusable, without_reasoning
from ictbench.reflectors.format import format_trajectories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.models import Message
    from ictbench.records import ReflectionFailure, Trajectory
    from ictbench.reflectors.contract import Context

INSTRUCTIONS = f"""\
You improve the system prompt of an agent that acts in a text environment.
You are given its current system prompt and complete episodes that it played under this prompt. {EPISODES}
Work out what separates success from failure: what the goal seems to be, how the environment behaves, which habits \
of the agent helped and which ones cost it the episode.
Then write a new system prompt. The agent will use it in new episodes of the same kind whose details differ, and it \
will see nothing but your prompt: leave out what held in a single episode only, keep what is worth keeping of the \
current prompt, and be concrete about what to do and when. The agent is told separately how to format its answers."""
REQUEST = """\
Answer with exactly these two sections:
ANALYSIS:
what you learned from the episodes
IMPROVED PROMPT:
the complete new system prompt, at most {cap} bytes, and nothing after it"""


class RewriteReflector(AskingReflector):
    """Asks a language model for an analysis and a new prompt. It keeps no state of its own."""

    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model; see `Reflector.reflect`. Of an unusable reply, the whole text is kept as the analysis."""
        completion = await self._model.complete(
            render_messages(prompt, trajectories, context.prompt_cap), seed=context.seed
        )
        analysis, improved = parse_sections(completion.text)
        problem: ReflectionFailure | None = None
        if completion.finish_reason == "length":
            problem = "truncated"
        elif not improved:
            problem = "unparseable"
        elif len(improved.encode()) > context.prompt_cap:
            problem = "too_long"
        if problem:
            return unusable(completion, problem, state)
        return Reflection(prompt=improved, analysis=analysis, state=state, usage=completion.usage)


def render_messages(prompt: str, trajectories: Sequence[Trajectory], cap: int) -> list[Message]:
    """The request for a new prompt of at most `cap` bytes."""
    episodes = format_trajectories(trajectories) or "(none)"
    request = f"CURRENT PROMPT:\n{prompt}\n\nEPISODES:\n{episodes}\n\n{REQUEST.format(cap=cap)}"
    return [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": request}]


ANALYSIS, IMPROVED_PROMPT = heading("analysis"), heading("improved prompt")
# Fences inside are left to their text: which of them belong together cannot be told.
FENCED = re.compile(r"(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<inner>(?:(?!(?P=fence)).*\n)*)[ \t]*(?P=fence)")


def parse_sections(text: str) -> tuple[str, str]:
    """Analysis and improved prompt of a reply; both empty unless both headings are there, in this order.

    Reasoning that the server left at the start, between `<think>` tags, is not looked at. A markdown fence around
    the whole prompt is taken off.
    """
    text = without_reasoning(text)
    start = ANALYSIS.search(text)
    middle = IMPROVED_PROMPT.search(text, start.end()) if start else None
    if not start or not middle:
        return "", ""
    improved = text[middle.end() :].strip()
    if fenced := FENCED.fullmatch(improved):
        improved = fenced["inner"].strip()
    return text[start.end() : middle.start()].strip(), improved

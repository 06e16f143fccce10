"""The paper's reflector: a language model reads the trajectories and rewrites the whole prompt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.models.reasoning import has_reasoning
from ictbench.models.replies import read_answer
from ictbench.records import Reflection
from ictbench.reflectors.llm.llm_reflector import EPISODE_DESCRIPTION, heading_pattern
from ictbench.reflectors.llm.single_question import Question, SingleQuestionReflector

if TYPE_CHECKING:
    from ictbench.models import Message
    from ictbench.records import ReflectionFailure

INSTRUCTIONS = f"""\
You improve the system prompt of an agent that acts in a text environment.
You are given its current system prompt and complete episodes that it played under this prompt. {EPISODE_DESCRIPTION}
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


class RewriteQuestion(Question):
    """Asks for an analysis and a new prompt."""

    system = INSTRUCTIONS

    def build(self, prompt: str, experience: str, cap: int) -> list[Message]:
        """Return the instructions, then the prompt, the episodes and the requested sections."""
        request = f"CURRENT PROMPT:\n{prompt}\n\nEPISODES:\n{experience}\n\n{REQUEST.format(cap=cap)}"
        return [{"role": "system", "content": self.system}, {"role": "user", "content": request}]

    def parse(self, prompt: str, reply: str, cap: int, *, cut: bool) -> Reflection:
        """Return the improved prompt with its analysis."""
        analysis, improved = parse_sections(reply)
        failure: ReflectionFailure | None = None
        if cut:
            failure = "truncated"
        elif not improved:
            failure = "unparseable"
        elif len(improved.encode()) > cap:
            failure = "too_long"
        if failure:
            return Reflection(prompt=None, analysis=reply, failure=failure)
        return Reflection(prompt=improved, analysis=analysis)


class RewriteReflector(SingleQuestionReflector):
    """Asks a language model for an analysis and a new prompt. Keeps no state."""

    question = RewriteQuestion
    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"


ANALYSIS, IMPROVED_PROMPT = heading_pattern("analysis"), heading_pattern("improved prompt")
# Only a fence around the whole text is removed: which fences inside it belong together is ambiguous.
FENCED = re.compile(r"(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<inner>(?:(?!(?P=fence)).*\n)*)[ \t]*(?P=fence)")


def parse_sections(text: str) -> tuple[str, str]:
    """Return analysis and improved prompt of a reply, both empty unless it has both headings in this order.

    Reasoning at the start and a Markdown fence around the whole prompt are removed. Both are empty as well if
    reasoning may stand in the prompt: which part of it is meant would be a guess.
    """
    text = read_answer(text).text
    start = ANALYSIS.search(text)
    middle = IMPROVED_PROMPT.search(text, start.end()) if start else None
    if not start or not middle:
        return "", ""
    improved = text[middle.end() :].strip()
    if has_reasoning(improved):
        return "", ""
    if fenced := FENCED.fullmatch(improved):
        improved = fenced["inner"].strip()
    return text[start.end() : middle.start()].strip(), improved

"""Memory learner that keeps a playbook of bullets, each with counters of how often it helped and harmed.

Zhang et al., *Agentic Context Engineering: Evolving Contexts for Self-Improving Language Models* (arXiv 2510.04618).
As there, the actor is the generator, and the model is asked twice in a turn: as reflector, which says what the
episodes teach and which bullets helped or harmed, and as curator, which adds bullets. Nothing is rewritten, and the
program merges the answers.

What differs: One reflection covers a batch of episodes, in one round. Duplicates are found by their words, and the
older one stays; the paper compares embeddings. The paper shows the whole playbook; here an episode shows the bullets
with the best balance of counters, as many as fit into what a memory may add, and none that harmed more than it helped.
The model still reads those, so that it does not add them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models.reasoning import drop_reasoning
from ictbench.models.replies import read_answer
from ictbench.records import Reflection
from ictbench.reflectors.llm.llm_reflector import (
    EPISODE_DESCRIPTION,
    LLMReflector,
    UnusableReplyError,
    heading_pattern,
    section_lines,
)
from ictbench.reflectors.memory.playbook import ADD, MAX_ADDED, Playbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.models import Completion
    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

REFLECTOR = f"""\
You study how an agent acts in a text environment. Below its system prompt the agent reads a playbook: bullets that \
were written after earlier episodes.
You are given the prompt, the playbook, and complete episodes that the agent played with it. {EPISODE_DESCRIPTION}
Find out what decided between success and failure: where the agent went wrong, why, what it should have done, and what \
it did right. Then judge the bullets by these episodes: helpful is one that led to something right, harmful one that \
misled the agent. Most bullets may be neither, and a bullet that was not shown is neither."""
REFLECTOR_REQUEST = """\
Answer with exactly these two sections; below TAGS stand numbers of bullets, or the one word none:
ANALYSIS:
what the episodes teach
TAGS:
HELPFUL 1, 4
HARMFUL 3"""
CURATOR = """\
You keep the playbook of an agent that acts in a text environment: bullets that the agent reads below its system \
prompt. What stands in the playbook stays; you only add to it.
You are given the prompt, the playbook, and an analysis of the latest episodes. Add what the analysis teaches and the \
playbook does not say yet. The agent will play new episodes of the same kind whose details differ: each bullet must \
hold there too, be understood by itself, and take one or two sentences. Its kind is strategy (what to do and when), \
environment (how the environment behaves) or mistake (what to avoid, and what to do instead)."""
CURATOR_REQUEST = f"""\
Answer with exactly this section, one new bullet a line, at most {MAX_ADDED} of them, or the one word none:
OPERATIONS:
ADD strategy: a new bullet
ADD mistake: another one"""
ANALYSIS, TAGS, OPERATIONS = heading_pattern("analysis"), heading_pattern("tags"), heading_pattern("operations")


class AceReflector(LLMReflector):
    """Asks a language model to reflect and then to extend the playbook. The prompt stays as it is.

    The option `instruction` replaces the instruction of the reflector; the curator keeps its own.
    """

    division = "memory"
    system = REFLECTOR
    instruction = "\n\n".join([REFLECTOR, REFLECTOR_REQUEST, CURATOR, CURATOR_REQUEST])

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model twice and merge its answers; see `LLMReflector.revise`."""
        playbook = Playbook.model_validate(context.memory.value or {})
        episodes = self.experience_text(prompt, trajectories, context)
        request = _request(prompt, playbook, f"EPISODES:\n{episodes}\n\n{REFLECTOR_REQUEST}")
        reflected = await self.ask(self._system, request, context)
        analysis, tags = _read_reflection(reflected)
        if trajectories:
            playbook = playbook.tagged(tags)
        request = _request(prompt, playbook, f"ANALYSIS:\n{analysis}\n\n{CURATOR_REQUEST}")
        curated = await self.ask(CURATOR, request, context, reflected.usage)
        operations = section_lines(OPERATIONS, curated.text) or []
        if not any(ADD.fullmatch(line) or line.casefold().rstrip(".") == "none" for line in operations):
            raise UnusableReplyError(curated, "unparseable")
        extended = playbook.extended(operations)
        added = [bullet.line for bullet in extended.bullets if bullet.id > playbook.last_id]
        return Reflection(
            prompt=prompt,
            analysis="\n".join([analysis, "", *(added or ["Nothing new."])]),
            # An empty playbook is no memory: the episodes stay those of the prompt alone.
            memory=extended.model_dump(mode="json") if extended.bullets else None,
            usage=curated.usage,
        )

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        """Return the best bullets that fit; they are the same in all episodes."""
        return Playbook.model_validate(memory).added_text()


def _request(prompt: str, playbook: Playbook, rest: str) -> str:
    return f"PROMPT:\n{prompt}\n\nPLAYBOOK:\n{playbook.in_words()}\n\n{rest}"


def _read_reflection(completion: Completion) -> tuple[str, list[str]]:
    """Return the analysis, and the lines below `TAGS`; a reply without tags names no bullet.

    Raises:
        UnusableReplyError: There is no analysis.
    """
    reply = drop_reasoning(read_answer(completion.text).text)
    start = ANALYSIS.search(reply)
    rest = reply[start.end() :] if start else ""
    end = TAGS.search(rest)
    analysis = rest[: end.start() if end else None].strip()
    if not analysis:
        raise UnusableReplyError(completion, "unparseable")
    return analysis, section_lines(TAGS, rest) or []

"""Learner that keeps insights, on which its model votes, and recalls similar episodes that were solved.

Zhao et al., *ExpeL: LLM Agents Are Experiential Learners* (arXiv 2308.10144). As there, a model changes a list of
insights by ADD, EDIT, UPVOTE and DOWNVOTE; a new insight has two votes, and one without votes is dropped. The insights
stand in the prompt of all tasks. Each task also gets the most similar solved episodes.

What differs: The paper collects all episodes first, and tries failed tasks again. Here the insights change after each
batch, whose tasks are all different, so the model compares episodes of a batch instead of tries of one task. The paper
compares tasks by sentence embeddings of their descriptions; here BM25 compares the first observations, and embeddings
of these only help it; see `ictbench.reflectors.memory.vectors`. Episodes are recalled as lists of events, without
thoughts, and of long ones the first line and the end, because whole screens do not fit into what a memory may add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ictbench.models.embeddings import embed_texts
from ictbench.records import ADDED_BYTES, Record, Reflection
from ictbench.reflectors.event_digest import format_episode_events, texts_of
from ictbench.reflectors.llm.llm_reflector import (
    EPISODE_DESCRIPTION,
    NOTHING,
    LLMReflector,
    UnusableReplyError,
    heading_pattern,
    section_lines,
)
from ictbench.reflectors.llm.prompt_sections import append_section, newest_that_fit
from ictbench.reflectors.memory.added_text import fitting
from ictbench.reflectors.memory.insight_votes import Insight, apply_operations
from ictbench.reflectors.memory.memory_size import beginning, beginnings, newest_items
from ictbench.reflectors.memory.retrieval import rank
from ictbench.reflectors.memory.vectors import pack_vector, rerank, vector_length
from ictbench.rules_text.screen import player_symbol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory, Usage
    from ictbench.reflectors.reflector import Context

MAX_OPERATIONS = 4
"""Operations per turn."""
MAX_EPISODES = 3
"""Episodes that are recalled for a task."""
EPISODE_BYTES = 940
"""Maximum size of a recalled episode: two of this size fit into what a memory may add."""

TITLE = "Insights from earlier episodes, the surest first:"
ADDED_TITLE = "What happened in similar episodes that were solved, the most similar first:"
INSTRUCTIONS = f"""\
You draw insights from the episodes of an agent that acts in a text environment. The insights stand below its system \
prompt, and it reads them in every episode.
You are given the prompt, the insights with their numbers and votes, and complete episodes that the agent played. \
{EPISODE_DESCRIPTION}
Compare the episodes that succeeded with those that failed, and look for what the successful ones have in common. Then \
change the list: add an insight that is missing, edit one that should be more exact or more general, vote for one that \
these episodes confirm, and vote against one that they contradict or that helps nobody. The agent will play other \
episodes of the same kind, whose details differ: an insight must hold there too, be understood by itself, and say what \
to do and when."""
REQUEST = f"""\
Answer with exactly this section, one operation a line, at most {MAX_OPERATIONS} of them, or the one word none:
OPERATIONS:
ADD: a new insight
EDIT 2: what insight 2 should say
UPVOTE 1
DOWNVOTE 3"""
OPERATIONS = heading_pattern("operations")


class Success(Record):
    """Solved episode."""

    start: str
    """Beginning of the first observation."""
    events: str
    vector: str = Field(default="", exclude_if=lambda vector: not vector)
    """Embedding of the first observation, if the model embeds texts."""


class Experience(Record):
    """Memory of the learner."""

    own: str
    """`prompt[0]`."""
    insights: tuple[Insight, ...] = ()
    """Most votes first."""
    successes: tuple[Success, ...] = ()
    """Oldest first."""


class ExpelReflector(LLMReflector):
    """Asks a language model for operations on its insights, and keeps the solved episodes."""

    division = "memory"
    embeds = True
    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model, apply its valid operations and add the solved episodes; see `LLMReflector.revise`."""
        before = Experience.model_validate(context.memory.value or {"own": prompt})
        episodes = self.experience_text(prompt, trajectories, context)
        request = f"PROMPT:\n{before.own}\n\nINSIGHTS:\n{_numbered(before.insights)}\n\nEPISODES:\n{episodes}\n\n"
        # Embedded first: where that fails, no reply has been paid for that nobody reads.
        new, spent = await self._embedded(list(new_successes(before.own, trajectories, before.successes)), before)
        completion = await self.ask(self._system, request + REQUEST, context, spent)
        lines = (section_lines(OPERATIONS, completion.text) or [])[:MAX_OPERATIONS]
        insights, applied = apply_operations(before.insights, lines)
        if not applied and [line.casefold().rstrip(".") for line in lines] != ["none"]:
            raise UnusableReplyError(completion, "unparseable")
        kept = _insights_that_fit(before.own, insights, context.prompt_cap)
        dropped = [f"Dropped, no room: {insight.text}" for insight in insights if insight not in kept]
        after = Experience(own=before.own, insights=kept, successes=newest_items([*before.successes, *new]))
        return Reflection(
            prompt=append_section(before.own, TITLE, [_line(insight) for insight in kept]),
            analysis="\n".join([*applied, *dropped]) or "Nothing to change.",
            # Without both it is no memory: the episodes stay those of the prompt alone.
            memory=after.model_dump(mode="json") if after.insights or after.successes else None,
            usage=completion.usage,
        )

    async def _embedded(self, successes: list[Success], before: Experience) -> tuple[list[Success], Usage]:
        """Return the episodes with their vectors, if the model embeds texts, and the usage of that."""
        if not (successes and self._model.embeds):
            return successes, NOTHING
        earlier = before.successes[-1].vector if before.successes else ""
        dimensions = vector_length(earlier) if earlier else None
        embeddings = await embed_texts(self._model, [success.start for success in successes], dimensions)
        pairs = zip(successes, embeddings.vectors, strict=True)
        embedded = [success.model_copy(update={"vector": pack_vector(vector)}) for success, vector in pairs]
        return embedded, embeddings.usage

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        """Return the solved episodes whose first observation is the most similar; of equals, the newest."""
        newest_first = Experience.model_validate(memory).successes[::-1]
        order = rank(observation, [success.start for success in newest_first])
        order = rerank(order, [success.vector for success in newest_first])[:MAX_EPISODES]
        return fitting(ADDED_TITLE, [f"Episode:\n{newest_first[position].events}" for position in order])


def new_successes(prompt: str, trajectories: Sequence[Trajectory], known: Sequence[Success]) -> Iterator[Success]:
    """Yield the solved episodes of a batch, except those that went exactly like one that is known or in the batch."""
    seen = {(success.start, success.events) for success in known}
    for trajectory in trajectories:
        if trajectory.solved:
            events = format_episode_events(trajectory, player_symbol(prompt), set())
            (start,) = beginnings(texts_of(trajectory)[:1])
            success = Success(start=start, events=_shortened(events))
            if (start, success.events) not in seen:
                seen.add((start, success.events))
                yield success


def _shortened(events: str) -> str:
    """Return the first line, which tells the task, and the last ones that fit, which tell how it was solved."""
    first, *lines = events.splitlines()
    text = events
    while lines and len(text.encode(errors="replace")) > EPISODE_BYTES:
        text = "\n".join([first, "…", *lines[1:]])
        lines = lines[1:]
    return beginning(text, ADDED_BYTES)


def _numbered(insights: Sequence[Insight]) -> str:
    lines = [f"{number}. {insight.text} ({insight.votes} votes)" for number, insight in enumerate(insights, 1)]
    return "\n".join(lines) or "(none)"


def _insights_that_fit(prompt: str, insights: Sequence[Insight], cap: int) -> tuple[Insight, ...]:
    """Return the insights with the most votes that fit into the prompt; of equals, the last in the list."""
    fewest_first = sorted(insights, key=lambda insight: insight.votes)
    lines = set(newest_that_fit(prompt, TITLE, [_line(insight) for insight in fewest_first], cap))
    return tuple(insight for insight in insights if _line(insight) in lines)


def _line(insight: Insight) -> str:
    return f"- {insight.text}"

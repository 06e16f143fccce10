"""Memory learner that keeps items of reasoning from successes and failures, of which an episode recalls a few.

Ouyang et al., *ReasoningBank: Scaling Agent Self-Evolving with Reasoning Memory* (arXiv 2509.25140). As there, an item
has a title, a description and a content, and new items join the bank as they are.

What differs: Whether an episode succeeded is the environment's word; in the paper, a model judges that. One question
covers a batch and compares its episodes, as the paper does with several attempts at one task. BM25 compares the
beginning of an episode with the first observations and the items of a batch; the paper compares embeddings of tasks.
An episode shows five items at most, without their descriptions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.records import Record, Reflection
from ictbench.reflectors.event_digest import texts_of
from ictbench.reflectors.llm.llm_reflector import (
    EPISODE_DESCRIPTION,
    LLMReflector,
    UnusableReplyError,
    heading_pattern,
    section_lines,
)
from ictbench.reflectors.memory.added_text import fitting
from ictbench.reflectors.memory.memory_size import beginnings, newest_items
from ictbench.reflectors.memory.retrieval import rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

MAX_NEW, MAX_SHOWN = 5, 5
"""New items per turn, and items in an episode."""

ITEM_BYTES = 1_000
"""Maximum size of an item. One that is too long is left out."""

TITLE = "What earlier episodes taught, the most relevant first:"
INSTRUCTIONS = f"""\
You keep the experience of an agent that acts in a text environment, as short pieces of reasoning that will help it in \
later episodes.
You are given the prompt of the agent, the titles that you have already, and complete episodes. {EPISODE_DESCRIPTION}
For an episode that succeeded, ask why it did, and which way of thinking or acting carried it. For one that failed, \
ask what went wrong, and what would have prevented it. Compare the episodes with each other. The agent will play new \
episodes of the same kind whose details differ: a piece must hold there too and be understood by itself. Write \
nothing that you have already."""
REQUEST = f"""\
Answer with exactly this section, at most {MAX_NEW} items of three lines each, or the one word none:
ITEMS:
TITLE: a few words that name it
DESCRIPTION: one sentence that says when it matters
CONTENT: one to three sentences that say what to do, to know or to avoid"""
ITEMS = heading_pattern("items")
FIELD = re.compile(r"[*_#\s]*(?P<name>title|description|content)[*_]* ?:[*_]*\s*(?P<text>.*)", re.IGNORECASE)

SEPARATOR = re.compile(r"[\W_]*(?:(?:memory )?item)? ?\d*[\W_]*", re.IGNORECASE)
"""A line between items, such as `### Item 2`."""


class Item(Record):
    """One piece of reasoning."""

    title: str
    description: str
    content: str

    @property
    def line(self) -> str:
        """The item as an episode shows it."""
        return f"- {self.title}: {self.content}"


class Batch(Record):
    """Items of one turn, with the beginnings of the episodes that they come from."""

    items: tuple[Item, ...]
    starts: tuple[str, ...]

    @property
    def text(self) -> str:
        """What the beginning of an episode is compared with."""
        return "\n".join([*self.starts, *(text for item in self.items for text in item.model_dump().values())])


class Bank(Record):
    """The memory."""

    batches: tuple[Batch, ...] = ()
    """The oldest first; they make room for new ones."""

    @property
    def items(self) -> list[Item]:
        """All items, the oldest first."""
        return [item for batch in self.batches for item in batch.items]

    def extended(self, new: Iterable[Item], starts: Sequence[str]) -> Bank:
        """Return the bank with new items; one whose content it holds already is left out."""
        known = {item.content.casefold() for item in self.items}
        items = {item.content.casefold(): item for item in new if item.content.casefold() not in known}
        if not items:
            return self
        batch = Batch(items=tuple(items.values()), starts=beginnings(starts))
        return Bank(batches=newest_items([*self.batches, batch]))

    def similar(self, beginning: str) -> list[Item]:
        """Return the items of the batches that are most similar to the beginning of an episode, of equals the newest.

        The most similar batch is first; the items of a batch keep their order.
        """
        newest_first = self.batches[::-1]
        best = rank(beginning, [batch.text for batch in newest_first])
        return [item for position in best for item in newest_first[position].items]


class ReasoningBankReflector(LLMReflector):
    """Asks a language model for items and adds them to the bank. The prompt stays as it is."""

    division = "memory"
    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model for new items; see `LLMReflector.revise`."""
        bank = Bank.model_validate(context.memory.value or {})
        episodes = self.experience_text(prompt, trajectories, context)
        titles = "\n".join(f"- {item.title}" for item in bank.items) or "(none)"
        request = f"PROMPT:\n{prompt}\n\nTITLES:\n{titles}\n\nEPISODES:\n{episodes}\n\n{REQUEST}"
        completion = await self.ask(self._system, request, context)
        lines = section_lines(ITEMS, completion.text) or []
        new = parse_items(lines)[:MAX_NEW]
        if not new and [line.casefold().rstrip(".") for line in lines] != ["none"]:
            raise UnusableReplyError(completion, "unparseable")
        extended = bank.extended(new, [texts_of(trajectory)[0] for trajectory in trajectories])
        return Reflection(
            prompt=prompt,
            analysis="\n".join(item.line for item in extended.items if item not in bank.items) or "Nothing new.",
            # An empty bank is no memory: the episodes stay those of the prompt alone.
            memory=extended.model_dump(mode="json") if extended.batches else None,
            usage=completion.usage,
        )

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        """Return items of the most similar batches; see `Bank.similar`."""
        similar = Bank.model_validate(memory).similar("\n".join([observation, *actions]))
        return fitting(TITLE, (item.line for item in similar[:MAX_SHOWN]))


def parse_items(lines: Sequence[str]) -> list[Item]:
    """Return the complete items in the lines of a reply; a line without a name goes on with the one before it."""
    found: list[dict[str, str]] = []
    name = ""
    for line in lines:
        field = FIELD.fullmatch(line)
        if field:
            name = field["name"].lower()
            if name == "title":
                found.append({})
        if not found or SEPARATOR.fullmatch(line):
            continue
        text = field["text"] if field else line
        found[-1][name] = f"{found[-1].get(name, '')} {text}".strip()
    items = [Item.model_validate(fields) for fields in found if len(fields) == 3 and all(fields.values())]
    return [item for item in items if len(item.model_dump_json().encode()) <= ITEM_BYTES]

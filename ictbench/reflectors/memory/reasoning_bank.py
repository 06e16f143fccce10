"""Memory learner that keeps items of reasoning from successes and failures, of which an episode recalls a few.

Ouyang et al., *ReasoningBank: Scaling Agent Self-Evolving with Reasoning Memory* (arXiv 2509.25140). An item has a
title, a description and a content; new items join the bank as they are. Differences: whether an episode succeeded is
the environment's word, not a judgement of the model. One question covers a batch and compares its episodes, as the
paper does with several attempts at one task. Items are found by BM25 over their own words, where the paper compares
embeddings of the tasks they come from. An episode shows up to five items, without their descriptions.
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
from ictbench.reflectors.memory.added_text import fitting
from ictbench.reflectors.memory.retrieval import rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

MAX_NEW, MAX_SHOWN = 5, 5
"""New items per turn, and items in an episode."""

MAX_ITEMS, ITEM_BYTES = 100, 1_000
"""Items of a bank, and their maximum size. The oldest make room for new ones; an item that is too long is left out."""

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


class Bank(Record):
    """The memory."""

    items: tuple[Item, ...] = ()
    """The oldest first."""

    def extended(self, new: Iterable[Item]) -> Bank:
        """Return the bank with new items; one whose content it holds already is left out."""
        by_content = {item.content.casefold(): item for item in self.items}
        for item in new:
            by_content.setdefault(item.content.casefold(), item)
        return Bank(items=tuple(by_content.values())[-MAX_ITEMS:])


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
        extended = bank.extended(new)
        return Reflection(
            prompt=prompt,
            analysis="\n".join(item.line for item in extended.items if item not in bank.items) or "Nothing new.",
            # An empty bank is no memory: the episodes stay those of the prompt alone.
            memory=extended.model_dump(mode="json") if extended.items else None,
            usage=completion.usage,
        )

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        """Return the items that are most similar to the beginning of the episode, of equals the newest."""
        items = Bank.model_validate(memory).items[::-1]
        texts = [f"{item.title}\n{item.description}\n{item.content}" for item in items]
        best = rank("\n".join([observation, *actions]), texts)[:MAX_SHOWN]
        return fitting(TITLE, (items[position].line for position in best))


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

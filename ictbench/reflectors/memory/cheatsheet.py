"""Memory learner whose model rewrites one cheat sheet in every turn.

Suzgun et al., *Dynamic Cheatsheet: Test-Time Learning with Adaptive Memory* (arXiv 2504.07952), in the cumulative
variant. As there, a curator reads the sheet and what just happened, and writes the whole next sheet.

What differs: The curator reads a batch of episodes with their outcomes; in the paper, it judges one answer without
them. An entry is one line, and the order of the lines says how useful they are; the paper counts their uses. An
episode shows the first lines, as many as fit into what a memory may add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import ADDED_BYTES, Record, Reflection
from ictbench.reflectors.llm.llm_reflector import (
    EPISODE_DESCRIPTION,
    LLMReflector,
    UnusableReplyError,
    heading_pattern,
    section_lines,
)
from ictbench.reflectors.memory.added_text import fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

MAX_ENTRIES, ENTRY_BYTES = 60, 1_000
"""Entries of a sheet, and their maximum size. More short ones do not fit into an episode."""

TITLE = "Cheat sheet from earlier episodes, the most useful first:"
INSTRUCTIONS = f"""\
You keep the cheat sheet of an agent that acts in a text environment. The agent reads it below its system prompt in \
every episode.
You are given the prompt, the sheet, and complete episodes that the agent played with it. {EPISODE_DESCRIPTION}
Write the next sheet. It replaces the old one, and what you leave out is lost: repeat the entries that proved right or \
were not put to the test, correct or drop those that these episodes contradict, merge those that say the same, and add \
what the episodes teach: goals, how the environment behaves, courses of action that worked and mistakes to avoid. The \
agent will play new episodes of the same kind whose details differ: an entry must hold there too and be understood by \
itself. Put the entries that help most first."""
REQUEST = f"""\
Answer with exactly this section, one entry a line, the whole sheet within {ADDED_BYTES - 200:,} bytes:
CHEAT SHEET:
- an entry"""
SHEET = heading_pattern("cheat ?sheet")


class CheatSheet(Record):
    """The memory."""

    entries: tuple[str, ...] = ()
    """The most useful first."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> CheatSheet:
        """Return the sheet with these lines, without repetitions and lines that are too long."""
        kept = [line for line in dict.fromkeys(lines) if len(line.encode()) <= ENTRY_BYTES]
        return cls(entries=tuple(kept[:MAX_ENTRIES]))


class CheatSheetReflector(LLMReflector):
    """Asks a language model for the next cheat sheet. The prompt stays as it is."""

    division = "memory"
    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model for the next sheet; see `LLMReflector.revise`."""
        sheet = CheatSheet.model_validate(context.memory.value or {})
        episodes = self.experience_text(prompt, trajectories, context)
        current = "\n".join(map(_line, sheet.entries)) or "(empty)"
        request = f"PROMPT:\n{prompt}\n\nCHEAT SHEET:\n{current}\n\nEPISODES:\n{episodes}\n\n{REQUEST}"
        completion = await self.ask(self._system, request, context)
        lines = section_lines(SHEET, completion.text)
        if not lines:
            raise UnusableReplyError(completion, "unparseable")
        changed = CheatSheet.of(lines)
        if not changed.entries:
            raise UnusableReplyError(completion, "too_long")
        return Reflection(
            prompt=prompt,
            analysis="\n".join(map(_line, changed.entries)),
            memory=changed.model_dump(mode="json"),
            usage=completion.usage,
        )

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        """Return the sheet; of one that is too long, the first entries."""
        return fitting(TITLE, map(_line, CheatSheet.model_validate(memory).entries))


def _line(entry: str) -> str:
    return f"- {entry}"

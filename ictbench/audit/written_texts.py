"""Texts that a learner wrote in its loops: prompts, candidates of optimisers, memories, and what memories added."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ictbench.records import text_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from ictbench.audit.result_checks import Plans
    from ictbench.protocol import LoopPlan, LoopResult
    from ictbench.results import Result
    from ictbench.submissions.episode_records import Evidence

BOUNDARY = "\nendoftext\n"
"""Stands between texts of a memory that do not follow each other, so that no sequence of actions spans them."""


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A text that a reflection wrote."""

    place: str
    text: str
    loop: LoopResult
    index: int
    """Index of the prompt that it is, or goes with."""
    plan: LoopPlan


def written_prompts(result: Result, plans: Plans) -> Iterator[WrittenText]:
    """Yield the prompts that differ from the one before."""
    for place, loop, plan in _loops(result, plans):
        for index, (before, after) in enumerate(pairwise(loop.prompts), 1):
            if before.text != after.text:
                yield WrittenText(f"{place}, prompt[{index}]", after.text, loop, index, plan)


def written_candidates(result: Result, plans: Plans) -> Iterator[WrittenText]:
    """Yield the prompts that optimisers tried. What one knew includes the episodes of the turn of its first use."""
    for place, loop, plan in _loops(result, plans):
        for number, candidate in enumerate(loop.candidates):
            if candidate.turn:
                yield WrittenText(f"{place}, candidates[{number}]", candidate.text, loop, candidate.turn, plan)


def written_memories(evidence: Evidence, plans: Plans) -> Iterator[WrittenText]:
    """Yield what each memory holds that the loop's memory before it did not. One memory is read at a time."""
    uses: defaultdict[str, list[tuple[str, LoopResult, int, LoopPlan]]] = defaultdict(list)
    for place, loop, plan in _loops(evidence.result, plans):
        first = {prompt.memory: index for index, prompt in reversed([*enumerate(loop.prompts)]) if prompt.memory}
        for digest, index in first.items():
            uses[digest].append((place, loop, index, plan))
    if not uses:
        return
    known: tuple[str, int, set[str]] = ("", 0, set())
    for memory in evidence.memories():
        texts = set(texts_in(memory.value))
        for place, loop, index, plan in uses.get(memory.digest, ()):
            # What an earlier turn held was searched: less experience had come before it.
            old = known[2] if known[0] == place and known[1] < index else set()
            new = BOUNDARY.join(sorted(texts - old))
            yield WrittenText(f"{place}, the memory of prompt[{index}]", new, loop, index, plan)
            known = (place, index, texts)


def added_texts(evidence: Evidence, plans: Plans) -> Iterator[WrittenText]:
    """Yield each text that a memory added to prompts, once for a loop unless an earlier prompt had it."""
    uses: defaultdict[str, list[tuple[str, LoopResult, int, LoopPlan]]] = defaultdict(list)
    for place, loop, plan in _loops(evidence.result, plans):
        first = {prompt.digest: index for index, prompt in reversed([*enumerate(loop.prompts)]) if prompt.memory}
        for digest, index in first.items():
            uses[digest].append((place, loop, index, plan))
    if not uses:
        return
    seen: dict[tuple[str, str], int] = {}
    for record in evidence.episodes():
        for place, loop, index, plan in uses.get(record.prompt, ()) if record.added else ():
            key = (place, text_digest(record.added))
            if key not in seen or index < seen[key]:
                seen[key] = index
                where = f"{place}, what was added to prompt[{index}] in {record.key:.80},"
                yield WrittenText(where, record.added, loop, index, plan)


def texts_in(value: JsonValue) -> Iterator[str]:
    """Yield the texts in a memory: names of fields, texts, whole numbers, and sequences of them, one a line.

    A sequence is the items of a list, or what its items have in the same field.
    """
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        fields: defaultdict[str, list[str]] = defaultdict(list)
        for item in value:
            for name, inner in item.items() if isinstance(item, dict) else (("", item),):
                if (text := _text(inner)) is not None:
                    fields[name].append(text)
            if isinstance(item, dict | list):
                yield from texts_in(item)
        yield from map("\n".join, fields.values())
    elif (text := _text(value)) is not None:
        yield text


def _text(value: JsonValue) -> str | None:
    """Return a text or a whole number as text; None for others."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return str(int(value))


def _loops(result: Result, plans: Plans) -> Iterator[tuple[str, LoopResult, LoopPlan]]:
    for family in result.families:
        for loop in family.loops:
            yield f"{family.name}, loop {loop.index}", loop, plans[family.name, loop.index]

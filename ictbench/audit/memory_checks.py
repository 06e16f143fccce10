"""Checks of memories, and of the texts that they add to prompts, which need no environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ictbench.audit.findings import Findings, quote
from ictbench.errors import UsageError
from ictbench.records import ADDED_BYTES, MEMORY_BYTES, canonical_json, extended_prompt, text_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.audit.verification import Check
    from ictbench.protocol.loop_result import PromptResult
    from ictbench.results import Result
    from ictbench.submissions.episode_records import EpisodeRecord, Evidence


def prompts_by_digest(result: Result) -> dict[str, PromptResult]:
    """Return one of the prompts of each digest; the check of prompts says whether they are equal."""
    return {prompt.digest: prompt for family in result.families for loop in family.loops for prompt in loop.prompts}


def check_memories(evidence: Evidence) -> Check | None:
    """Check that the memories are those that prompts name, each once and within its limit.

    One memory is read at a time. None if the learner has none, as most.
    """
    findings, named = Findings("memories"), memories_named(evidence.result)
    read: set[str] = set()
    try:
        for memory in evidence.memories():
            if memory.digest not in named:
                findings.add(f"{quote(memory.digest)} belongs to no prompt")
            elif memory.digest in read:
                findings.add(f"{quote(memory.digest)} occurs twice")
            read.add(memory.digest)
            if (size := len(canonical_json(memory.value).encode())) > MEMORY_BYTES:
                findings.add(f"{quote(memory.digest)} has {size:,} bytes, of at most {MEMORY_BYTES:,}")
    except UsageError as error:
        findings.add(str(error))
    else:
        findings.extend(f"{quote(digest)} is missing" for digest in sorted(named - read))
    if evidence.result.division != "memory" and not findings.count:
        return None
    return findings.check(f"the {len(named):,} that prompts name, each of at most {MEMORY_BYTES:,} bytes")


def memories_named(result: Result) -> set[str]:
    """Return the digests of the memories that go with prompts of a result."""
    return {prompt.memory for family in result.families for loop in family.loops for prompt in loop.prompts} - {""}


@dataclass
class AddedTexts:
    """Check of the texts that memories added, record by record: equal memories and tasks have equal ones."""

    prompts: dict[str, PromptResult]
    prompt_bytes: int
    """Cap of a prompt with its added text, in UTF-8 bytes."""
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, result: Result) -> AddedTexts:
        """Return the check for the records of a result."""
        return cls(prompts_by_digest(result), result.prompt_bytes)

    def problems(self, record: EpisodeRecord, task_id: str) -> Iterator[str]:
        """Yield what is impossible in the text that was added to the prompt of a record."""
        prompt, added = self.prompts.get(record.prompt), record.added
        if prompt is None or not prompt.memory:
            if added:
                yield f"{quote(added)} was added to its prompt, which has no memory"
            return
        if (size := len(added.encode())) > ADDED_BYTES:
            yield f"{size:,} bytes were added to its prompt, of at most {ADDED_BYTES:,}"
        if (size := len(extended_prompt(prompt.text, added).encode())) > self.prompt_bytes:
            yield f"its prompt has {size:,} bytes with what was added, of at most {self.prompt_bytes:,}"
        digest = text_digest(added)
        if self._known.setdefault((task_id, prompt.memory), digest) != digest:
            yield f"{quote(added)} was added to its prompt, and another text elsewhere by the same memory"

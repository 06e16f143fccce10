"""The record of a finished loop, which the result file stores as it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ictbench.records import Progress, Record, ReflectionFailure

OutcomeString = str
"""One character per episode: 1 solved, 0 not. Tasks are in their order. Of a selection or test task that is played R
times, the R characters stand together, in the order of the replicates: replicate r of task t is character t·R + r."""

Purpose = Literal["experience", "selection", "test", "audit", "online", "replay"]
"""Why an episode is played: for a pool of tasks, for the audit or the online measures, or by a reflector that tries a
prompt itself."""


class PromptResult(Record):
    """prompt[i] of a loop and its origin."""

    digest: str
    """Digest of the text, and of the memory if there is one."""
    text: str
    memory: str = Field(default="", exclude_if=lambda digest: not digest)
    """Digest of the memory that goes with the prompt; empty for learners without one."""
    analysis: str = ""
    failure: ReflectionFailure | None = None
    """Why the reflector's answer was not used; then the text is that of prompt[i-1]. None if it was used."""


class BatchResult(Record):
    """Experience of one turn."""

    tasks: tuple[str, ...]
    outcomes: OutcomeString
    families: tuple[str, ...] = Field(default=(), exclude_if=lambda families: not families)
    """Family of each task; empty unless the loop is one of a stream."""
    prompts: tuple[str, ...] = Field(default=(), exclude_if=lambda digests: not digests)
    """Digest of the prompt of each episode, where an optimiser chose task and prompt; otherwise empty."""


class CandidateResult(Record):
    """Prompt that an optimiser tried."""

    digest: str
    text: str
    turn: int
    """Turn in which it was first tried; 0 for prompt[0]."""
    parents: tuple[str, ...] = ()
    """Digests of the candidates that it was made from."""
    kept: int | None = None
    """Turn at whose end the optimiser had first kept it; None if it did not keep it."""
    front: tuple[int, ...] = ()
    """Positions of the loop's experience tasks for which it is on the Pareto front at the end."""


class AuditResult(Record):
    """Outcomes that the audit of turn i adds: two batches, each under the prompt it was not played under."""

    replayed: OutcomeString
    """The turn's own batch under prompt[i], which the turn produced."""
    fresh: OutcomeString
    """The next batch under prompt[i-1], which the turn started with."""


class OnlineResult(Record):
    """Outcomes of the experience under two prompts that stay the same, by turn."""

    base: tuple[OutcomeString, ...]
    """Each batch under prompt[0]; the first one is played under it anyway."""
    best: tuple[OutcomeString, ...]
    """Each batch under the best prompt."""


class LoopResult(Record):
    """One finished loop of N turns."""

    index: int
    prompts: tuple[PromptResult, ...]
    """prompt[0] … prompt[N]."""
    batches: tuple[BatchResult, ...]
    """Experience by turn; of an optimiser, the episodes that it played in the turn."""
    selection_tasks: tuple[str, ...]
    selection: tuple[OutcomeString, ...]
    """By prompt."""
    best: int
    """Index of the best prompt: highest selection score, earliest on ties."""
    test_tasks: tuple[str, ...]
    test_families: tuple[str, ...] = Field(default=(), exclude_if=lambda families: not families)
    """Family of each test task; empty unless the loop is one of a stream."""
    test: dict[int, OutcomeString]
    """By index of the prompt; at least 0, the best and N."""
    progress: dict[int, tuple[Progress, ...]] = Field(default_factory=dict, exclude_if=lambda values: not values)
    """By index of the prompt, the progress of each test episode at its end, in the order of `test`; empty if it is not
    known for all of them."""
    audit: tuple[AuditResult, ...]
    """By turn, without the last; empty without an audit."""
    online: OnlineResult | None = Field(default=None, exclude_if=lambda online: online is None)
    """None unless the online measures were asked for."""
    replays: tuple[tuple[str, ...], ...] = ()
    """By turn, keys of the episodes that the reflector played itself, besides the batches; empty if it played none."""
    candidates: tuple[CandidateResult, ...] = Field(default=(), exclude_if=lambda candidates: not candidates)
    """Prompts that an optimiser tried, in the order of their first use; prompt[0] is the first."""

    @property
    def last(self) -> int:
        """Index of the last prompt, N."""
        return len(self.prompts) - 1

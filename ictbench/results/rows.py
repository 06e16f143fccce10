"""Rows of exported tables and data frames; the docstring of a field describes its column.

`params`, `versions` and `state` are JSON, as their content differs from suite to suite.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from ictbench.choices import FailureKind
from ictbench.protocol.loop_result import Purpose
from ictbench.records import End, Record, ReflectionFailure, Role, Step


class Row(Record):
    """Base class of the rows."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Use(Row):
    """One use of an episode."""

    pool: Purpose
    loop: int
    prompt: int
    """Index of the prompt in that loop; for a replay, of the prompt that its turn produced; for the experience of an
    optimiser, of the prompt before its turn."""


class Costs(Row):
    """Usage of a model."""

    calls: int
    """Number of answered calls to the model."""
    input_tokens: int
    """Input tokens."""
    output_tokens: int
    """Output tokens."""
    cached_tokens: int
    """Input tokens that the provider had cached."""
    reasoning_tokens: int
    """Output tokens of hidden reasoning."""
    cost: float | None
    """Cost in US dollars; missing if a price is unknown."""
    cache_hits: int
    """Replies from the response cache; they count as no calls, tokens or cost."""
    unreported: int = 0
    """Calls whose usage was not reported; their tokens are in no count, and the cost is missing."""


class _Episode(Row):
    key: str
    """Task id, prompt digest and replicate: equal keys are the same episode."""
    family: str
    """The task's family."""
    task: str
    """The task's id."""
    env: str
    """Name of the environment adapter."""
    params: str
    """JSON: parameters that start the task, e.g. its seed."""
    pools: tuple[Purpose, ...]
    """Pools it was played for: experience, selection, test; also audit, online and replay, for experience tasks that
    the audit, the online measures or the reflector played."""
    loops: tuple[int, ...]
    """Indices of the finished loops that use it."""
    uses: tuple[Use, ...]
    """Every use: its pool, its loop, and the index of the prompt in that loop."""
    prompt: str
    """Digest of the prompt, as in `reflections` and `results`."""
    added: str
    """Text from the learner's memory that followed the prompt; empty if nothing was added."""
    seed: int
    """Sampling seed of the actor."""
    replicate: int
    """Number of the episode among the repeats of its task under its prompt, from 0."""
    end: End
    """How the episode ended."""
    failure: FailureKind | None
    """Kind of the model's failure, if `end` is `failed`."""
    solved: bool
    """Whether the environment reported success."""
    progress: float | None
    """Share of the task that was done at the end, from 0 to 1; missing if the environment does not measure it."""
    decisions: int
    """Number of decisions."""
    invalid: int
    """Number of decisions that were not an available action."""
    total_reward: float
    """Sum of the rewards."""
    versions: str
    """JSON: versions of the packages that the environment's behaviour depends on."""
    last_observation: str
    """Text of the last observation."""
    last_digest: str
    """Digest of the last observation and its available actions."""
    steps: tuple[Step, ...]
    """Every decision: observation, actions (available), digest (of both), thought, proposed, executed (missing if
    invalid), keys (further key presses), reward."""


class _Turn(Row):
    family: str
    """Family of the loop."""
    loop: int
    """Index of the loop."""
    turn: int
    """Number of the turn, 1 … N."""
    episodes: tuple[str, ...]
    """Keys of the episodes of the batch."""
    outcomes: str
    """One character per episode: 1 solved, 0 not."""
    prompt_before: str
    """prompt[turn − 1], under which the batch was played."""
    prompt_after: str
    """prompt[turn]: the reflector's prompt, or the previous one if its reply was not used."""
    digest_before: str
    """Digest of `prompt_before`."""
    digest_after: str
    """Digest of `prompt_after`."""
    selection_before: float
    """Success rate of `prompt_before` on the loop's selection tasks."""
    selection_after: float
    """Success rate of `prompt_after` on the loop's selection tasks."""
    best: bool
    """Whether `prompt_after` is the loop's best prompt."""
    audit_replayed: str | None
    """Outcomes of this batch under `prompt_after`; missing without an audit and in the last turn."""
    audit_fresh: str | None
    """Outcomes of the next batch under `prompt_before`; missing without an audit and in the last turn."""
    online_base: str | None
    """Outcomes of this batch under prompt[0]; missing without online measures."""
    online_best: str | None
    """Outcomes of this batch under the best prompt; missing without online measures."""
    analysis: str
    """The reflector's analysis."""
    failure: ReflectionFailure | None
    """Why the reply was not used; missing if it was."""
    state: str
    """JSON: state of the reflector after the turn."""
    memory: str
    """JSON: memory that the turn returned, which goes with `prompt_after`; null if it returned none."""


class EpisodeRow(Costs, _Episode):
    """One episode."""


class ReflectionRow(Costs, _Turn):
    """One turn of a finished loop."""


class Tested(Row):
    """Outcomes of one prompt on the test tasks, in the form of `selection`."""

    prompt: int
    outcomes: str


class ResultRow(Row):
    """One finished loop."""

    suite: str
    """Name of the suite."""
    suite_digest: str
    """SHA-256 of the suite's content."""
    profile: str
    """Name of the profile."""
    actor: str
    """Label of the actor."""
    reflector: str
    """Label of the reflector."""
    reflector_trained_on: tuple[str, ...] | None
    """Families that the reflector was trained on; empty for none, missing if unknown."""
    actor_trained_on: tuple[str, ...] | None
    """Families that the actor was trained on; empty for none, missing if unknown."""
    control: str
    """Why the arm is a control, which is never ranked; empty if it is not."""
    family: str
    """Family of the loop."""
    role: Role
    """Whether a reflector may be trained on the family."""
    loop: int
    """Index of the loop."""
    base: float
    """Success rate of prompt[0] on the test tasks, over all repeats."""
    best: float
    """Success rate of the best prompt on the test tasks."""
    last: float
    """Success rate of prompt[N] on the test tasks."""
    gain: float
    """best − base."""
    last_gain: float
    """last − base."""
    progress_base: float | None
    """Mean progress of prompt[0] on the test tasks; missing if the environment does not measure it."""
    progress_best: float | None
    """Mean progress of the best prompt on the test tasks."""
    progress_last: float | None
    """Mean progress of prompt[N] on the test tasks."""
    overfitting_gap: float | None
    """Mean over turns of the gain on the turn's own batch minus the gain on the next one; missing without an audit."""
    stream_success: float | None
    """Success rate on the experience, each batch under the prompt of its turn."""
    online_gain: float | None
    """stream_success minus the success rate of prompt[0] on the experience; missing without online measures."""
    online_regret: float | None
    """Success rate of the best prompt on the experience minus stream_success; missing without online measures."""
    forgetting: float | None
    """Success on a family of the stream before turns without it minus that after them; missing unless a stream."""
    forward_transfer: float | None
    """Success on a family of the stream before its first task minus that of prompt[0]; missing unless a stream."""
    best_prompt: int
    """Index of the best prompt: highest selection score, earliest on ties."""
    repeats: int
    """Episodes per selection and test task and prompt."""
    prompts: tuple[str, ...]
    """Digests of prompt[0] … prompt[N]."""
    selection_tasks: tuple[str, ...]
    """Ids of the selection tasks."""
    selection: tuple[str, ...]
    """Outcomes by prompt, one character per episode: 1 solved, 0 not; the repeats of a task stand together."""
    test_tasks: tuple[str, ...]
    """Ids of the test tasks."""
    test: tuple[Tested, ...]
    """Index and outcomes of every tested prompt."""
    ictbench: str
    """Version of ictbench."""
    versions: str
    """JSON: versions of the packages that the environment's behaviour depends on."""


Table = Literal["episodes", "reflections", "results"]

TABLES: dict[Table, type[Row]] = {"episodes": EpisodeRow, "reflections": ReflectionRow, "results": ResultRow}

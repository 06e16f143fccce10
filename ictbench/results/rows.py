"""The rows of export and of frames: the text under a field is what its column means.

`params`, `versions` and `state` stay JSON, as what they hold differs from suite to suite.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from ictbench.choices import FailureKind
from ictbench.protocol.loop_result import Purpose
from ictbench.records import End, Record, ReflectionFailure, Role, Step


class Row(Record):
    """Base of the rows."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Use(Row):
    """What an episode was played for."""

    pool: Purpose
    loop: int
    prompt: int
    """Index of the prompt in that loop; of a replay, of the prompt that its turn ended with."""


class Costs(Row):
    """What calls to a model cost."""

    calls: int
    """Calls to the model that were answered."""
    input_tokens: int
    """Tokens read."""
    output_tokens: int
    """Tokens written."""
    cached_tokens: int
    """Of the tokens read, those that the provider had cached."""
    reasoning_tokens: int
    """Of the tokens written, those of hidden reasoning."""
    cost: float | None
    """US dollars; missing where a price is unknown."""
    cache_hits: int
    """Replies that came from the response cache: no calls, no tokens, no cost."""


class _Episode(Row):
    key: str
    """Task id and prompt digest: equal keys are the same episode."""
    family: str
    """The task's family."""
    task: str
    """The task's id."""
    env: str
    """Environment adapter."""
    params: str
    """JSON: what starts the task, e.g. its seed."""
    pools: tuple[Purpose, ...]
    """Pools it was played for: experience, selection, test; audit where that plays experience again, replay where the
    reflector does."""
    loops: tuple[int, ...]
    """Loops that it counts in; empty where none of them is finished."""
    uses: tuple[Use, ...]
    """Each use: its pool, its loop, and the index of the prompt in that loop."""
    prompt: str
    """Digest of the prompt; `reflections` and `results` have it too."""
    seed: int
    """Sampling seed of the actor."""
    replicate: int
    """0, but where a task is played more than once under one prompt."""
    end: End
    """How it ended."""
    failure: FailureKind | None
    """What the model failed by, where `end` is `failed`."""
    solved: bool
    """Whether the environment said so."""
    decisions: int
    """Decisions taken."""
    invalid: int
    """Decisions that were no available action."""
    total_reward: float
    """Sum of the rewards."""
    versions: str
    """JSON: versions of the packages that the environment's behaviour depends on."""
    last_observation: str
    """What was seen at the end."""
    last_digest: str
    """Digest of it and the actions that were then available."""
    steps: tuple[Step, ...]
    """Each decision: observation, actions (available), digest (of both), thought, proposed, executed (missing where
    invalid), keys (further key presses), reward."""


class _Turn(Row):
    family: str
    """Family of the loop."""
    loop: int
    """Index of the loop."""
    turn: int
    """1 … N."""
    episodes: tuple[str, ...]
    """Keys of the batch that was reflected on."""
    outcomes: str
    """One character an episode: 1 solved, 0 not."""
    prompt_before: str
    """The prompt it was played under, prompt[turn − 1]."""
    prompt_after: str
    """prompt[turn]: the reflector's, or the one before where its reply could not be used."""
    digest_before: str
    """Digest of `prompt_before`."""
    digest_after: str
    """Digest of `prompt_after`."""
    selection_before: float
    """Success of `prompt_before` on the loop's selection tasks."""
    selection_after: float
    """Success of `prompt_after` on them."""
    best: bool
    """Whether `prompt_after` is the loop's best prompt."""
    audit_replayed: str | None
    """Outcomes of this batch played again under `prompt_after`; missing without an audit, and in the last turn."""
    audit_fresh: str | None
    """Outcomes of the next batch played under `prompt_before`; missing where `audit_replayed` is."""
    analysis: str
    """The reflector's analysis."""
    failure: ReflectionFailure | None
    """Why the reply could not be used, where it could not."""
    state: str
    """JSON: what the reflector remembers from here on."""


class EpisodeRow(Costs, _Episode):
    """One episode."""


class ReflectionRow(Costs, _Turn):
    """One turn of a finished loop."""


class Tested(Row):
    """Outcomes of one prompt on the test tasks."""

    prompt: int
    outcomes: str


class ResultRow(Row):
    """One finished loop."""

    suite: str
    """Name of the suite."""
    suite_digest: str
    """SHA-256 of what the suite says."""
    profile: str
    """Named sizes."""
    actor: str
    """The actor's label."""
    reflector: str
    """The reflector's label."""
    reflector_trained_on: tuple[str, ...] | None
    """Families that the reflector was trained on; empty for nothing, missing where unknown."""
    control: str
    """Why the arm is a control, which is never ranked; empty if it is none."""
    family: str
    """Family of the loop."""
    role: Role
    """Whether a reflector may be trained on the family."""
    loop: int
    """Index of the loop."""
    base: float
    """Success of prompt[0] on the test tasks."""
    best: float
    """Success of the best prompt on them."""
    last: float
    """Success of prompt[N] on them."""
    gain: float
    """best − base."""
    last_gain: float
    """last − base."""
    overfitting_gap: float | None
    """Gain of a turn on its own batch, replayed, minus its gain on the next one; missing without an audit."""
    best_prompt: int
    """Index of the best prompt: highest selection success, earliest on ties."""
    prompts: tuple[str, ...]
    """Digests of prompt[0] … prompt[N]."""
    selection_tasks: tuple[str, ...]
    """Ids of the selection tasks."""
    selection: tuple[str, ...]
    """By prompt, one character a task: 1 solved, 0 not."""
    test_tasks: tuple[str, ...]
    """Ids of the test tasks."""
    test: tuple[Tested, ...]
    """Index and outcomes of every prompt that was tested."""
    ictbench: str
    """Version of ictbench."""
    versions: str
    """JSON: versions of the packages that the environment's behaviour depends on."""


Table = Literal["episodes", "reflections", "results"]

TABLES: dict[Table, type[Row]] = {"episodes": EpisodeRow, "reflections": ReflectionRow, "results": ResultRow}

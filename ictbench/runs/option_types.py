"""Types of option values, for checks of calls. Written by `make options` from `ictbench.runs.options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ictbench.actors import Actor
    from ictbench.envs import TextEnv
    from ictbench.reflectors import Reflector


class RunOptions(TypedDict, total=False):
    """Options of `ictbench.run` and `ictbench.dry_run`."""

    env: type[TextEnv] | str | None
    """Environment; its newest suite is run."""
    suite: str | None
    """Suite by name or YAML file, instead of an environment."""
    families: str | Sequence[str]
    """Families by name, or held-out, meta-train, all; separate several by commas."""
    profile: Literal["quick", "lite", "standard", "standard-k5"]
    """Named sizes; all but quick can be ranked."""
    start_prompt: str | None
    """Text file, or folder of a run whose best prompts are taken, for prompt[0]; such a run is never
    ranked."""
    reflector: type[Reflector] | str
    """provider/model; ace:, cheatsheet:, expel:, gepa:, gepa-loop:, reasoningbank: or
    workflows:provider/model; rules (scripted), none (prompt unchanged), icl, retrieval, copy, copy-last,
    copy-commonest, file:PATH (hand-written prompt), module:Class; blind:, shuffled:, unlabelled:, flipped:,
    losses: or reflexion:REFLECTOR."""
    actor: type[Actor] | str | None
    """provider/model, rules (scripted), module:Class."""
    reflector_trained_on: str | Sequence[str] | None
    """Families the reflector was trained on: SUITE/FAMILY, SUITE/meta-train, SUITE, other:NAME, several
    separated by commas, or nothing."""
    actor_trained_on: str | Sequence[str] | None
    """Families the actor was trained on, in the same form."""
    reflector_instruction: Path | None
    """Text file with the instruction of the reflector's model, for rewrite, gepa, gepa-loop and memory
    learners; part of the result."""
    reflector_experience: Literal["full", "events", "tally"] | None
    """Observations shown to the reflector's model: in full, only what changed (events), or each action with
    the outcomes of its episodes (tally)."""
    reflector_temperature: float | None
    """Sampling temperature of the reflector's model."""
    reflector_max_tokens: int | None
    """Maximum tokens of one reply of the reflector."""
    reflector_top_p: float | None
    """Share of the probability from which the reflector's model samples."""
    reflector_reasoning_effort: str | None
    """How much the reflector's model reasons, e.g. low, medium or high."""
    reflector_stop: str | Sequence[str]
    """Texts before which a reply of the reflector's model ends."""
    actor_temperature: float | None
    """Sampling temperature of the actor's model."""
    actor_top_p: float | None
    """Share of the probability from which the actor's model samples."""
    actor_reasoning_effort: str | None
    """How much the actor's model reasons, e.g. low, medium or high."""
    actor_stop: str | Sequence[str]
    """Texts before which a reply of the actor's model ends."""
    reflector_base_url: str | None
    """Address of the reflector's model."""
    actor_base_url: str | None
    """Address of the actor's model."""
    reflector_model_options: Mapping[str, Any] | Sequence[str]
    """KEY=VALUE for the provider of the reflector, e.g. lora=PATH."""
    actor_model_options: Mapping[str, Any] | Sequence[str]
    """KEY=VALUE for the provider of the actor, e.g. n_ctx=4096."""
    actor_max_tokens: int | None
    """Maximum tokens of one reply of the actor."""
    actor_decoding: Literal["free", "grammar", "json", "tools"] | None
    """Free text, replies constrained to a valid action (grammar, json), or tool calls."""
    actor_history: int | None
    """Past turns shown to the actor."""
    actor_past_actions: Literal["changed", "none"] | None
    """Available actions listed in past turns: where they differ from the current ones, or none (fewer
    tokens)."""
    no_adapt: bool
    """Stop if a server rejects a request as it is, instead of adapting the requests to the server."""
    turns: int | None
    """Turns per loop (N)."""
    batch_size: int | None
    """Episodes per turn (k)."""
    loops: int | None
    """Loops per family (L)."""
    selection_size: int | None
    """Selection tasks per loop."""
    test_size: int | None
    """Test tasks per loop."""
    repeats: int | None
    """Episodes per selection and test task, each with its own sampling seed (R), for pass^k and sampling
    noise."""
    max_steps: int | None
    """Maximum decisions per episode."""
    test_every_turn: bool
    """Score every prompt on the test tasks."""
    audit: bool
    """Play batches under the previous and the next prompt too, for the overfitting gap."""
    online: bool
    """Play batches under prompt[0] and the best prompt too, for the online gain and the regret."""
    max_connections: int
    """Maximum concurrent requests."""
    requests_per_minute: int | None
    """Requests per minute, over all models."""
    tokens_per_minute: int | None
    """Tokens per minute, over all models."""
    max_cost: float | None
    """US dollars; the run stops there and can be continued."""
    stop_on_projected_cost: bool
    """Stop as soon as the projected cost of the whole run exceeds --max-cost."""
    max_tokens: int | None
    """Input plus output tokens; the run stops there and can be continued."""
    max_time: float | None
    """Seconds of this session; the run stops there and can be continued."""
    request_timeout: float
    """Seconds a request to a model may take."""
    outage_pause: float
    """Seconds to wait before one last attempt when no request succeeds."""
    episode_time_limit: float | None
    """Seconds an episode may take, without waits for retries and rate limits."""
    executor: Literal["inline", "process", "ray"]
    """This process, worker processes, or a Ray cluster."""
    workers: int | None
    """Number of worker processes or Ray actors."""
    ray_address: str | None
    """Address of the Ray cluster."""
    worker_resources: Mapping[str, float] | Sequence[str]
    """NAME=AMOUNT that a Ray worker needs."""
    env_timeout: float
    """Seconds an environment may take for one call; then its worker is replaced."""
    preregistration: Path | None
    """Pre-registration of the experiment, a YAML file; the result states how the run departs from it."""
    cache: Path | None
    """Response cache, an SQLite file."""
    retry_failed: str | Sequence[str]
    """Kinds of failed episodes and reflections to repeat when a run is continued, separated by commas."""
    accept_failures: str | Sequence[str]
    """Kinds of failures that count as the model's own and never stop the run, separated by commas."""
    log_level: Literal["debug", "info", "warning", "error"]
    """Level of run.log in the folder of the run."""


class RerunOptions(TypedDict, total=False):
    """Options of a run that a rerun takes."""

    reflector_base_url: str | None
    actor_base_url: str | None
    reflector_model_options: Mapping[str, Any] | Sequence[str]
    actor_model_options: Mapping[str, Any] | Sequence[str]
    max_connections: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    max_cost: float | None
    max_tokens: int | None
    max_time: float | None
    request_timeout: float
    executor: Literal["inline", "process", "ray"]
    workers: int | None
    ray_address: str | None
    worker_resources: Mapping[str, float] | Sequence[str]
    env_timeout: float
    cache: Path | None
    accept_failures: str | Sequence[str]


class VerifyOptions(TypedDict, total=False):
    """Options of a run that a verification takes."""

    executor: Literal["inline", "process", "ray"]
    workers: int | None
    ray_address: str | None
    worker_resources: Mapping[str, float] | Sequence[str]
    env_timeout: float


class MetaOptions(TypedDict, total=False):
    """Options of a run that the meta-environment takes."""

    profile: Literal["quick", "lite", "standard", "standard-k5"]
    actor_temperature: float | None
    actor_top_p: float | None
    actor_reasoning_effort: str | None
    actor_stop: str | Sequence[str]
    actor_base_url: str | None
    actor_model_options: Mapping[str, Any] | Sequence[str]
    actor_max_tokens: int | None
    actor_decoding: Literal["free", "grammar", "json", "tools"] | None
    actor_history: int | None
    actor_past_actions: Literal["changed", "none"] | None
    no_adapt: bool
    turns: int | None
    batch_size: int | None
    selection_size: int | None
    test_size: int | None
    max_steps: int | None
    max_connections: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    max_cost: float | None
    max_tokens: int | None
    max_time: float | None
    request_timeout: float
    episode_time_limit: float | None
    executor: Literal["inline", "process", "ray"]
    workers: int | None
    ray_address: str | None
    worker_resources: Mapping[str, float] | Sequence[str]
    env_timeout: float
    cache: Path | None
    accept_failures: str | Sequence[str]


class CampaignOptions(TypedDict, total=False):
    """Options that hold for all cells of a campaign together."""

    max_connections: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    max_cost: float | None
    max_tokens: int | None
    max_time: float | None
    executor: Literal["inline", "process", "ray"]
    workers: int | None
    ray_address: str | None
    worker_resources: Mapping[str, float] | Sequence[str]
    env_timeout: float
    cache: Path | None
    retry_failed: str | Sequence[str]
    accept_failures: str | Sequence[str]
    log_level: Literal["debug", "info", "warning", "error"]

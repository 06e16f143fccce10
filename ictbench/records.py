"""The records that travel between the floors: frozen, typed, plain JSON underneath."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ictbench.choices import FailureKind

if TYPE_CHECKING:
    from pydantic import ValidationError

Role = Literal["meta-train", "held-out"]
Pool = Literal["experience", "selection", "test"]
EnvEnd = Literal["solved", "died", "env_ended"]
End = Literal["solved", "died", "env_ended", "step_limit", "failed"]
ReflectionFailure = Literal["unparseable", "too_long"] | FailureKind


def digest_of(value: Any, length: int = 64) -> str:
    """SHA-256 of the canonical JSON of `value`, as `length` hexadecimal digits."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:length]


def validation_message(error: ValidationError) -> str:
    """Return the first problem of a validation error as one line: its place, the message and the value."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {first['msg']}, got {first['input']!r:.80}{more}"


class Record(BaseModel):
    """Base of all records: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Task(Record):
    """One playable instance: what an environment needs to start it, and nothing else."""

    id: str
    family: str
    env: str
    """Name of the environment adapter, as the resolver knows it."""
    params: dict[str, JsonValue]
    """What the adapter's `reset` needs, e.g. an environment id and its seed."""


class Observation(Record):
    """What an environment shows after `reset` or `step`."""

    text: str
    actions: tuple[str, ...]
    """The available actions, in the order they are shown."""
    reward: float = 0.0
    end: EnvEnd | None = None
    keys: tuple[str, ...] = ()
    """Key presses the adapter made to carry the last decision out; they are not decisions."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of SHA-256 over text and available actions."""
        return digest_of([self.text, self.actions], 16)


class Usage(Record):
    """What calls to a model cost. `cost` is in US dollars, None where a price is unknown."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float | None = 0.0
    cache_hits: int = 0
    """Replies that came from the response cache: no calls, no tokens, no cost."""

    def __add__(self, other: Usage) -> Usage:
        known = self.cost is not None and other.cost is not None
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cost=(self.cost or 0.0) + (other.cost or 0.0) if known else None,
            cache_hits=self.cache_hits + other.cache_hits,
        )


class Decision(Record):
    """What an actor answers: the proposed action (None if its reply held none) and its thought."""

    action: str | None
    thought: str = ""
    usage: Usage = Usage()


class Step(Record):
    """One decision of a trajectory: what was shown, proposed, executed, and what came of it."""

    observation: str
    """The text as the actor saw it."""
    actions: tuple[str, ...]
    digest: str
    """Of the raw observation, before any notice about an invalid action was put in front."""
    thought: str
    proposed: str | None
    executed: str | None
    """None where the proposal was invalid: a decision was spent and nothing happened."""
    keys: tuple[str, ...] = ()
    reward: float = 0.0


class Trajectory(Record):
    """One finished episode. It names neither task, environment nor seed: reflectors read it."""

    steps: tuple[Step, ...]
    last_observation: str
    last_digest: str
    end: End
    failure: FailureKind | None = None

    @property
    def solved(self) -> bool:
        """Whether the environment itself said so."""
        return self.end == "solved"

    @property
    def total_reward(self) -> float:
        """Sum of all rewards."""
        return sum(step.reward for step in self.steps)

    @property
    def invalid(self) -> int:
        """Number of decisions whose proposal was not an available action."""
        return sum(step.executed is None for step in self.steps)


class ModelSpec(Record):
    """A language model as plain data: an adapter is opened from it where it is needed."""

    provider: str
    model: str
    base_url: str | None = None
    temperature: float | None = 0.0
    max_tokens: int = 500
    timeout: float = 120.0
    """Seconds one request may take."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """What only this provider knows, e.g. how to launch its server."""

    @property
    def name(self) -> str:
        """`provider/model`, or the name of a user's own class."""
        return f"{self.provider}/{self.model}" if self.model else self.provider


class PluginSpec(Record):
    """An actor or a reflector as plain data: the name of its class, its options, its model."""

    label: str
    """How the user asked for it, and how tables name it."""
    name: str
    options: dict[str, JsonValue] = Field(default_factory=dict)
    model: ModelSpec | None = None


class EpisodeSpec(Record):
    """Everything needed to play one episode, anywhere."""

    task: Task
    prompt: str
    actor: PluginSpec
    max_steps: int
    seed: int
    """The sampling seed; see `ictbench.protocol.seeds`."""
    replicate: int = 0
    time_limit: float | None = None
    """Seconds the episode may take, waiting for retries and limits not counted; None for no limit."""

    @property
    def key(self) -> str:
        """Key of the episode within a run: equal keys are the same episode."""
        return episode_key(self.task.id, prompt_digest(self.prompt), self.replicate)


def episode_key(task_id: str, digest: str, replicate: int = 0) -> str:
    """Return the key of the episode of a task under the prompt with this digest."""
    suffix = f".{replicate}" if replicate else ""
    return f"{task_id}@{digest}{suffix}"


def task_id_of(key: str) -> str:
    """Return the task id in an episode key; empty if the key holds none."""
    return key.rpartition("@")[0]


@functools.lru_cache(maxsize=1024)
def prompt_digest(prompt: str) -> str:
    """Return 12 hexadecimal digits of SHA-256 over the prompt's UTF-8 bytes."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:12]


class Episode(Record):
    """A finished episode with its identity and cost."""

    key: str
    task: Task
    prompt: str
    """Digest of the prompt it was played under."""
    seed: int
    replicate: int
    trajectory: Trajectory
    usage: Usage
    versions: dict[str, str]
    """Versions of the packages that the environment's behaviour depends on; of a game in a file, its SHA-256."""

    def summary(self) -> EpisodeSummary:
        """The episode without its steps."""
        trajectory = self.trajectory
        first = trajectory.steps[0].digest if trajectory.steps else trajectory.last_digest
        return EpisodeSummary(
            key=self.key,
            end=trajectory.end,
            failure=trajectory.failure,
            decisions=len(trajectory.steps),
            invalid=trajectory.invalid,
            first_digest=first,
            usage=self.usage,
        )


class EpisodeSummary(Record):
    """What measures need of an episode, without its steps."""

    key: str
    end: End
    failure: FailureKind | None
    decisions: int
    invalid: int
    first_digest: str
    """Of the first raw observation: equal ones are, as far as anyone can see, the same start."""
    usage: Usage

    @property
    def solved(self) -> bool:
        """Whether the environment itself said so."""
        return self.end == "solved"


class Reflection(Record):
    """What a reflector answers. `prompt` is None where the reply was unusable, for the reason in `failure`."""

    prompt: str | None
    analysis: str = ""
    failure: ReflectionFailure | None = None
    state: JsonValue = None
    usage: Usage = Usage()
    replays: tuple[str, ...] = ()
    """Keys of the episodes that it had played itself. Whoever lets it play fills this in."""

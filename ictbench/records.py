"""Records that packages exchange: frozen, typed, and plain JSON when serialised."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import to_json

from ictbench.choices import FailureKind

if TYPE_CHECKING:
    from collections.abc import Sequence

Role = Literal["meta-train", "held-out"]
Pool = Literal["experience", "selection", "test"]
EnvEnd = Literal["solved", "died", "env_ended"]
End = Literal["solved", "died", "env_ended", "step_limit", "failed"]
ReflectionFailure = Literal["unparseable", "too_long"] | FailureKind
Division = Literal["reflector", "memory", "optimiser"]
"""How a learner learns: it rewrites the prompt once a turn; it also keeps a memory; it optimises over a whole loop."""
OmittedParameter = Literal["additionalProperties", "maxLength", "parallel_tool_calls", "seed", "strict", "temperature"]
"""Parameters of a request, or keywords of its JSON Schema, without which a server still does what is asked."""


MEMORY_BYTES = 256_000
"""Maximum size of a memory: UTF-8 bytes of its canonical JSON."""

MEMORY_VALUES = 40_000
"""Maximum number of values in a memory, which bounds the time and memory that a verifier needs to read it."""

ADDED_BYTES = 2_000
"""Maximum size of the text that a memory adds to the prompt of an episode, in UTF-8 bytes."""

BLANK_LINE = "\n\n"
"""Stands between a prompt and what a memory adds to it."""

MEMORY_ROOM = ADDED_BYTES + len(BLANK_LINE)
"""Bytes of the cap of a prompt that a learner with a memory leaves free."""


def digest_of(value: Any, length: int = 64) -> str:
    """Return the first `length` hexadecimal digits of SHA-256 over the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def canonical_json(value: Any) -> str:
    """Return the canonical JSON of a value: sorted keys, no white space."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


Progress = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""Share of a task that is done, as the environment measures it: 1 if the task is solved."""


def _is_unknown(value: object) -> bool:
    """Return whether a field is left out when it is written, because it is None."""
    return value is None


def _is_zero(value: float) -> bool:
    """Return whether a field is left out when it is written, so that files without the field stay the same."""
    return value == 0


class Record(BaseModel):
    """Base class of all records: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Registered(Record):
    """Reference of a training or a run to its pre-registration."""

    digest: str
    """Digest of the pre-registration, as `sha256:…`."""
    departures: tuple[str, ...] = ()
    """A sentence for each point that differs from the pre-registration; what departs is exploratory."""

    @property
    def in_words(self) -> str:
        """One sentence for people."""
        kind = f"exploratory ({'; '.join(self.departures)})" if self.departures else "as registered"
        return f"Pre-registration {self.digest[:19]}: {kind}."


class Task(Record):
    """One playable instance, with everything that an environment needs to start it."""

    id: str
    family: str
    env: str
    """Name of the environment adapter, as plug-in lookup resolves it."""
    params: dict[str, JsonValue]
    """Parameters of the adapter's `reset`, e.g. an environment id and its seed."""


class Observation(Record):
    """Observation that an environment returns from `reset` or `step`."""

    text: str
    actions: tuple[str, ...]
    """Available actions, in the order in which they are shown."""
    reward: float = 0.0
    end: EnvEnd | None = None
    keys: tuple[str, ...] = ()
    """Key presses with which the adapter carried out the last decision; they are not decisions."""
    progress: Progress | None = Field(default=None, exclude_if=_is_unknown)
    """Share of the task that is done now; None, in all observations of a task, if the environment does not measure it.

    It is the environment's own measure, e.g. the share of goal conditions that hold, or score ÷ maximum score; 1 if
    the task is solved. It is shown to neither actor nor reflector.
    """

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of SHA-256 over text and available actions."""
        # The same bytes as in `digest_of`, in a third of the time: one is computed at every step.
        return hashlib.sha256(to_json([self.text, self.actions])).hexdigest()[:16]


def text_digest(text: str) -> str:
    """Return the digest of a text, in the form of that of an observation."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Memory(Record):
    """Memory of a learner after a turn: plain JSON and its digest."""

    value: JsonValue
    digest: str
    """16 hexadecimal digits of SHA-256 over the canonical JSON; empty if there is no memory."""

    @classmethod
    def of(cls, value: JsonValue) -> Memory:
        """Return the memory with this value; None stands for no memory."""
        return NO_MEMORY if value is None else cls(value=value, digest=digest_of(value, 16))


NO_MEMORY = Memory(value=None, digest="")


class Usage(Record):
    """Calls to a model, their tokens and cost.

    What a provider does not report is unknown, never zero: the counts of tokens are then lower bounds, and the cost is
    None, with its bounds in `cost_at_least` and `cost_at_most`.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None if a price or a usage is unknown."""
    cache_hits: int = 0
    """Replies from the response cache; they count as no calls, tokens or cost."""
    cache_written_tokens: int = Field(default=0, exclude_if=_is_zero)
    """Input tokens that the provider stored in its cache, where that has a price of its own."""
    unreported: int = Field(default=0, exclude_if=_is_zero)
    """Requests without a reported usage. Their tokens are in none of the counts above."""
    unreported_tokens: int = Field(default=0, exclude_if=_is_zero)
    """Upper estimate of the tokens of the unreported requests."""
    cost_at_least: float = Field(default=0.0, exclude_if=_is_zero)
    """Known part of an unknown cost."""
    cost_at_most: float | None = Field(default=None, exclude_if=lambda cost: cost is None)
    """Upper estimate of an unknown cost; None if there is none, because a price is unknown."""

    @property
    def tokens(self) -> int:
        """Input and output tokens: a lower bound if a usage is unreported."""
        return self.input_tokens + self.output_tokens

    @property
    def cost_bounds(self) -> tuple[float, float | None]:
        """Lower and upper bound of the cost, equal if it is known."""
        return (self.cost_at_least, self.cost_at_most) if self.cost is None else (self.cost, self.cost)

    @classmethod
    def total(cls, usages: Sequence[Usage]) -> Usage:
        """Return the sum of usages, faster than by adding one after the other."""
        counts = dict(zip(COUNTS, map(sum, zip(*map(_counts, usages), strict=True)), strict=False))
        least, most = 0.0, 0.0
        for usage in usages:
            lower, upper = usage.cost_bounds
            least += lower
            most = math.nan if upper is None else most + upper
        if all(usage.cost is not None for usage in usages):
            return cls(**counts, cost=least)
        return cls(**counts, cost=None, cost_at_least=least, cost_at_most=None if math.isnan(most) else most)

    def __add__(self, other: Usage) -> Usage:
        return Usage.total((self, other))


COUNTS = tuple(name for name in Usage.model_fields if not name.startswith("cost"))
"""Fields of `Usage` that are counts."""

_counts = attrgetter(*COUNTS)

UNREPORTED = Usage(calls=1, unreported=1, cost=None)
"""One call about whose usage nothing is known."""


class Decision(Record):
    """Answer of an actor."""

    action: str | None
    """The proposed action; None if the reply held none."""
    thought: str = ""
    usage: Usage = Usage()


class Step(Record):
    """One decision of a trajectory: what was shown, proposed and executed, and its reward."""

    observation: str
    """Text as the actor saw it."""
    actions: tuple[str, ...]
    digest: str
    """Digest of the raw observation, without a preceding notice about an invalid action."""
    thought: str
    proposed: str | None
    executed: str | None
    """None if the proposal was invalid: it cost a decision and changed nothing."""
    keys: tuple[str, ...] = ()
    reward: float = 0.0


class Trajectory(Record):
    """One finished episode. Reflectors read it, so it does not name the task, the environment or the seed."""

    steps: tuple[Step, ...]
    last_observation: str
    last_digest: str
    end: End
    failure: FailureKind | None = None

    @property
    def solved(self) -> bool:
        """Whether the environment reported success."""
        return self.end == "solved"

    @property
    def total_reward(self) -> float:
        """Sum of the rewards."""
        return sum(step.reward for step in self.steps)

    @property
    def invalid(self) -> int:
        """Number of decisions whose proposal was not an available action."""
        return sum(step.executed is None for step in self.steps)


class Adaptation(Record):
    """Changes to the requests of a model that its server requires; part of the identity of a player.

    The rehearsal before a run finds them. None of them changes what a player is told or asked.
    """

    fold_system: bool = False
    """Whether the system text opens the first user message, for chat templates without a system role."""
    merge_roles: bool = False
    """Whether consecutive messages of one role become one message, for chat templates that require alternation."""
    token_limit: Literal["max_tokens", "max_completion_tokens"] | None = None
    """Name of the parameter that limits a reply; None for the provider's usual one."""
    tool_choice: Literal["required"] | None = None
    """How the only tool is forced, where the server cannot be told its name."""
    omit: tuple[OmittedParameter, ...] = ()
    """Parameters that are not sent, sorted."""

    @property
    def in_words(self) -> str:
        """The changes as a list of short clauses; empty if there are none."""
        clauses = [
            "the system text opens the first user message" if self.fold_system else "",
            "consecutive messages of one role are merged" if self.merge_roles else "",
            f"the token limit is sent as {self.token_limit}" if self.token_limit else "",
            f"the tool is forced by tool_choice {self.tool_choice}" if self.tool_choice else "",
            f"{', '.join(self.omit)} not sent" if self.omit else "",
        ]
        return "; ".join(filter(None, clauses))


NOT_ADAPTED = Adaptation()


class ModelSpec(Record):
    """Specification of a language model, from which a process opens its client."""

    provider: str
    model: str
    base_url: str | None = None
    temperature: float | None = 0.0
    max_tokens: int = 500
    timeout: float = 120.0
    """Seconds a request may take."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """Options of the provider, e.g. how to launch its server."""
    top_p: float | None = Field(default=None, exclude_if=lambda value: value is None)
    reasoning_effort: str | None = Field(default=None, exclude_if=lambda value: value is None)
    stop: tuple[str, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Texts before which a reply ends."""
    adaptation: Adaptation = Field(default=NOT_ADAPTED, exclude_if=lambda adaptation: adaptation == NOT_ADAPTED)
    """Changes to requests that the server requires; left out of JSON if there are none."""

    @property
    def name(self) -> str:
        """`provider/model`, or `module:Name` of a user's class."""
        return f"{self.provider}/{self.model}" if self.model else self.provider


class PluginSpec(Record):
    """Specification of an actor or a reflector."""

    label: str
    """Name as the user gave it and as tables show it."""
    name: str
    """Name of its class, as plug-in lookup resolves it."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    model: ModelSpec | None = None


class EpisodeSpec(Record):
    """Everything that a worker needs to play one episode."""

    task: Task
    prompt: str
    actor: PluginSpec
    max_steps: int
    seed: int
    """Sampling seed; see `ictbench.protocol.seeds`."""
    replicate: int = 0
    memory: str = ""
    """Digest of the learner's memory; empty if it has none."""
    added: str = ""
    """Text from the memory that follows the prompt in this episode."""
    time_limit: float | None = None
    """Seconds the episode may take, not counting waits for retries and rate limits; None means no limit."""
    keep_texts: bool = True
    """False leaves observations and available actions out of the trajectory, except the first; their digests stay."""

    @property
    def key(self) -> str:
        """Key of the episode within a run: equal keys are the same episode.

        Prompt and memory are part of it. With the task they determine the added text.
        """
        return episode_key(self.task.id, self.prompt_digest, self.replicate)

    @property
    def prompt_digest(self) -> str:
        """Digest of the prompt and of the memory that goes with it."""
        return prompt_digest(self.prompt, self.memory)

    @property
    def system_prompt(self) -> str:
        """Prompt with the text from the memory, as the actor is shown it."""
        return extended_prompt(self.prompt, self.added)


def episode_key(task_id: str, digest: str, replicate: int = 0) -> str:
    """Return the key of the episode of a task under the prompt with this digest."""
    suffix = f".{replicate}" if replicate else ""
    return f"{task_id}@{digest}{suffix}"


def task_id_of(key: str) -> str:
    """Return the task id in an episode key; empty if the key holds none."""
    return key.rpartition("@")[0]


def prompt_of(key: str) -> str:
    """Return the digest of the prompt in the key of an episode that is not repeated; empty if the key holds none."""
    return key.rpartition("@")[2] if "@" in key else ""


@functools.lru_cache(maxsize=1024)
def prompt_digest(prompt: str, memory: str = "") -> str:
    """Return 12 hexadecimal digits of SHA-256 over the prompt's UTF-8 bytes, and over the digest of a memory."""
    return hashlib.sha256(f"{prompt}\0{memory}".encode() if memory else prompt.encode()).hexdigest()[:12]


def extended_prompt(prompt: str, added: str) -> str:
    """Return a prompt with the text that a memory adds to it in one episode."""
    return f"{prompt}{BLANK_LINE}{added}" if added else prompt


class Episode(Record):
    """A finished episode with its identity and cost."""

    key: str
    task: Task
    prompt: str
    """Digest of the prompt it was played under, and of the memory that goes with it."""
    seed: int
    replicate: int
    trajectory: Trajectory
    usage: Usage
    versions: dict[str, str]
    """Versions of the packages that the environment's behaviour depends on, and SHA-256 of a game file."""
    failure_detail: str = Field(default="", exclude_if=lambda text: not text)
    """What the endpoint or the model's class said about the failure, shortened and without secrets."""
    start: str = Field(default="", exclude_if=lambda digest: not digest)
    """Digest of what distinguishes the start, as the environment says; empty if it is the whole first observation."""
    added: str = Field(default="", exclude_if=lambda text: not text)
    """Text that the learner's memory added to the prompt."""
    progress: Progress | None = Field(default=None, exclude_if=_is_unknown)
    """Progress at the end, that of the last observation; None if the environment does not measure it."""

    def summary(self) -> EpisodeSummary:
        """Return the summary of the episode."""
        trajectory = self.trajectory
        first = trajectory.steps[0].digest if trajectory.steps else trajectory.last_digest
        return EpisodeSummary(
            key=self.key,
            end=trajectory.end,
            failure=trajectory.failure,
            decisions=len(trajectory.steps),
            invalid=trajectory.invalid,
            first_digest=first,
            start=self.start,
            usage=self.usage,
            added_bytes=len(self.added.encode()),
            progress=self.progress,
        )


class EpisodeSummary(Record):
    """Parts of an episode that the measures need: all but its steps."""

    key: str
    end: End
    failure: FailureKind | None
    decisions: int
    invalid: int
    first_digest: str
    """Digest of the first raw observation."""
    usage: Usage
    start: str = Field(default="", exclude_if=lambda digest: not digest)
    """Digest of what distinguishes the start; empty if it is the whole first observation."""
    added_bytes: int = Field(default=0, exclude_if=_is_zero)
    """UTF-8 bytes of the text that the learner's memory added to the prompt."""
    progress: Progress | None = Field(default=None, exclude_if=_is_unknown)
    """Progress at the end; None if it is not known."""

    @property
    def solved(self) -> bool:
        """Whether the environment reported success."""
        return self.end == "solved"

    @property
    def start_digest(self) -> str:
        """Digest of what distinguishes the start; equal digests are starts that look the same."""
        return self.start or self.first_digest


class Candidate(Record):
    """Prompt that an optimiser tried, as the optimiser describes it."""

    text: str
    parents: tuple[str, ...] = ()
    """Texts of the candidates that it was made from."""
    kept: bool = False
    """Whether the optimiser works on with it; False if it was dropped or is not decided on yet."""
    front: tuple[int, ...] = ()
    """Positions of the tasks for which it is on the Pareto front."""


class Reflection(Record):
    """Answer of a reflector."""

    prompt: str | None
    """The next prompt; None if the reply was unusable, for the reason in `failure`."""
    analysis: str = ""
    failure: ReflectionFailure | None = None
    failure_detail: str = Field(default="", exclude_if=lambda text: not text)
    """What the endpoint or the model's class said about the failure, shortened and without secrets."""
    state: JsonValue = None
    memory: JsonValue = Field(default=None, exclude_if=lambda memory: memory is None)
    """The new memory of a learner of the memory division, plain JSON of at most `MEMORY_BYTES`; None keeps the current
    one."""
    usage: Usage = Usage()
    replays: tuple[str, ...] = ()
    """Keys of the episodes that the reflector played itself; the caller fills them in."""
    outcomes: str = Field(default="", exclude_if=lambda outcomes: not outcomes)
    """Outcomes of the replays of an optimiser; the caller fills them in."""
    candidates: tuple[Candidate, ...] = Field(default=(), exclude_if=lambda candidates: not candidates)
    """Prompts that an optimiser has tried so far. Those that were played and are missing are added, those that were not
    played are left out."""

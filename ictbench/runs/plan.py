"""What a run is asked to do, checked and worked out in full before anything is played."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import Field, JsonValue, ValidationError, field_validator

from ictbench.choices import DecodingName, ExperienceFormat, FailureKind, ProfileName
from ictbench.errors import ConfigError
from ictbench.models.checkpoint_card import find_card
from ictbench.models.usage_meter import Limits
from ictbench.plugins import resolve
from ictbench.protocol import loop_plan, sampling_seed
from ictbench.protocol.experience import batches_of, check_experience
from ictbench.records import EpisodeSpec, PluginSpec, Record
from ictbench.reflectors import Traits, traits_of
from ictbench.runs.deviations import SIZES, deviations
from ictbench.runs.player_names import ModelAccess, default_actor, parse_player
from ictbench.suites import Sizes, Suite, load_suite
from ictbench.suites.load import describe, suites_of_env
from ictbench.suites.trained_on import TrainedOn, parse_trained_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.protocol import LoopPlan
    from ictbench.records import Task

DEFAULT_ENV = "minihack"
PLACE = {"model": {"base_url", "timeout"}}
"""What of a player may change between sittings: the same model may be served elsewhere tomorrow."""


class Options(Record):
    """What a user can ask of a run. None stands for what suite and profile say."""

    env: str | None = None
    """Environment, whose newest suite is run; minihack if neither it nor a suite is named."""
    suite: str | None = None
    """Suite by name or file, instead of `env`."""
    reflector: str = "rules"
    actor: str | None = None
    reflector_trained_on: tuple[str, ...] | None = None
    """Families, in the words of `ictbench.suites.trained_on`; None for what the reflector itself says."""
    reflector_experience: ExperienceFormat | None = None
    """How the reflector's model is shown its experience; None for its usual way."""
    reflector_temperature: float | None = Field(default=None, ge=0)
    """None for what the suite says."""
    families: tuple[str, ...] = ("all",)
    profile: ProfileName = "quick"
    turns: int | None = Field(default=None, ge=1)
    batch_size: int | None = Field(default=None, ge=1)
    loops: int | None = Field(default=None, ge=1)
    selection_size: int | None = Field(default=None, ge=1)
    test_size: int | None = Field(default=None, ge=1)
    test_every_turn: bool = False
    audit: bool = False
    """Play each batch under the prompt before and after its reflection too, for the overfitting gap."""
    max_steps: int | None = Field(default=None, ge=1)
    actor_max_tokens: int | None = Field(default=None, ge=1)
    actor_decoding: DecodingName | None = None
    actor_history: int | None = Field(default=None, ge=0)
    """Past turns shown to the actor; None for what the suite says, all of them in every suite so far."""
    episode_time_limit: float | None = Field(default=None, gt=0)
    """Seconds, waiting for retries and limits not counted."""
    reflector_base_url: str | None = None
    actor_base_url: str | None = None
    reflector_model_options: dict[str, JsonValue] = Field(default_factory=dict)
    """What only the reflector's provider knows, e.g. `n_ctx` of llama-cpp: a mapping, or texts `KEY=VALUE`."""
    actor_model_options: dict[str, JsonValue] = Field(default_factory=dict)
    """The same for the actor's."""
    max_connections: int = Field(default=16, ge=1)
    """Requests, and episodes, in flight at a time; it changes how fast a run is and nothing else."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    max_cost: float | None = Field(default=None, gt=0)
    """US dollars, over all sittings."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Input and output tokens, over all sittings."""
    max_time: float | None = Field(default=None, gt=0)
    """Seconds, of this sitting."""
    request_timeout: float = Field(default=120.0, gt=0)
    """Seconds one request to a model may take."""
    outage_pause: float = Field(default=30.0, ge=0)
    """Seconds to wait before the one last try when nothing answers any more."""
    cache: Path | None = None
    """Response cache, an SQLite file."""
    executor: Literal["inline", "process", "ray"] = "process"
    """Where episodes are played: in this process, in worker processes, on a Ray cluster. It changes no result."""
    workers: int | None = Field(default=None, ge=1)
    """Worker processes or Ray actors; None for as many as there are cores, or as the cluster has room for."""
    ray_address: str | None = None
    """Of the cluster; None for the one that RAY_ADDRESS names or that runs here, or else a new one here."""
    worker_resources: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(default_factory=dict)
    """What a worker on a Ray cluster needs, one CPU unless it says otherwise: a mapping, or texts `NAME=AMOUNT`."""
    env_timeout: float = Field(default=120.0, gt=0)
    """Seconds that an environment may take for one call before its worker is replaced; `inline` is exempt."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much goes into the folder's run.log."""
    retry_failed: tuple[FailureKind, ...] = ()
    """Kinds of failed episodes to play again when a run is continued; the result discloses it."""

    @field_validator("families", "retry_failed", "reflector_trained_on", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
            return parts
        return tuple(name.strip() for part in parts for name in part.split(",") if name.strip())

    @field_validator("reflector_model_options", "actor_model_options", "worker_resources", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        pairs = [str(pair).partition("=") for pair in value]
        if wrong := [name for name, equals, _ in pairs if not equals]:
            raise ValueError(f"{wrong[0]!r} is no KEY=VALUE")
        return {name: yaml.safe_load(text) for name, _, text in pairs}

    @classmethod
    def parse(cls, options: dict[str, Any]) -> Options:
        """Options from keyword arguments or a configuration file.

        Raises:
            ConfigError: an unknown option or a value that does not fit.
        """
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise ConfigError(f"option {describe(error)}") from error


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run, fully determined but for the answers of its actor and reflector."""

    suite: Suite
    profile: ProfileName
    families: tuple[str, ...]
    sizes: Sizes
    test_every_turn: bool
    audit: bool
    max_steps: int
    actor: PluginSpec
    reflector: PluginSpec
    terms: Traits
    """On which the reflector takes part."""
    trained_on: TrainedOn | None
    """What the reflector was trained on; None for unknown."""
    episode_time_limit: float | None
    limits: Limits
    outage_pause: float
    cache: Path | None
    executor: Literal["inline", "process", "ray"]
    workers: int | None
    ray_address: str | None
    worker_resources: dict[str, float]
    env_timeout: float
    log_level: str
    retry_failed: tuple[FailureKind, ...]
    notes: tuple[str, ...]
    """What the user should know of how the options were understood."""
    loop_indices: tuple[int, ...] | None = None
    """Which loops, in ascending order; None for the first ones, as every profile has them."""

    def loops(self) -> Iterator[LoopPlan]:
        """The plan of every loop.

        Raises:
            PoolTooSmallError: a pool cannot fill them.
        """
        for family in self.families:
            for index in self.loop_indices or range(self.sizes.loops):
                yield loop_plan(
                    self.suite,
                    family,
                    index,
                    self.sizes,
                    experience=self.terms.experience,
                    prompt_bytes=self.prompt_bytes,
                    test_every_turn=self.test_every_turn,
                    audit=self.audit,
                )

    def batches(self, family: str, index: int) -> tuple[tuple[Task, ...], ...]:
        """The experience tasks of a loop, a batch a turn.

        Raises:
            PoolTooSmallError: the pool has fewer.
        """
        return batches_of(self.suite, family, index, self.sizes, self.terms.experience)

    def episode(self, task: Task, prompt: str, replicate: int = 0) -> EpisodeSpec:
        """The episode of a task under a prompt; each replicate samples anew."""
        return EpisodeSpec(
            task=task,
            prompt=prompt,
            actor=self.actor,
            max_steps=self.max_steps,
            seed=sampling_seed(self.suite.digest, task.id, replicate),
            replicate=replicate,
            time_limit=self.episode_time_limit,
        )

    def deviations(self) -> tuple[str, ...]:
        """Where the run departs from what its profile and suite fix, in words."""
        found = deviations(
            self.suite,
            self.profile,
            sizes=self.sizes,
            families=self.families,
            max_steps=self.max_steps,
            prompt_bytes=self.prompt_bytes,
            actor=self.actor,
            trained_on=self.trained_on,
            loop_indices=self.loop_indices,
        )
        own = []
        if self.episode_time_limit is not None:
            own.append(f"episode_time_limit {self.episode_time_limit} instead of None")
        if resolve("actor", self.actor.name).sees_solution:
            own.append(f"actor {self.actor.label} is told the solutions")
        return (*found, *own)

    def identity(self) -> dict[str, Any]:
        """What must be equal for a folder to be continued, as plain JSON."""
        return {
            "suite": self.suite.name,
            "suite_digest": self.suite.digest,
            "profile": self.profile,
            "families": list(self.families),
            **self.sizes.model_dump(),
            **({"loop_indices": list(self.loop_indices)} if self.loop_indices is not None else {}),
            "test_every_turn": self.test_every_turn,
            "audit": self.audit,
            "max_steps": self.max_steps,
            "episode_time_limit": self.episode_time_limit,
            "actor": self.actor.model_dump(mode="json", exclude=PLACE),
            "reflector": self.reflector.model_dump(mode="json", exclude=PLACE),
        }

    def in_words(self) -> str:
        """The run in a line, for its log."""
        players = f"reflector {self.reflector.label}, actor {self.actor.label}"
        return f"suite {self.suite.name}, profile {self.profile}, {players}, executor {self.executor}"

    @property
    def prompt_bytes(self) -> int:
        """Cap of a prompt, in UTF-8 bytes: the suite's, unless the reflector has one of its own."""
        return self.terms.prompt_cap or self.suite.limits.prompt_bytes

    @property
    def prompts_tested(self) -> int:
        """Prompts of a loop that are scored on its test tasks, at most."""
        return self.sizes.turns + 1 if self.test_every_turn else min(3, self.sizes.turns + 1)

    def episode_bounds(self, family: str | None = None) -> dict[str, int]:
        """The most episodes, reflections and calls to models that the run, or one family of it, can take."""
        sizes, suite = self.sizes, self.suite
        families = self.families if family is None else (family,)
        loops = len(families) * sizes.loops
        selection = sum(suite.scoring_size("selection", name, sizes.selection_size) for name in families)
        test = sum(suite.scoring_size("test", name, sizes.test_size) for name in families)
        episodes = {
            "experience": loops * sizes.turns * sizes.batch_size,
            "selection": sizes.loops * (sizes.turns + 1) * selection,
            "test": sizes.loops * self.prompts_tested * test,
        }
        if self.audit:
            episodes["audit"] = loops * (sizes.turns - 1) * 2 * sizes.batch_size
        total, reflections = sum(episodes.values()), loops * sizes.turns
        return {
            **{f"{pool}_episodes": count for pool, count in episodes.items()},
            "episodes": total,
            "reflections": reflections,
            "actor_calls": total * self.max_steps if self.actor.model else 0,
            "reflector_calls": reflections if self.reflector.model else 0,
        }


def make_plan(options: Options) -> RunPlan:
    """Work options out against their suite.

    Raises:
        UsageError: something asked for does not exist or does not fit.
    """
    if options.executor != "ray" and (options.ray_address or options.worker_resources):
        raise ConfigError(f"--ray-address and --worker-resources go with --executor ray, not {options.executor}")
    suite, notes = _suite(options)
    if options.profile not in suite.profiles:
        raise ConfigError(f"suite {suite.name} has no profile {options.profile!r}; it has {', '.join(suite.profiles)}")
    wanted = {name: getattr(options, name) for name in SIZES}
    sizes = suite.profiles[options.profile].model_copy(update={k: v for k, v in wanted.items() if v is not None})
    families = suite.select_families(options.families)
    if not families:
        raise ConfigError("no family is asked for; name some, or held-out, meta-train, all")
    reflector_access = ModelAccess(options.reflector_base_url, options.reflector_model_options, options.request_timeout)
    actor = options.actor
    actor_access = ModelAccess(options.actor_base_url, options.actor_model_options, options.request_timeout)
    sampling = suite.reflector
    if options.reflector_temperature is not None:
        sampling = sampling.model_copy(update={"temperature": options.reflector_temperature})
    reflector = parse_player("reflector", options.reflector, sampling, reflector_access, options.reflector_experience)
    if actor is None:
        actor, shared = default_actor(options.reflector, reflector_access)
        actor_access = actor_access if actor_access.given else shared
    own = {"max_tokens": options.actor_max_tokens, "decoding": options.actor_decoding, "history": options.actor_history}
    decoding = suite.actor.model_copy(update={name: value for name, value in own.items() if value is not None})
    terms = traits_of(reflector)
    check_experience(terms.experience, sizes, reflector.label, audit=options.audit)
    return RunPlan(
        suite=suite,
        profile=options.profile,
        families=families,
        sizes=sizes,
        test_every_turn=options.test_every_turn,
        audit=options.audit,
        max_steps=options.max_steps or suite.limits.max_steps,
        actor=parse_player("actor", actor, decoding, actor_access),
        reflector=reflector,
        terms=terms,
        trained_on=_trained_on(options.reflector_trained_on, reflector, suite),
        episode_time_limit=options.episode_time_limit,
        limits=Limits(**{field.name: getattr(options, field.name) for field in fields(Limits)}),
        outage_pause=options.outage_pause,
        cache=options.cache,
        executor=options.executor,
        workers=options.workers,
        ray_address=options.ray_address,
        worker_resources=options.worker_resources,
        env_timeout=options.env_timeout,
        log_level=options.log_level,
        retry_failed=options.retry_failed,
        notes=notes,
    )


def _trained_on(said: tuple[str, ...] | None, reflector: PluginSpec, suite: Suite) -> TrainedOn | None:
    """What the user says, and where the user says nothing, what the reflector says of itself.

    Raises:
        ConfigError: the card of the reflector's model says more than the user.
    """
    card = find_card(reflector.model) if reflector.model else None
    if said is None and card:
        # As it stands: its suite may be one that is not to be found here.
        return card.trained_on
    names = traits_of(reflector).trained_on if said is None else said
    if names is None:
        return None
    # A family of the card's is known, whatever its suite.
    known = set(card.trained_on) & set(names) if card else set()
    stated = tuple(sorted(known.union(parse_trained_on([name for name in names if name not in known], suite))))
    if card and (left_out := sorted(set(card.trained_on) - set(stated))):
        missing = ", ".join(left_out)
        raise ConfigError(f"{reflector.label} says that it was trained on {missing} too: --reflector-trained-on")
    return stated


def _suite(options: Options) -> tuple[Suite, tuple[str, ...]]:
    """The suite that is asked for; of an environment alone, the newest one that can be played here."""
    if options.suite is None:
        return _suite_of_env(options.env or DEFAULT_ENV)
    suite = load_suite(options.suite)
    if options.env is not None and suite.env != options.env:
        raise ConfigError(
            f"suite {options.suite!r} is of environment {suite.env!r}, not {options.env!r}; leave one out"
        )
    return suite, ()


def _suite_of_env(env: str) -> tuple[Suite, tuple[str, ...]]:
    suites = [load_suite(name) for name in reversed(suites_of_env(env))]
    missing: dict[str, str] = {}
    for suite in suites:
        # One task tells whether the games are there at all; whether all of them are is told before anything is played.
        task = suite.scoring_tasks("test", next(iter(suite.families)), 0, 1)
        why = resolve("env", env).unplayable(task)
        if why is None:
            notes = [f"{name} cannot be played here, so this is {suite.name}: {why}" for name, why in missing.items()]
            return suite, tuple(notes)
        missing[suite.name] = why
    raise ConfigError("; ".join(missing.values()))

"""What a run is asked to do, checked and worked out in full before anything is played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError, field_validator

from ictbench.errors import ConfigError
from ictbench.protocol import LoopPlan
from ictbench.records import PluginSpec, Record
from ictbench.runner.players import default_actor, parse_player
from ictbench.suites import Sizes, Suite, load_suite
from ictbench.suites.load import describe, suite_of_env
from ictbench.suites.suite import ProfileName

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = tuple(Sizes.model_fields)
RANKED_PROFILES = ("lite", "standard")


class Options(Record):
    """What a user can ask of a run. None stands for what suite and profile say."""

    env: str | None = None
    """Environment, whose newest suite is run."""
    suite: str | None = None
    """Suite by name or file, instead of `env`."""
    reflector: str = "rules"
    actor: str | None = None
    families: tuple[str, ...] = ("all",)
    profile: ProfileName = "quick"
    turns: int | None = Field(default=None, ge=1)
    batch_size: int | None = Field(default=None, ge=1)
    loops: int | None = Field(default=None, ge=1)
    selection_size: int | None = Field(default=None, ge=1)
    test_size: int | None = Field(default=None, ge=1)
    test_every_turn: bool = False
    max_steps: int | None = Field(default=None, ge=1)
    actor_max_tokens: int | None = Field(default=None, ge=1)
    reflector_base_url: str | None = None
    actor_base_url: str | None = None
    max_connections: int = Field(default=16, ge=1)
    """Episodes in flight at a time; it changes how fast a run is and nothing else."""

    @field_validator("families", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
            return parts
        return tuple(name.strip() for part in parts for name in part.split(",") if name.strip())

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
    max_steps: int
    actor: PluginSpec
    reflector: PluginSpec
    max_connections: int

    def loops(self) -> Iterator[LoopPlan]:
        """The plan of every loop.

        Raises:
            PoolTooSmallError: a pool cannot fill them.
        """
        for family in self.families:
            for index in range(self.sizes.loops):
                yield self._loop(family, index)

    def deviations(self) -> tuple[str, ...]:
        """Where the run departs from what its profile and suite fix, in words."""
        profile, suite = self.suite.profiles[self.profile], self.suite
        fixed: list[tuple[str, Any, Any]] = [
            (name, getattr(profile, name), getattr(self.sizes, name)) for name in SIZES
        ]
        fixed.append(("max_steps", suite.limits.max_steps, self.max_steps))
        if self.actor.model:
            fixed.append(("actor_max_tokens", suite.actor.max_tokens, self.actor.model.max_tokens))
        found = [f"{name} {actual} instead of {standard}" for name, standard, actual in fixed if actual != standard]
        held_out = set(suite.select_families(["held-out"]))
        if missing := sorted(held_out - set(self.families)):
            found.append(f"held-out families left out: {', '.join(missing)}")
        return tuple(found)

    def identity(self) -> dict[str, Any]:
        """What must be equal for a folder to be continued, as plain JSON."""
        return {
            "suite": self.suite.name,
            "suite_digest": self.suite.digest,
            "profile": self.profile,
            "families": list(self.families),
            **self.sizes.model_dump(),
            "test_every_turn": self.test_every_turn,
            "max_steps": self.max_steps,
            "actor": self.actor.model_dump(mode="json"),
            "reflector": self.reflector.model_dump(mode="json"),
        }

    @property
    def prompts_tested(self) -> int:
        """Prompts of a loop that are scored on its test tasks, at most."""
        return self.sizes.turns + 1 if self.test_every_turn else min(3, self.sizes.turns + 1)

    def episode_bounds(self) -> dict[str, int]:
        """The most episodes, reflections and calls to models that the run can take."""
        sizes, loops = self.sizes, len(self.families) * self.sizes.loops
        episodes = {
            "experience": loops * sizes.turns * sizes.batch_size,
            "selection": loops * (sizes.turns + 1) * sizes.selection_size,
            "test": loops * self.prompts_tested * sizes.test_size,
        }
        total, reflections = sum(episodes.values()), loops * sizes.turns
        return {
            **{f"{pool}_episodes": count for pool, count in episodes.items()},
            "episodes": total,
            "reflections": reflections,
            "actor_calls": total * self.max_steps if self.actor.model else 0,
            "reflector_calls": reflections if self.reflector.model else 0,
        }

    def _loop(self, family: str, index: int) -> LoopPlan:
        suite, sizes = self.suite, self.sizes
        order = suite.experience_order(family, index, sizes.turns * sizes.batch_size)
        starts = range(0, len(order), sizes.batch_size)
        return LoopPlan(
            family=family,
            index=index,
            prompt=suite.prompt,
            batches=tuple(tuple(order[start : start + sizes.batch_size]) for start in starts),
            selection=tuple(suite.scoring_tasks("selection", family, index, sizes.selection_size)),
            test=tuple(suite.scoring_tasks("test", family, index, sizes.test_size)),
            prompt_bytes=suite.limits.prompt_bytes,
            test_every_turn=self.test_every_turn,
        )


def make_plan(options: Options) -> RunPlan:
    """Work options out against their suite.

    Raises:
        UsageError: something asked for does not exist or does not fit.
    """
    suite = load_suite(_suite_name(options))
    if options.profile not in suite.profiles:
        raise ConfigError(f"suite {suite.name} has no profile {options.profile!r}; it has {', '.join(suite.profiles)}")
    wanted = {name: getattr(options, name) for name in SIZES}
    sizes = suite.profiles[options.profile].model_copy(update={k: v for k, v in wanted.items() if v is not None})
    families = suite.select_families(options.families)
    if not families:
        raise ConfigError("no family is asked for; name some, or held-out, meta-train, all")
    actor, actor_url = options.actor, options.actor_base_url
    if actor is None:
        actor, shared_url = default_actor(options.reflector, options.reflector_base_url)
        actor_url = actor_url or shared_url
    decoding = suite.actor
    if options.actor_max_tokens is not None:
        decoding = decoding.model_copy(update={"max_tokens": options.actor_max_tokens})
    return RunPlan(
        suite=suite,
        profile=options.profile,
        families=families,
        sizes=sizes,
        test_every_turn=options.test_every_turn,
        max_steps=options.max_steps or suite.limits.max_steps,
        actor=parse_player("actor", actor, decoding, actor_url),
        reflector=parse_player("reflector", options.reflector, suite.reflector, options.reflector_base_url),
        max_connections=options.max_connections,
    )


def _suite_name(options: Options) -> str:
    if options.suite is None:
        if options.env is None:
            raise ConfigError("say what to run: an environment (e.g. --env minihack) or a suite (--suite minihack-v1)")
        return suite_of_env(options.env)
    if options.env is not None and (env := load_suite(options.suite).env) != options.env:
        raise ConfigError(f"suite {options.suite!r} is of environment {env!r}, not {options.env!r}; leave one out")
    return options.suite

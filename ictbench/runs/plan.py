"""Plan of a run: its options, resolved against their suite and checked before anything is played."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ictbench.actors.person import is_person
from ictbench.errors import ConfigError
from ictbench.models.embeddings import OPTION, embedding_model
from ictbench.models.usage_meter import Limits
from ictbench.plugins import resolve
from ictbench.protocol import loop_plan, sampling_seed
from ictbench.protocol.experience import batches_of, check_experience, check_stream, measured_as_stream
from ictbench.records import MEMORY_ROOM, NO_MEMORY, EpisodeSpec, PluginSpec, Record
from ictbench.reflectors import Traits, traits_of
from ictbench.runs.declared_training import declared_training, stated_of_actor
from ictbench.runs.deviations import SIZES, deviations, other_start, played_by_person, told_solutions
from ictbench.runs.find_suite import find_suite
from ictbench.runs.player_names import ModelAccess, default_actor, parse_player
from ictbench.runs.player_sampling import chosen_sampling
from ictbench.runs.preregistration import read_preregistration
from ictbench.runs.reflector_instruction import read_instruction
from ictbench.runs.start_prompts import start_prompts
from ictbench.runs.transferred_prompts import check_transfer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ictbench.protocol import LoopPlan
    from ictbench.records import Memory, Task
    from ictbench.runs.options import Options
    from ictbench.runs.preregistration import Preregistration
    from ictbench.suites import Sizes, Suite
    from ictbench.suites.trained_on import TrainedOn

R = TypeVar("R", bound=Record)

ACCESS = {"model": {"base_url", "timeout"}}
"""Fields of a player that may change between sessions: the same model may be served elsewhere."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run, determined in full except for the answers of its actor and reflector."""

    options: Options
    suite: Suite
    families: tuple[str, ...]
    sizes: Sizes
    max_steps: int
    actor: PluginSpec
    reflector: PluginSpec
    traits: Traits
    """Traits of the reflector."""
    trained_on: TrainedOn | None
    """Families the reflector was trained on; None if unknown."""
    notes: tuple[str, ...]
    """Remarks for the user on the interpretation of the options."""
    actor_trained_on: TrainedOn | None = None
    """Families the actor was trained on; None if unknown."""
    loop_indices: tuple[int, ...] | None = None
    """Indices of the loops, in ascending order; None for the first ones, as in every profile."""
    preregistration: Preregistration | None = None
    start_prompts: Mapping[str, str] = field(default_factory=dict)
    """Prompt[0] by family, where it is not the suite's own."""
    rerun_salt: str = ""
    """Salt with which a rerun drew its loops; empty for other runs."""

    def loops(self) -> Iterator[LoopPlan]:
        """Yield the plan of every loop.

        Raises:
            PoolTooSmallError: A pool has too few tasks.
        """
        for family in self.families:
            for index in self.loop_indices or range(self.sizes.loops):
                yield loop_plan(
                    self.suite,
                    family,
                    index,
                    self.sizes,
                    experience=self.traits.experience,
                    prompt_bytes=self.prompt_bytes,
                    test_every_turn=self.options.test_every_turn,
                    audit=self.options.audit,
                    online=self.options.online,
                    prompt=self.start_prompts.get(family),
                )

    def batches(self, family: str, index: int) -> tuple[tuple[Task, ...], ...]:
        """Return the experience tasks of a loop, one batch per turn.

        Raises:
            PoolTooSmallError: The pool has too few tasks.
        """
        return batches_of(self.suite, family, index, self.sizes, self.traits.experience)

    def episode(
        self, task: Task, prompt: str, replicate: int = 0, memory: Memory = NO_MEMORY, added: str = ""
    ) -> EpisodeSpec:
        """Return the episode of a task under a prompt; each replicate has its own sampling seed.

        Args:
            task: The task.
            prompt: The prompt.
            replicate: Number of the episode among those of the same task and prompt.
            memory: Memory that goes with the prompt.
            added: Text that the memory adds to the prompt in this episode.
        """
        return EpisodeSpec(
            task=task,
            prompt=prompt,
            memory=memory.digest,
            added=added,
            actor=self.actor,
            max_steps=self.max_steps,
            seed=sampling_seed(self.suite.digest, task.id, replicate),
            replicate=replicate,
            time_limit=self.options.episode_time_limit,
        )

    def deviations(self) -> tuple[str, ...]:
        """Return a sentence per deviation from the profile and the suite."""
        of_suite = deviations(
            self.suite,
            self.options.profile,
            sizes=self.sizes,
            families=self.families,
            max_steps=self.max_steps,
            prompt_bytes=self.prompt_bytes,
            actor=self.actor,
            trained_on=self.trained_on,
            actor_trained_on=self.actor_trained_on,
            loop_indices=self.loop_indices,
        )
        of_run = []
        if self.options.episode_time_limit is not None:
            of_run.append(f"episode_time_limit {self.options.episode_time_limit} instead of None")
        if is_person(self.actor):
            of_run.append(played_by_person(self.actor))
        elif resolve("actor", self.actor.name).sees_solution:
            of_run.append(told_solutions(self.actor))
        of_run += [other_start(family, prompt) for family, prompt in self.start_prompts.items()]
        return (*of_suite, *of_run)

    def identity(self) -> dict[str, Any]:
        """Return what must be equal for a folder to be continued, as plain JSON."""
        return {
            "suite": self.suite.name,
            "suite_digest": self.suite.digest,
            "profile": self.options.profile,
            "families": list(self.families),
            **self.sizes.model_dump(),
            **({"loop_indices": list(self.loop_indices)} if self.loop_indices is not None else {}),
            **({"rerun_salt": self.rerun_salt} if self.rerun_salt else {}),
            **({"preregistration": self.preregistration.file_digest} if self.preregistration else {}),
            **({"start_prompts": dict(self.start_prompts)} if self.start_prompts else {}),
            **({"memory": self._memory_format} if self.traits.division == "memory" else {}),
            "test_every_turn": self.options.test_every_turn,
            "audit": self.options.audit,
            **({"online": True} if self.options.online else {}),
            "max_steps": self.max_steps,
            "episode_time_limit": self.options.episode_time_limit,
            "actor": self.actor.model_dump(mode="json", exclude=ACCESS),
            "reflector": self.reflector.model_dump(mode="json", exclude=ACCESS),
        }

    def in_words(self) -> str:
        """Return a one-line summary for the log."""
        players = f"reflector {self.reflector.label}, actor {self.actor.label}"
        return f"suite {self.suite.name}, profile {self.options.profile}, {players}, executor {self.options.executor}"

    @property
    def limits(self) -> Limits:
        """Limits of the whole run, over all its models."""
        return limits_of(self.options)

    @property
    def prompt_bytes(self) -> int:
        """Maximum size of a prompt in UTF-8 bytes: the reflector's, if it has one, or else the suite's."""
        return prompt_bytes(self.traits, self.suite)

    @property
    def written_bytes(self) -> int:
        """Maximum size of a prompt that the reflector writes: a learner with a memory leaves room for what it adds."""
        return written_bytes(self.traits, self.suite)

    @property
    def _memory_format(self) -> str:
        return f"{self.reflector.label}, version {self.traits.memory_version}"

    @property
    def prompts_tested(self) -> int:
        """Maximum number of prompts of a loop that are scored on its test tasks."""
        return self.sizes.turns + 1 if self.options.test_every_turn else min(3, self.sizes.turns + 1)

    def episode_bounds(self, family: str | None = None) -> dict[str, int]:
        """Return the maximum numbers of episodes, reflections and model calls of the run, or of one family."""
        sizes, suite = self.sizes, self.suite
        families = self.families if family is None else (family,)
        loops = len(families) * sizes.loops
        selection = sum(suite.scoring_size("selection", name, sizes.selection_size) for name in families)
        test = sum(suite.scoring_size("test", name, sizes.test_size) for name in families)
        episodes = {
            "experience": loops * sizes.turns * sizes.batch_size,
            "selection": sizes.loops * (sizes.turns + 1) * selection * sizes.repeats,
            "test": sizes.loops * self.prompts_tested * test * sizes.repeats,
        }
        if self.options.audit:
            episodes["audit"] = loops * (sizes.turns - 1) * 2 * sizes.batch_size
        if self.options.online:
            episodes["online"] = loops * (2 * sizes.turns - 1) * sizes.batch_size
        total, reflections = sum(episodes.values()), loops * sizes.turns
        return {
            **{f"{pool}_episodes": count for pool, count in episodes.items()},
            "episodes": total,
            "reflections": reflections,
            "actor_calls": total * self.max_steps if self.actor.model else 0,
            "reflector_calls": reflections if self.reflector.model else 0,
        }


def prompt_bytes(traits: Traits, suite: Suite) -> int:
    """Return the maximum size of a prompt, with what a memory adds to it, in UTF-8 bytes."""
    return traits.prompt_cap or suite.limits.prompt_bytes


def written_bytes(traits: Traits, suite: Suite) -> int:
    """Return the maximum size of a prompt that the reflector writes, in UTF-8 bytes."""
    return prompt_bytes(traits, suite) - (MEMORY_ROOM if traits.division == "memory" else 0)


def limits_of(options: Options) -> Limits:
    """Return the limits that the options state."""
    return Limits(**{field.name: getattr(options, field.name) for field in fields(Limits)})


def make_plan(options: Options) -> RunPlan:
    """Resolve options against their suite, and check everything that can be checked before anything is played.

    Raises:
        UsageError: Something requested does not exist or does not fit.
    """
    if options.executor != "ray" and (options.ray_address or options.worker_resources):
        raise ConfigError(f"--ray-address and --worker-resources need --executor ray, not {options.executor}")
    if options.stop_on_projected_cost and options.max_cost is None:
        raise ConfigError("--stop-on-projected-cost needs --max-cost")
    suite, notes = find_suite(options)
    families = suite.select_families(options.families)
    if not families:
        raise ConfigError("no family is selected: name some, or held-out, meta-train, all")
    sizes = _resolve_sizes(options, suite)
    reflector, actor = _resolve_players(options, suite)
    traits = traits_of(reflector)
    _check_embedding(reflector, traits)
    for family in families:
        check_stream(suite, family, traits.experience, f"reflector {reflector.label}")
    options = _with_stream_measures(options, suite, families, traits)
    check_transfer(reflector, suite, families, sizes)
    if (room := written_bytes(traits, suite)) < len(suite.prompt.encode()):
        raise ConfigError(
            f"reflector {reflector.label} has a memory, which leaves {max(room, 0):,} bytes for a prompt, and that of "
            f"{suite.name} has {len(suite.prompt.encode()):,}; choose a suite with more room"
        )
    check_experience(traits.experience, sizes, reflector.label, audit=options.audit, online=options.online)
    return RunPlan(
        options=options,
        suite=suite,
        families=families,
        sizes=sizes,
        max_steps=options.max_steps or suite.limits.max_steps,
        actor=actor,
        reflector=reflector,
        traits=traits,
        trained_on=declared_training("reflector", reflector, suite, options.reflector_trained_on, traits.trained_on),
        actor_trained_on=declared_training(
            "actor",
            actor,
            suite,
            stated_of_actor(options, actor, reflector),
            getattr(resolve("actor", actor.name), "trained_on", None),
        ),
        preregistration=read_preregistration(options.preregistration) if options.preregistration else None,
        notes=notes,
        start_prompts=_start_prompts(options, suite, families, traits),
    )


def _check_embedding(reflector: PluginSpec, traits: Traits) -> None:
    """Check that an embedding model is only given to a reflector that embeds texts.

    Raises:
        ConfigError: It would be ignored.
    """
    model = reflector.model
    if model and model.provider == "openai" and OPTION in model.options and not traits.embeds:
        raise ConfigError(
            f"reflector {reflector.label} embeds no texts, so {OPTION} {embedding_model(model)!r} would be ignored; "
            "leave it out of --reflector-model-options, or choose a reflector that embeds, e.g. expel (a class of your "
            "own says `embeds = True`)"
        )


def _with_stream_measures(options: Options, suite: Suite, families: tuple[str, ...], traits: Traits) -> Options:
    """Return the options with the tests and comparisons that the measures of streams require."""
    required = [measured_as_stream(suite, family, traits.experience) for family in families]
    every_turn, online = (any(column) for column in zip(*required, strict=True))
    return replace(options, test_every_turn=options.test_every_turn or every_turn, online=options.online or online)


def _start_prompts(options: Options, suite: Suite, families: tuple[str, ...], traits: Traits) -> dict[str, str]:
    """Return prompt[0] by family, where the user chose another than the suite's own."""
    if options.start_prompt is None:
        return {}
    chosen = start_prompts(options.start_prompt, families, written_bytes(traits, suite))
    return {family: prompt for family, prompt in chosen.items() if prompt != suite.prompt}


def _resolve_sizes(options: Options, suite: Suite) -> Sizes:
    """Return the sizes of the profile, as far as options do not replace them."""
    if options.profile not in suite.profiles:
        raise ConfigError(f"suite {suite.name} has no profile {options.profile!r}; it has {', '.join(suite.profiles)}")
    return _update(suite.profiles[options.profile], {name: getattr(options, name) for name in SIZES})


def _resolve_players(options: Options, suite: Suite) -> tuple[PluginSpec, PluginSpec]:
    """Return reflector and actor with their models, as far as options do not replace the suite's decoding."""
    reflector_access = ModelAccess(options.reflector_base_url, options.reflector_model_options, options.request_timeout)
    actor_access = ModelAccess(options.actor_base_url, options.actor_model_options, options.request_timeout)
    reflector = parse_player(
        "reflector",
        options.reflector,
        suite.reflector,
        reflector_access,
        options.reflector_experience,
        chosen_sampling(options, "reflector"),
        read_instruction(options.reflector_instruction),
    )
    name = options.actor
    if name is None:
        name, shared_access = default_actor(options.reflector, reflector_access)
        actor_access = actor_access if actor_access.is_set else shared_access
    chosen = {
        "decoding": options.actor_decoding,
        "history": options.actor_history,
        "past_actions": options.actor_past_actions,
    }
    decoding = _update(suite.actor, chosen)
    actor = parse_player("actor", name, decoding, actor_access, sampling=chosen_sampling(options, "actor"))
    for option, value in chosen.items():
        if value is not None and not chosen.keys() & actor.options.keys():
            raise ConfigError(f"actor {name!r} has no {option}: leave out --actor-{option.replace('_', '-')}")
    return reflector, actor


def _update(record: R, changes: dict[str, Any]) -> R:
    """Return a record with those of the changes that are not None."""
    return record.model_copy(update={name: value for name, value in changes.items() if value is not None})

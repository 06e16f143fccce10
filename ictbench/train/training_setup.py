"""Preparation of a training: everything is checked before any weights are loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, MissingExtraError
from ictbench.models.checkpoint_card import read_card
from ictbench.models.providers.hf import ADAPTER_CONFIG, HfModel
from ictbench.models.providers.smollm2 import SMOLLM2, smollm2_folder
from ictbench.records import ModelSpec
from ictbench.rollout.remote.process_starter import cores
from ictbench.runs import EpisodePlayer
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan
from ictbench.train.processes import Processes
from ictbench.train.reflection_task import ReflectionTask
from ictbench.train.registered_training import registered_training
from ictbench.train.states import StateDataset, read_states

if TYPE_CHECKING:
    from ictbench.records import Registered
    from ictbench.train.settings import TrainingSettings

REQUIRED_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tensorboard")
SHARDED = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
"""Variables by which `accelerate launch` says that the weights are sharded."""


@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """A training with everything it needs except the weights."""

    settings: TrainingSettings
    states: StateDataset
    task: ReflectionTask
    plan: RunPlan
    """Plan by which the reward episodes are played."""
    base_digest: str | None
    """Digest of the initial weights, if they are on this machine."""
    trained_on: tuple[str, ...]
    """`SUITE/FAMILY` of the states, and those that the initial model was trained on."""
    preregistration: Registered | None = None

    @property
    def max_episodes_per_step(self) -> int:
        """Most episodes that the rewards of a step can need, without probes."""
        per_reply = self.states.info.batch_size * self.settings.replicates
        if self.settings.reward == "loop":
            per_reply *= self.states.info.turns - min(state.turn for state in self.states.states) + 1
        of_old_prompts = self.settings.states_per_step * per_reply if self.settings.reward == "gain" else 0
        return self.settings.replies_per_step * per_reply + of_old_prompts

    def model_folder(self) -> str:
        """Return the name or folder to load; SmolLM2 is converted on first use."""
        return str(smollm2_folder()) if self.settings.model == SMOLLM2 else os.path.expanduser(self.settings.model)


def prepare_training(settings: TrainingSettings) -> TrainingSetup:
    """Check the settings and return the setup of the training.

    Raises:
        UsageError: Something does not exist, does not fit, or is not installed.
    """
    check_packages(settings)
    check_sharding(settings)
    if settings.rounds > 1 and settings.round is None:
        raise ConfigError(
            f"rounds: {settings.rounds} needs ictbench train run, which collects the states of each round"
        )
    states = read_states(settings.states)
    states = states.select(settings.families, settings.turns, settings.max_states, settings.seed)
    if not states.states:
        raise ConfigError(f"{settings.states} has no states of these families and turns")
    model = HfModel(ModelSpec(provider="hf", model=settings.model))
    weights = Path(settings.model).expanduser()
    if (weights / ADAPTER_CONFIG).is_file() and settings.lora is None:
        raise ConfigError(
            f"model {settings.model} is a LoRA adapter: set lora to train it on, or merge it with its base model first"
        )
    plan = _reward_plan(settings, states)
    # Fails here if the environment or the actor does not work.
    EpisodePlayer(plan).close()
    card = read_card(weights)
    families = {f"{states.suite.name}/{state.family}" for state in states.states}
    task = ReflectionTask.from_settings(
        settings, plan.suite.limits.prompt_bytes, states.info.start_prompt or states.suite.prompt
    )
    return TrainingSetup(
        settings=settings,
        states=states,
        task=task,
        plan=plan,
        base_digest=model.known_fingerprint,
        trained_on=tuple(sorted(families.union(card.trained_on if card else ()))),
        preregistration=registered_training(settings, states.info, task.experience),
    )


def check_packages(settings: TrainingSettings) -> None:
    """Check that the packages for these settings are installed.

    Raises:
        UsageError: One is not.
    """
    for module in REQUIRED_PACKAGES:
        if not _is_installed(module):
            raise MissingExtraError("training", "train", f"no module named {module!r}")
    for tracker in settings.report_to:
        if not _is_installed(tracker):
            raise ConfigError(f"report_to names {tracker}, which is not installed: pip install {tracker}")
    if settings.vllm and not _is_installed("vllm"):
        raise ConfigError(
            "the settings use vllm, which is not installed: pip install 'ictbench[train,vllm]' into an environment of "
            "its own, or remove the setting"
        )


def _is_installed(module: str) -> bool:
    """Return whether a package is installed; a folder of the same name, e.g. the data of wandb, is none."""
    spec = find_spec(module)
    return spec is not None and spec.origin is not None


def check_sharding(settings: TrainingSettings) -> None:
    """Check that the settings fit the number of processes and the distribution of the weights.

    Raises:
        ConfigError: They do not.
    """
    processes = Processes.from_environment()
    if settings.vllm and processes.count % settings.vllm.tensor_parallel:
        raise ConfigError(
            f"vllm.tensor_parallel {settings.vllm.tensor_parallel} does not divide the {processes.count} processes"
        )
    if settings.reward == "loop" and any(os.environ.get(name) == "true" for name in SHARDED):
        raise ConfigError(
            "the reward loop needs the whole model in each process, but FSDP or DeepSpeed shards it: use another "
            "reward, or a launch configuration without sharding"
        )


def _reward_plan(settings: TrainingSettings, states: StateDataset) -> RunPlan:
    info, processes = states.info, Processes.from_environment()
    options = {
        "suite": info.suite,
        "families": info.families,
        "reflector": "none",
        "actor": settings.actor or "rules",
        "max_steps": info.max_steps,
        "executor": settings.executor,
        "workers": settings.workers or max(1, cores() // processes.local_count),
        "max_connections": processes.share(settings.max_connections),
        "max_cost": settings.max_cost and settings.max_cost / processes.count,
        "max_tokens": settings.max_actor_tokens and processes.share(settings.max_actor_tokens),
        "cache": settings.cache,
        "profile": "standard",
    }
    plan = make_plan(Options.parse({name: value for name, value in options.items() if value is not None}))
    return plan if settings.actor else replace(plan, actor=info.actor)

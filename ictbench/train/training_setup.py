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
from ictbench.runs import EpisodePlayer
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan
from ictbench.train.reflection_task import ReflectionTask
from ictbench.train.states import StateDataset, read_states

if TYPE_CHECKING:
    from ictbench.train.settings import TrainingSettings

REQUIRED_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tensorboard")


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

    @property
    def max_episodes_per_step(self) -> int:
        """Most episodes that the rewards of a step can need, without probes."""
        per_reply = self.states.info.batch_size * self.settings.replicates
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
    for module in REQUIRED_PACKAGES:
        if find_spec(module) is None:
            raise MissingExtraError("training", "train", f"no module named {module!r}")
    if settings.vllm and find_spec("vllm") is None:
        raise ConfigError("vllm is true, but vllm is not installed: pip install vllm, or remove the setting")
    states = read_states(settings.states).select(settings.families)
    model = HfModel(ModelSpec(provider="hf", model=settings.model))
    weights = Path(settings.model).expanduser()
    if (weights / ADAPTER_CONFIG).is_file():
        raise ConfigError(f"model {settings.model} is a LoRA adapter: train its base model, or merge the two first")
    plan = _reward_plan(settings, states)
    # Fails here if the environment or the actor does not work.
    EpisodePlayer(plan).close()
    card = read_card(weights)
    families = {f"{states.suite.name}/{state.family}" for state in states.states}
    return TrainingSetup(
        settings=settings,
        states=states,
        task=ReflectionTask.from_settings(settings, plan.suite.limits.prompt_bytes),
        plan=plan,
        base_digest=model.known_fingerprint,
        trained_on=tuple(sorted(families.union(card.trained_on if card else ()))),
    )


def _reward_plan(settings: TrainingSettings, states: StateDataset) -> RunPlan:
    info = states.info
    options = {
        "suite": info.suite,
        "families": info.families,
        "reflector": "none",
        "actor": settings.actor or "rules",
        "max_steps": info.max_steps,
        "executor": settings.executor,
        "workers": settings.workers,
        "profile": "standard",
    }
    plan = make_plan(Options.parse(options))
    return plan if settings.actor else replace(plan, actor=info.actor)

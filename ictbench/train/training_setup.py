"""Everything that a training needs, checked before any weights are loaded."""

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
from ictbench.runs.plan import Options, RunPlan, make_plan
from ictbench.train.reflection_task import ReplyTask
from ictbench.train.states import States, read_states

if TYPE_CHECKING:
    from ictbench.train.settings import Settings

NEEDED = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tensorboard")


@dataclass(frozen=True, slots=True)
class Setup:
    """A training, worked out."""

    settings: Settings
    states: States
    task: ReplyTask
    plan: RunPlan
    """By which rewards are played."""
    base_digest: str | None
    """Of the weights that training begins with, where they lie on this machine."""
    trained_on: tuple[str, ...]
    """Families of the states, and whatever the model had been trained on."""

    @property
    def episodes_a_step(self) -> int:
        """The most that rewards can take, probes not counted."""
        per_reply = self.states.about.batch_size * self.settings.replicates
        of_old_prompts = self.settings.states_per_step * per_reply if self.settings.reward == "gain" else 0
        return self.settings.replies_a_step * per_reply + of_old_prompts

    def model_folder(self) -> str:
        """What to load: SmolLM2 is converted at its first use."""
        return str(smollm2_folder()) if self.settings.model == SMOLLM2 else os.path.expanduser(self.settings.model)


def set_up(settings: Settings) -> Setup:
    """Work a training out.

    Raises:
        UsageError: something does not exist, does not fit, or is not installed.
    """
    for module in NEEDED:
        if find_spec(module) is None:
            raise MissingExtraError("training", "train", f"no module named {module!r}")
    if settings.vllm and find_spec("vllm") is None:
        raise ConfigError("vllm: true, and vllm is not installed: pip install vllm, or leave it out")
    states = read_states(settings.states).of(settings.families)
    model = HfModel(ModelSpec(provider="hf", model=settings.model))
    weights = Path(settings.model).expanduser()
    if (weights / ADAPTER_CONFIG).is_file():
        raise ConfigError(f"model {settings.model} is a LoRA adapter: train its model, or merge the two first")
    plan = _plan(settings, states)
    # Made and let go of again: it looks whether environment and actor work.
    EpisodePlayer(plan).close()
    card = read_card(weights)
    families = {f"{states.suite.name}/{state.family}" for state in states.states}
    return Setup(
        settings=settings,
        states=states,
        task=ReplyTask.of(settings, plan.suite.limits.prompt_bytes),
        plan=plan,
        base_digest=model.known_fingerprint,
        trained_on=tuple(sorted(families.union(card.trained_on if card else ()))),
    )


def _plan(settings: Settings, states: States) -> RunPlan:
    about = states.about
    options = {
        "suite": about.suite,
        "families": about.families,
        "reflector": "none",
        "actor": settings.actor or "rules",
        "max_steps": about.max_steps,
        "executor": settings.executor,
        "workers": settings.workers,
        "profile": "standard",
    }
    plan = make_plan(Options.parse(options))
    return plan if settings.actor else replace(plan, actor=about.actor)

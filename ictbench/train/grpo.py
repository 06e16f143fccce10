"""Group relative policy optimisation of a reflector, on rewards that are played. Resumable."""

from __future__ import annotations

import os
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, InfrastructureError, RunError, RunInterruptedError
from ictbench.models.providers.hf_generate import is_out_of_memory
from ictbench.runs import EpisodePlayer
from ictbench.train.reward import Rewards
from ictbench.train.training_folder import TrainingFolder
from ictbench.train.training_setup import set_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ictbench.train.settings import Settings
    from ictbench.train.training_setup import Setup

CHANGEABLE = {
    *("out", "steps", "checkpoint_every", "keep_checkpoints", "probe_every", "executor", "workers"),
    *("micro_batch", "device", "compute", "vllm", "vllm_memory"),
}
"""Settings that may change when a training goes on."""

LOWER = "lower micro_batch, max_tokens or max_question_tokens, or train a LoRA adapter (lora: {})"


def grpo(settings: Settings, tell: Callable[[str], None] = lambda line: None) -> Path:
    """Train a reflector's model, or go on from the last good checkpoint; the folder of the last checkpoint.

    Args:
        settings: what to train, and how.
        tell: is told each step in a line.

    Raises:
        UsageError: something does not exist, does not fit, or is not installed; nothing was trained.
        RunError: the training stopped before its end; the same call goes on from the last good checkpoint.
    """
    setup, folder = set_up(settings), TrainingFolder(settings.out)
    first = os.environ.get("RANK", "0") == "0"
    with folder.claimed(identity(setup)) if first else nullcontext():
        if first:
            folder.discard_unfinished()
        with EpisodePlayer(setup.plan) as player:
            rewards = Rewards(setup.plan, player, settings.reward, settings.replicates)
            return _train(setup, rewards, folder, tell)


def identity(setup: Setup) -> dict[str, Any]:
    """What must be equal for a training to go on, as plain JSON."""
    return {
        **setup.settings.model_dump(mode="json", exclude=CHANGEABLE | {"states"}),
        "states_digest": setup.states.about.digest,
        "base_digest": setup.base_digest,
    }


def _train(setup: Setup, rewards: Rewards, folder: TrainingFolder, tell: Callable[[str], None]) -> Path:
    # Nobody is told that somebody trains.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Of the packages among each other: nothing that a user could do something about.
    warnings.simplefilter("ignore", FutureWarning)
    from ictbench.train.trainer import Trainer

    steps, done, last = setup.settings.steps, folder.last_step, folder.last
    if done is not None and done > steps:
        raise ConfigError(f"{last} has more than the {steps} steps that are asked for; choose another out")
    if last and done == steps:
        tell(f"all {steps} steps are done already")
        return last
    try:
        trainer = Trainer(setup, rewards, folder, tell)
        if last:
            tell(f"going on from {last}")
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    except InfrastructureError as error:
        raise RunError(f"a reward could not be played: {error}. {_kept(folder)}") from error
    except KeyboardInterrupt as error:
        raise RunInterruptedError(f"stopped. {_kept(folder)}") from error
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise RunError(f"memory does not suffice: {LOWER}. {_kept(folder)}") from error
    if folder.last is None:
        raise ConfigError(f"no checkpoint was written to {folder.path}")
    return folder.last


def _kept(folder: TrainingFolder) -> str:
    last = folder.last
    return f"The same command goes on from {last}" if last else "There is no checkpoint yet"

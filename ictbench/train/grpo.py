"""Group relative policy optimization (GRPO) of a reflector's model. Resumable."""

from __future__ import annotations

import os
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, InfrastructureError, RunError, RunInterruptedError, stopped_by
from ictbench.models.providers.hf_generate import is_out_of_memory
from ictbench.runs import EpisodePlayer
from ictbench.train.actor_server import shared_actor_server
from ictbench.train.processes import Processes
from ictbench.train.reward import RewardFunction
from ictbench.train.training_folder import TrainingFolder
from ictbench.train.training_setup import prepare_training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ictbench.train.settings import TrainingSettings
    from ictbench.train.training_setup import TrainingSetup

CHANGEABLE = {
    *("out", "steps", "rounds", "checkpoint_every", "keep_checkpoints", "probe_every", "executor", "workers"),
    *("micro_batch", "device", "compute", "vllm", "report_to"),
    *("max_connections", "cache", "max_cost", "max_actor_tokens"),
}
"""Settings that may change when a training is resumed."""


def train_grpo(settings: TrainingSettings, report: Callable[[str], None] = lambda line: None) -> Path:
    """Train a reflector's model, or resume from the last complete checkpoint; return the last checkpoint's folder.

    Args:
        settings: The configuration.
        report: Receives one line per step.

    Raises:
        UsageError: Something does not exist, does not fit, or is not installed; nothing was trained.
        RunError: The training stopped early; the same call resumes it from the last complete checkpoint.
    """
    processes, folder = Processes.from_environment(), TrainingFolder(settings.out)
    setup = prepare_training(settings)
    tell = report if processes.is_first else lambda line: None
    with folder.locked(identity(setup)) if processes.is_first else nullcontext():
        if processes.is_first:
            folder.remove_incomplete_checkpoints()
        with (
            shared_actor_server(setup.plan, on_cpu=settings.device == "cpu") as plan,
            EpisodePlayer(plan) as player,
        ):
            if setup.preregistration:
                tell(setup.preregistration.in_words)
            turns = setup.states.info.turns
            reward_function = RewardFunction(plan, player, settings.reward, settings.replicates, turns)
            return _train(setup, reward_function, folder, tell)


def identity(setup: TrainingSetup) -> dict[str, Any]:
    """Return, as plain JSON, what must be equal for a training to be resumed."""
    return {
        **setup.settings.model_dump(mode="json", exclude=CHANGEABLE | {"states", "preregistration"}),
        "states_digest": setup.states.info.digest,
        "base_digest": setup.base_digest,
        **({"preregistration": setup.preregistration.digest} if setup.preregistration else {}),
    }


def _train(
    setup: TrainingSetup, reward_function: RewardFunction, folder: TrainingFolder, report: Callable[[str], None]
) -> Path:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Raised by the training packages about each other; the user can do nothing about them.
    warnings.simplefilter("ignore", FutureWarning)
    from ictbench.train.trainer import ReflectorTrainer

    steps, done, checkpoint = setup.settings.steps, folder.last_step, folder.last_checkpoint
    if done is not None and done > steps:
        raise ConfigError(
            f"{checkpoint} is beyond the {steps} steps of the settings; raise steps or choose another out"
        )
    if checkpoint and done == steps:
        report(f"all {steps} steps are done already")
        return checkpoint
    try:
        trainer = ReflectorTrainer(setup, reward_function, folder, report)
        if checkpoint:
            report(f"resuming from {checkpoint}")
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except InfrastructureError as error:
        raise RunError(f"the episodes for a reward could not be played: {error}. {_resume_hint(folder)}") from error
    except KeyboardInterrupt as error:
        raise RunInterruptedError(f"{stopped_by(error)}. {_resume_hint(folder)}") from error
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise RunError(
            "out of memory: lower micro_batch, max_tokens or max_question_tokens, train a LoRA adapter (lora: {}), or "
            "set kl_beta: 0, which needs no second model. " + _resume_hint(folder)
        ) from error
    if folder.last_checkpoint is None:
        raise ConfigError(f"no checkpoint was written to {folder.path}")
    return folder.last_checkpoint


def _resume_hint(folder: TrainingFolder) -> str:
    checkpoint = folder.last_checkpoint
    return f"The same command resumes from {checkpoint}" if checkpoint else "There is no checkpoint yet"

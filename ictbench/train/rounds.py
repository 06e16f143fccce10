"""On-policy rounds: each collects states with the current model and trains the model on them. Resumable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import Field

from ictbench.errors import ConfigError, RunError
from ictbench.hand_written import HandWritten
from ictbench.models.checkpoint_card import read_card
from ictbench.models.providers.hf import ADAPTER_CONFIG
from ictbench.runs.folder_lock import check_identity, lock_folder
from ictbench.runs.preregistration import read_preregistration
from ictbench.runs.run_folder import write_atomically
from ictbench.train.collect import collect, plan_collection
from ictbench.train.grpo import CHANGEABLE, train_grpo
from ictbench.train.processes import Processes
from ictbench.train.reflection_task import ReflectionTask
from ictbench.train.settings import TrainingSettings, read_mapping, validated
from ictbench.train.states import INFO_FILE, read_info
from ictbench.train.training_folder import TrainingFolder, read_identity
from ictbench.train.training_setup import check_packages

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.runs import Progress

IDENTITY_FILE = "rounds.json"
OWN_OPTIONS = ("reflector", "out", "config", "reflector_trained_on")
"""Options of a collection that each round sets itself."""


class RoundsSettings(HandWritten):
    """Settings of `ictbench train run --config`: those of a training, without `states`, and these."""

    collect: dict[str, Any] = Field(default_factory=dict)
    """Options of `ictbench train collect`, by name; loops are per round."""
    provider: Literal["hf", "vllm"] = "hf"
    """Provider of the model while it collects: in this process, or on a vLLM server that is launched."""
    launch: tuple[str, ...] = ()
    """Command before `ictbench train grpo`, e.g. [accelerate, launch, --config_file, gpus.yaml]; empty to train in this
    process."""
    training: TrainingSettings
    """Settings of each round; `model` is that of the first round, and `out` holds all rounds."""

    @classmethod
    def from_yaml(cls, path: Path, **overrides: Any) -> RoundsSettings:
        """Read settings from a file; `overrides` that are not None take precedence.

        Raises:
            ConfigError: The file cannot be read, has an unknown key, or a value is not valid.
        """
        content = {**read_mapping(path), **{name: value for name, value in overrides.items() if value is not None}}
        for name in ("states", "round"):
            if name in content:
                raise ConfigError(f"config {path}: {name} is set by each round; remove it")
        own: dict[str, Any] = {name: content.pop(name) for name in ("collect", "provider", "launch") if name in content}
        training = validated(TrainingSettings, {**content, "states": "states"}, path)
        settings = validated(cls, {**own, "training": training}, path)
        if taken := sorted(set(settings.collect) & set(OWN_OPTIONS)):
            raise ConfigError(f"config {path}: collect.{taken[0]} is set by each round; remove it")
        return settings

    def folder(self, round_: int) -> Path:
        """Return the folder of a round, 1 … rounds."""
        return self.training.out / f"round-{round_}"

    def training_of(self, round_: int, model: str) -> TrainingSettings:
        """Return the settings of the training of a round that starts from a model."""
        folder = self.folder(round_)
        own = {"model": model, "states": folder / "states", "out": folder / "training", "round": round_}
        return self.training.model_copy(update=own)

    def collection(self, model: str) -> dict[str, Any]:
        """Return the options of a collection with a model as reflector."""
        settings, folder = self.training, Path(model).expanduser()
        options: dict[str, Any] = {"reflector_temperature": settings.temperature, "actor": settings.actor or "rules"}
        if settings.families is not None:
            options["families"] = settings.families
        if settings.experience is not None:
            options["reflector_experience"] = settings.experience
        named = f"{self.provider}/{model}"
        if self.provider == "vllm" and (folder / ADAPTER_CONFIG).is_file():
            base = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))["base_model_name_or_path"]
            named, options["reflector_model_options"] = f"vllm/{base}", (f"lora={model}",)
        trained = read_card(folder) if folder.is_dir() else None
        return {"reflector": named if trained else f"{settings.reflector}:{named}", **options, **self.collect}

    def identity(self) -> dict[str, Any]:
        """Return, as plain JSON, what must be equal for the rounds to be continued."""
        changeable = (CHANGEABLE - {"steps"}) | {"states", "round"}
        training = self.training.model_dump(mode="json", exclude=changeable | {"preregistration"})
        planned = self.training.preregistration
        digest = {"preregistration": read_preregistration(planned).file_digest} if planned else {}
        return {"collect": json.loads(json.dumps(self.collect)), "provider": self.provider, **training, **digest}


def check_rounds(settings: RoundsSettings) -> None:
    """Check what can be checked before anything is collected.

    Raises:
        UsageError: Something does not exist, does not fit, or is not installed.
    """
    if Processes.from_environment().count > 1:
        raise ConfigError(
            "ictbench train run was started by a launcher: start it once, and name the launcher in the setting launch"
        )
    training = settings.training
    check_packages(training)
    plan = plan_collection(**settings.collection(training.model))
    ReflectionTask.from_settings(training, plan.suite.limits.prompt_bytes)
    if beyond := sorted(set(training.turns or ()) - set(range(1, plan.sizes.turns + 1))):
        raise ConfigError(f"turns: a loop of the collection has no turn {beyond[0]} (turns: 1 to {plan.sizes.turns})")
    if training.preregistration:
        read_preregistration(training.preregistration)


def train_rounds(
    settings: RoundsSettings,
    report: Callable[[str], None] = lambda line: None,
    on_start: Callable[[Path, Progress], None] | None = None,
) -> Path:
    """Run all rounds, or continue where they stopped; return the last checkpoint's folder.

    Args:
        settings: The configuration.
        report: Receives one line per step and per round.
        on_start: Receives the folder and the live progress of each collection; see `ictbench.run`.

    Raises:
        UsageError: Something does not exist, does not fit, or is not installed; nothing was played.
        RunError: A round stopped early; the same call continues it.
    """
    check_rounds(settings)
    training, file = settings.training, settings.training.out / IDENTITY_FILE
    with lock_folder(training.out, IDENTITY_FILE, kind="training in rounds", option="out"):
        if file.exists():
            check_identity(
                training.out, read_identity(file), settings.identity(), kind="training in rounds", option="out"
            )
        else:
            write_atomically(file, json.dumps(settings.identity(), indent=2, ensure_ascii=False) + "\n")
        if settings.folder(training.rounds + 1).exists():
            raise ConfigError(
                f"{training.out} has more than {training.rounds} rounds: raise rounds, or choose another out"
            )
        model = training.model
        for round_ in range(1, training.rounds + 1):
            report(f"round {round_} of {training.rounds}: the model is {model}")
            model = str(_train_round(settings, round_, model, report, on_start))
    return Path(model)


def _train_round(
    settings: RoundsSettings,
    round_: int,
    model: str,
    report: Callable[[str], None],
    on_start: Callable[[Path, Progress], None] | None,
) -> Path:
    training = settings.training_of(round_, model)
    # The file is written last: states that have it are complete.
    if (training.states / INFO_FILE).exists():
        report(f"round {round_}: {read_info(training.states).states} states were collected before")
    else:
        options = settings.collection(model)
        # Each round meets tasks of its own.
        loops = plan_collection(**options).sizes.loops
        info = collect(training.states, on_start=on_start, first_loop=(round_ - 1) * loops, **options)
        report(f"round {round_}: {info.states} states collected")
    if not settings.launch:
        return train_grpo(training, report)
    return _launch(settings, training)


def _launch(settings: RoundsSettings, training: TrainingSettings) -> Path:
    """Run a training with the launcher and return its last checkpoint."""
    config = training.out.with_suffix(".yaml")
    write_atomically(config, yaml.safe_dump(training.model_dump(mode="json"), sort_keys=False))
    program = Path(sys.executable).with_name("ictbench")
    status = subprocess.run([*settings.launch, str(program), "train", "grpo", "--config", str(config)], check=False)
    last = TrainingFolder(training.out).last_checkpoint
    if status.returncode or last is None:
        raise RunError(
            f"the training of round {training.round} ended with exit status {status.returncode}; its own message is "
            "above. The same command continues"
        )
    return last

"""Metadata of a training for the experiment trackers that TRL's trainer reports to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.train.model_card import Metadata

PREFIX = "ictbench/"
CARD = "card"


class MetadataCallback(TrainerCallback):  # type: ignore[misc]
    """Adds what a card says, and where it is, to the run of each tracker.

    The trainer calls it after its own callbacks, which start the runs.
    """

    def __init__(self, trainer: Any, metadata: Metadata) -> None:
        self._trainer, self._metadata = trainer, metadata

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the metadata."""
        if state.is_world_process_zero:
            self._write({**self._metadata, "checkpoints": args.output_dir})

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the link to the card of the checkpoint that was just saved."""
        if state.is_world_process_zero:
            self._write({CARD: f"{args.output_dir}/checkpoint-{state.global_step}/README.md"})

    def _write(self, values: Mapping[str, Any]) -> None:
        texts = {f"{PREFIX}{name}": _text(value) for name, value in values.items()}
        for callback in self._trainer.callback_handler.callbacks:
            name = type(callback).__name__
            if name in WRITERS:
                WRITERS[name](callback, texts, self._trainer.state.global_step)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _to_tensorboard(callback: Any, texts: Mapping[str, str], step: int) -> None:
    for name, text in texts.items():
        callback.tb_writer.add_text(name, text, step)
    callback.tb_writer.flush()


def _to_wandb(callback: Any, texts: Mapping[str, str], step: int) -> None:
    callback._wandb.config.update(dict(texts), allow_val_change=True)


def _to_trackio(callback: Any, texts: Mapping[str, str], step: int) -> None:
    callback._trackio.config.update(dict(texts), allow_val_change=True)
    if f"{PREFIX}{CARD}" in texts:
        # The configuration of a run is sent once, with its first metrics.
        callback._trackio.log(dict(texts))


def _to_mlflow(callback: Any, texts: Mapping[str, str], step: int) -> None:
    # Tags, because a parameter of a run cannot change, and is shorter.
    callback._ml_flow.set_tags({name: text[:MLFLOW_TAG_LENGTH] for name, text in texts.items()})


MLFLOW_TAG_LENGTH = 5000
WRITERS = {
    "TensorBoardCallback": _to_tensorboard,
    "WandbCallback": _to_wandb,
    "TrackioCallback": _to_trackio,
    "MLflowCallback": _to_mlflow,
}
"""Functions that add texts to the run of a tracker, by the class of transformers' callback."""

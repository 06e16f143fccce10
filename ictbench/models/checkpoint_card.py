"""The card of a trained checkpoint: the file `ictbench.json` next to its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, JsonValue, ValidationError

from ictbench.errors import ConfigError
from ictbench.records import ModelSpec, Record, Registered

if TYPE_CHECKING:
    from collections.abc import Iterator

CARD_FILE = "ictbench.json"
TRAINING_FILES = ("trainer_state.json", "training_args.bin", "optimizer.pt")
"""Files that show that a folder comes from training, even if its card is missing."""


class TrainingCard(Record):
    """Record of how the weights in a folder were trained."""

    schema_: Literal["ictbench.training/1"] = Field(default="ictbench.training/1", alias="schema")
    ictbench: str
    """Version of ictbench that trained the model."""
    reflector: str
    """The reflector whose question the model answers."""
    experience: Literal["full", "events", "tally"]
    """Format in which the model reads its experience."""
    trained_on: tuple[str, ...]
    """`SUITE/FAMILY`, sorted, including the families that the base model was trained on."""
    suite: str
    suite_digest: str
    states_digest: str
    """Digest of the reflection states in the training data."""
    actor: str
    """The actor that played for the rewards."""
    reward: str
    step: int
    """Training steps."""
    base: str
    """The model that training started from."""
    base_digest: str | None
    """Digest of the base model's weights, if they were local files."""
    config: dict[str, JsonValue]
    """The whole training configuration."""
    versions: dict[str, str]
    """Versions of the packages used for training and for playing."""
    preregistration: Registered | None = Field(default=None, exclude_if=lambda value: value is None)
    """The pre-registration, and how the training departs from it; None without one."""


def find_card(spec: ModelSpec) -> TrainingCard | None:
    """Return the card next to a model's local weights: a checkpoint, a LoRA adapter, or a file converted from one.

    Returns:
        The card; None if nothing shows that the weights were trained by ictbench.

    Raises:
        ConfigError: The card is damaged, or a checkpoint has none.
    """
    return next((card for folder in _folders(spec) if (card := read_card(folder)) is not None), None)


def read_card(folder: Path) -> TrainingCard | None:
    """Return the card in a folder; None if it has none and need not have one.

    Raises:
        ConfigError: The card is damaged, or the folder is a checkpoint without one.
    """
    try:
        return TrainingCard.model_validate_json((folder / CARD_FILE).read_bytes())
    except FileNotFoundError:
        if any((folder / name).exists() for name in TRAINING_FILES):
            raise ConfigError(
                f"{folder} is a checkpoint without its card {CARD_FILE}, so what it was trained on is unknown; "
                "use a completely written checkpoint, or restore the card"
            ) from None
        return None
    except (OSError, ValidationError) as error:
        raise ConfigError(f"the card {folder / CARD_FILE} is damaged: {str(error).splitlines()[0]}") from error


def _folders(spec: ModelSpec) -> Iterator[Path]:
    """Yield the local folders of a model's weights, the adapter's before the base model's."""
    for path in (spec.options.get("lora"), spec.model):
        if isinstance(path, str) and path and (local := Path(path).expanduser()).exists():
            yield local if local.is_dir() else local.parent

"""What a trained checkpoint says of itself: the file `ictbench.json` beside its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, JsonValue, ValidationError

from ictbench.errors import ConfigError
from ictbench.records import ModelSpec, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

CARD_FILE = "ictbench.json"
TRAINING_FILES = ("trainer_state.json", "training_args.bin", "optimizer.pt")
"""Files by which a folder is known to come from training, with or without its card."""


class TrainingCard(Record):
    """How the weights in a folder came about."""

    schema_: Literal["ictbench.training/1"] = Field(default="ictbench.training/1", alias="schema")
    ictbench: str
    """Version that trained it."""
    reflector: str
    """Whose question its replies answer."""
    experience: Literal["full", "events"]
    """How it is shown its experience."""
    trained_on: tuple[str, ...]
    """`SUITE/FAMILY`, sorted; those of the model that training began with among them."""
    suite: str
    suite_digest: str
    states_digest: str
    """Of the reflection states it was trained on."""
    actor: str
    """Who played for its rewards."""
    reward: str
    step: int
    """Steps taken."""
    base: str
    """The model that training began with."""
    base_digest: str | None
    """Of that model's weights, where they lay on the machine."""
    config: dict[str, JsonValue]
    """The whole configuration."""
    versions: dict[str, str]
    """Of the packages that trained it, and that its rewards were played with."""


def find_card(spec: ModelSpec) -> TrainingCard | None:
    """The card beside a model's weights on this machine: a checkpoint, a LoRA adapter, or a file converted from one.

    None where there is no sign that they were trained here.

    Raises:
        ConfigError: the card is damaged, or missing from a checkpoint.
    """
    return next((card for folder in _folders(spec) if (card := read_card(folder)) is not None), None)


def read_card(folder: Path) -> TrainingCard | None:
    """The card in a folder; None where it has none and need not have one.

    Raises:
        ConfigError: it is damaged, or missing from a checkpoint.
    """
    try:
        return TrainingCard.model_validate_json((folder / CARD_FILE).read_bytes())
    except FileNotFoundError:
        if any((folder / name).exists() for name in TRAINING_FILES):
            raise ConfigError(
                f"{folder} is a checkpoint without its card {CARD_FILE}: what it was trained on is unknown; take a "
                "checkpoint that was written to its end, or put its card back"
            ) from None
        return None
    except (OSError, ValidationError) as error:
        raise ConfigError(f"the card {folder / CARD_FILE} is damaged: {str(error).splitlines()[0]}") from error


def _folders(spec: ModelSpec) -> Iterator[Path]:
    """Where a model's weights lie, the adapter's before its model's."""
    for place in (spec.options.get("lora"), spec.model):
        if isinstance(place, str) and place and (path := Path(place).expanduser()).exists():
            yield path if path.is_dir() else path.parent

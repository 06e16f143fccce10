"""Cards of trained checkpoints for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.models.checkpoint_card import CARD_FILE, TrainingCard

if TYPE_CHECKING:
    from pathlib import Path


def make_card(**fields: Any) -> TrainingCard:
    return TrainingCard.model_validate(
        {
            "ictbench": "0.1.0",
            "reflector": "lessons",
            "experience": "events",
            "trained_on": ("minihack-v1/eat",),
            "suite": "minihack-v1",
            "suite_digest": "0" * 64,
            "states_digest": "1" * 64,
            "actor": "rules",
            "reward": "replay",
            "step": 20,
            "base": "smollm2",
            "base_digest": None,
            "config": {},
            "versions": {},
            **fields,
        }
    )


def write_card(folder: Path, **fields: Any) -> TrainingCard:
    card = make_card(**fields)
    folder.mkdir(exist_ok=True)
    (folder / CARD_FILE).write_text(card.model_dump_json(by_alias=True), encoding="utf-8")
    return card

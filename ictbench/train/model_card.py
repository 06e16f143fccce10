"""Card of a checkpoint: `ictbench.json` for programs, README.md for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.models.checkpoint_card import CARD_FILE, TrainingCard
from ictbench.models.providers.hf import ADAPTER_CONFIG
from ictbench.models.providers.smollm2 import SMOLLM2
from ictbench.results.formatting import markdown_table
from ictbench.runs.run_folder import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.train.training_setup import TrainingSetup

Metadata = Mapping[str, Any]
"""What identifies a training, by the names of the card's fields."""
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate")


def write_card(folder: Path, setup: TrainingSetup, step: int) -> TrainingCard:
    """Write the card into a checkpoint that has all its other files; `ictbench.json`, written last, completes it."""
    settings = setup.settings
    card = TrainingCard.model_validate({**metadata(setup), "step": step})
    if settings.model == SMOLLM2 and (adapter := folder / ADAPTER_CONFIG).is_file():
        # The name, not the folder on this machine.
        config = {**json.loads(adapter.read_text(encoding="utf-8")), "base_model_name_or_path": SMOLLM2}
        write_atomically(adapter, json.dumps(config, indent=2) + "\n")
    write_atomically(folder / "README.md", _readme(card))
    write_atomically(folder / CARD_FILE, card.model_dump_json(by_alias=True, indent=2) + "\n")
    return card


def metadata(setup: TrainingSetup) -> Metadata:
    """Return the fields of the card that all checkpoints of a training share."""
    settings, info = setup.settings, setup.states.info
    return {
        "ictbench": __version__,
        "reflector": settings.reflector,
        "experience": setup.task.experience,
        "trained_on": setup.trained_on,
        "suite": setup.states.suite.name,
        "suite_digest": info.suite_digest,
        "states_digest": info.digest,
        "actor": setup.plan.actor.label,
        "reward": settings.reward,
        "base": settings.model,
        "base_digest": setup.base_digest,
        "config": settings.model_dump(mode="json"),
        "versions": {**info.versions, **{package: version(package) for package in PACKAGES}},
        **({"preregistration": setup.preregistration.model_dump()} if setup.preregistration else {}),
    }


def _readme(card: TrainingCard) -> str:
    rows = {
        "trained on": ", ".join(card.trained_on),
        "initial model": f"{card.base} ({card.base_digest or 'no digest'})",
        "steps": str(card.step),
        "reward": f"{card.reward}, played by the actor {card.actor}",
        "question": f"of the reflector {card.reflector}, experience shown as {card.experience}",
        "suite": f"{card.suite} ({card.suite_digest})",
        "reflection states": card.states_digest,
        **({"pre-registration": card.preregistration.in_words} if card.preregistration else {}),
        "written by": f"ictbench {card.ictbench}",
    }
    return f"""\
---
library_name: transformers
tags: [ictbench, in-context-training, grpo]
---

# A reflector trained by reinforcement learning

This model reads episodes that an agent played and writes a better system prompt for the agent.

{markdown_table(("", ""), rows.items())}

`{CARD_FILE}` has the whole configuration. Evaluate the model with
`ictbench run --reflector hf/THIS-FOLDER --actor {card.actor}`.
"""

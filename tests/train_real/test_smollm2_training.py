"""A short training with the real model and environment: collect states, train, run the checkpoint."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

import ictbench
from ictbench.models.checkpoint_card import CARD_FILE, read_card
from ictbench.models.providers.hf import HfModel
from ictbench.models.providers.smollm2 import smollm2_folder
from ictbench.records import ModelSpec
from ictbench.train import collect
from ictbench.train.states import read_info

if TYPE_CHECKING:
    from collections.abc import Mapping

ICTBENCH = Path(sys.executable).with_name("ictbench")
TINY: Mapping[str, Any] = {
    "model": "smollm2",
    "reflector": "lessons",
    "reward": "replay",
    "replicates": 2,
    "steps": 2,
    # Large enough that some replies are usable and some are not: a group without variance has no gradient.
    "group": 8,
    "micro_batch": 8,
    "max_tokens": 24,
    "learning_rate": 1e-4,
    "lora": {"rank": 4},
    "checkpoint_every": 1,
    "keep_checkpoints": None,
    "probe_every": 1,
    "device": "cpu",
}
METRICS = ("reward", "frac_reward_zero_std", "kl", "completions/mean_length", "parse_failures", "probe/overfitting_gap")


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train") / "states"
    collect(folder, reflector="none", actor="rules", families="room-random", loops=2, turns=1, batch_size=2)
    return folder


@pytest.fixture(scope="module")
def config(states: Path) -> Path:
    path = states.parent / "tiny.yaml"
    content = {**TINY, "states": str(states), "out": str(states.parent / "trained")}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(config: Path) -> Path:
    """Folder of a training after two steps."""
    output = train(config)
    assert "step 1 of 2: reward " in output
    assert "overfitting gap" in output
    return config.parent / "trained"


def train(config: Path, *arguments: str) -> str:
    command = [str(ICTBENCH), "train", "grpo", "--config", str(config), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def weights(checkpoint: Path) -> str:
    return hashlib.sha256((checkpoint / "adapter_model.safetensors").read_bytes()).hexdigest()


def logged(folder: Path) -> dict[str, dict[int, float]]:
    """Return the metrics in the TensorBoard logs, by name and step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    metrics: dict[str, dict[int, float]] = {}
    for file in sorted((folder / "runs").glob("events.*")):
        events = EventAccumulator(str(file)).Reload()
        for name in events.Tags()["scalars"]:
            for event in events.Scalars(name):
                metrics.setdefault(name.removeprefix("train/"), {})[event.step] = event.value
    return metrics


def test_the_weights_change_and_every_metric_is_logged(trained: Path) -> None:
    assert weights(trained / "checkpoint-1") != weights(trained / "checkpoint-2")
    measures = logged(trained)
    for name in METRICS:
        assert set(measures[name]) >= {1, 2}, name
    assert all(0 <= value <= 1 for value in measures["reward"].values())
    assert measures["completions/mean_length"][1] <= TINY["max_tokens"]


def test_a_checkpoint_has_a_card(trained: Path, states: Path) -> None:
    card = read_card(trained / "checkpoint-2")
    assert card
    assert card.trained_on == ("minihack-v1/room-random",)
    assert card.states_digest == read_info(states).digest
    assert (card.step, card.reward, card.reflector, card.base) == (2, "replay", "lessons", "smollm2")
    assert card.base_digest == HfModel(ModelSpec(provider="hf", model="smollm2")).known_fingerprint
    assert "| trained on | minihack-v1/room-random |" in (trained / "checkpoint-2" / "README.md").read_text("utf-8")


def test_training_resumes_from_the_last_complete_checkpoint(trained: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder)
    # The state after a kill during the last checkpoint.
    (folder / "checkpoint-2" / CARD_FILE).unlink()
    (folder / "checkpoint-2" / "optimizer.pt").write_bytes(b"half")
    output = train(config, "--out", str(folder))
    assert f"resuming from {folder / 'checkpoint-1'}" in output
    assert "step 1 of 2" not in output
    assert weights(folder / "checkpoint-2") == weights(trained / "checkpoint-2")
    assert "all 2 steps are done already" in train(config, "--out", str(folder))


def test_a_run_with_the_checkpoint_records_its_training_families(trained: Path, tmp_path: Path) -> None:
    run = ictbench.run(
        out=tmp_path / "run",
        reflector=f"hf/{trained / 'checkpoint-2'}",
        actor="rules",
        families="room-dark",
        loops=1,
        turns=1,
        batch_size=2,
        selection_size=2,
        test_size=2,
    )
    result = run.result
    assert result.complete
    assert result.reflector_trained_on == ("minihack-v1/room-random",)
    assert result.reflector.options == {"experience": "events"}
    assert result.reflector.name == "lessons"
    assert str(result.reflector.fingerprint).count("sha256:") == 2
    assert result.cost["reflector"].output_tokens


def test_full_fine_tuning_in_bfloat16_on_fresh_tasks(config: Path, tmp_path: Path) -> None:
    content = {**yaml.safe_load(config.read_text("utf-8")), "lora": None, "compute": "bfloat16", "reward": "fresh"}
    content |= {"steps": 1, "states_per_step": 2, "group": 4, "out": str(tmp_path / "full")}
    (tmp_path / "full.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    train(tmp_path / "full.yaml")
    checkpoint = tmp_path / "full" / "checkpoint-1"
    before, after = (load_file(folder / "model.safetensors") for folder in (smollm2_folder(), checkpoint))
    assert any(not torch.equal(before[name], tensor.to(before[name].dtype)) for name, tensor in after.items())
    assert all(tensor.isfinite().all() for tensor in after.values())
    assert asyncio.run(reply(HfModel(ModelSpec(provider="hf", model=str(checkpoint), max_tokens=4))))


async def reply(model: HfModel) -> str:
    try:
        return (await model.complete([{"role": "user", "content": "Name a colour."}], seed=0)).text
    finally:
        await model.aclose()

"""Trackers receive the metrics of a real training, what its card says, and the path of the newest card."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ictbench.errors import ConfigError
from ictbench.train import TrainingSettings, collect
from ictbench.train.training_setup import check_packages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTINGS: dict[str, Any] = {
    "reflector": "one-rule",
    "actor": "rules",
    "executor": "inline",
    "steps": 2,
    "group": 2,
    "micro_batch": 2,
    "max_tokens": 8,
    "checkpoint_every": 1,
    "probe_every": 2,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def config(speaking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trackers")
    options: dict[str, Any] = {"loops": 1, "turns": 1, "batch_size": 1, "executor": "inline"}
    collect(folder / "states", reflector="none", actor="rules", families="eat", **options)
    content = {**SETTINGS, "model": str(speaking), "states": str(folder / "states"), "out": str(folder / "out")}
    (folder / "t.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder / "t.yaml"


def read_wandb(folder: Path) -> str:
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    return file.read_bytes().decode("utf-8", "ignore")


def read_trackio(folder: Path) -> str:
    database = sqlite3.connect(folder / "trackio" / "ictbench.db")
    rows = [*database.execute("select config from configs"), *database.execute("select metrics from metrics")]
    return "\n".join(text.decode() if isinstance(text, bytes) else text for (text,) in rows)


def read_mlflow(folder: Path) -> str:
    database = sqlite3.connect(folder / "mlflow.db")
    names = [name for (name,) in database.execute("select key from metrics")]
    return json.dumps([names, *database.execute("select key, value from tags")])


@pytest.mark.parametrize(
    ("tracker", "read"), [("wandb", read_wandb), ("trackio", read_trackio), ("mlflow", read_mlflow)]
)
def test_a_tracker_has_metrics_metadata_and_the_newest_card(
    tracker: str, read: Callable[[Path], str], config: Path, tmp_path: Path
) -> None:
    pytest.importorskip(tracker)
    variables = {
        "WANDB_MODE": "offline",
        "WANDB_DIR": str(tmp_path),
        "TRACKIO_DIR": str(tmp_path / "trackio"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "HF_HUB_OFFLINE": "1",
    }
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ictbench", "train", "grpo", "--config", str(config), "--out", str(out)]
    done = subprocess.run(
        [*command, "--report-to", tracker],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = read(tmp_path)
    for expected in ("overfitting_gap", "ictbench/states_digest", "minihack-v1/eat", f"{out}/checkpoint-2/README.md"):
        assert expected in text, expected


@pytest.mark.skipif(find_spec("wandb") is not None, reason="wandb is installed")
def test_a_tracker_that_is_not_installed_is_an_error_before_training(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The folder of an earlier run of wandb looks like a package.
    (tmp_path / "wandb").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="report_to names wandb, which is not installed: pip install wandb"):
        check_packages(TrainingSettings.from_yaml(config, report_to=["wandb"]))

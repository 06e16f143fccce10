"""Training in two processes on CPUs (gloo): killed and resumed, one error line, one model server per machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ictbench.models.checkpoint_card import read_card
from ictbench.train import collect
from ictbench.train.training_folder import TrainingFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

TESTS = Path(__file__).parents[1]
ICTBENCH = Path(sys.executable).with_name("ictbench")
LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
SETTINGS: Mapping[str, Any] = {
    "reflector": "one-rule",
    "reward": "replay",
    "actor": "train_real.broken_actor:BrokenActor",
    "executor": "inline",
    # More than are done before the first of these trainings is killed.
    "steps": 2000,
    "group": 4,
    "micro_batch": 2,
    "max_tokens": 16,
    "learning_rate": 1e-2,
    "checkpoint_every": 1,
    "probe_every": 1,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def config(speaking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    options = {"families": "eat", "loops": 1, "turns": 1, "batch_size": 1, "executor": "inline"}
    collect(folder / "states", reflector="none", actor="rules", **options)  # type: ignore[arg-type]
    return written(folder / "t.yaml", model=str(speaking), states=str(folder / "states"), out=str(folder / "out"))


def written(path: Path, **fields: Any) -> Path:
    path.write_text(yaml.safe_dump({**SETTINGS, **fields}), encoding="utf-8")
    return path


def start(config: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*LAUNCH, str(ICTBENCH), "train", "grpo", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1", **variables},
        start_new_session=True,
    )


def kill(launcher: subprocess.Popen[str]) -> None:
    """Kill a launcher and its processes, each of which has a session of its own."""
    for process in (psutil.Process(launcher.pid), *psutil.Process(launcher.pid).children(recursive=True)):
        process.kill()


def output_of(config: Path, **variables: str) -> list[str]:
    process = start(config, **variables)
    try:
        output, _ = process.communicate(timeout=250)
    except subprocess.TimeoutExpired:
        kill(process)
        raise
    return output.splitlines()


def test_two_processes_killed_and_resumed(config: Path) -> None:
    process = start(config)
    assert process.stdout
    seen = []
    for line in process.stdout:
        seen.append(line)
        if line.startswith("step 2 of "):
            break
    kill(process)
    process.communicate()
    assert seen[-1].startswith("step 2 of "), "".join(seen)
    out = config.parent / "out"
    done = TrainingFolder(out).last_step
    assert done
    last = done + 2
    fields = yaml.safe_load(config.read_text("utf-8"))
    shorter = written(config.parent / "shorter.yaml", **{**fields, "steps": last})

    broken = output_of(shorter, BROKEN_RANK="1")
    assert not any(line.startswith("step ") for line in broken)
    (problem,) = (line for line in broken if line.startswith("ictbench: "))
    assert "could not be played: in process 1 of 2: the game hangs. The same command resumes from" in problem

    lines = output_of(shorter)
    assert sum(line.startswith("resuming from ") for line in lines) == 1
    assert [line[:11] for line in lines if line.startswith("step ")][-1] == f"step {last} of {last}"[:11]
    assert not any(line.startswith("step 1 ") for line in lines)
    card = read_card(out / f"checkpoint-{last}")
    assert card
    assert card.step == last
    # Each start writes a file of its own: the texts of the last one count.
    texts = {
        name.split("/text_summary")[0]: event.tensor_proto.string_val[0].decode()
        for events in sorted(
            (EventAccumulator(str(file)).Reload() for file in (out / "runs").glob("events.*")),
            key=EventAccumulator.FirstEventTimestamp,
        )
        for name in events.Tags()["tensors"]
        for event in events.Tensors(name)
        if name.startswith("ictbench/")
    }
    assert texts["ictbench/reward"] == "replay"
    assert texts["ictbench/trained_on"] == '["minihack-v1/eat"]'
    assert texts["ictbench/states_digest"] == card.states_digest
    assert texts["ictbench/card"] == f"{out}/checkpoint-{last}/README.md"


def test_one_server_is_launched_for_all_processes_of_a_machine(config: Path, tmp_path: Path) -> None:
    program = tmp_path / "vllm"
    stand_in = TESTS / "helpers" / "stand_in_server.py"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{stand_in}" "$@"\n')
    program.chmod(0o755)
    fields = {**yaml.safe_load(config.read_text("utf-8")), "actor": "vllm/Qwen/Qwen2.5-7B-Instruct"}
    own = written(tmp_path / "t.yaml", **{**fields, "steps": 1, "probe_every": 1, "out": str(tmp_path / "out")})
    record = tmp_path / "record"
    lines = output_of(own, ICTBENCH_VLLM=str(program), STAND_IN_RECORD=str(record), HF_HUB_OFFLINE="1")
    assert any(line.startswith("step 1 of 1") for line in lines), "\n".join(lines)
    launched = [line for line in record.read_text().splitlines() if line.startswith("[")]
    requests = [line for line in record.read_text().splitlines() if line.startswith("{")]
    assert len(launched) == 1
    assert requests

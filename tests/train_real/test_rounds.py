"""Two rounds of collection and training with a tiny model: stopped at every point, with the same end."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ictbench.errors import ConfigError, RunFolderError
from ictbench.models.checkpoint_card import read_card
from ictbench.train.grpo import train_grpo
from ictbench.train.rounds import RoundsSettings, train_rounds
from ictbench.train.states import read_states

if TYPE_CHECKING:
    from collections.abc import Mapping

ICTBENCH = Path(sys.executable).with_name("ictbench")
EXAMPLE = Path(__file__).parents[2] / "examples" / "train" / "rounds-cpu.yaml"
COLLECT = {"families": ["eat"], "loops": 2, "turns": 2, "batch_size": 2, "executor": "inline"}
ROUNDS: Mapping[str, Any] = {
    "rounds": 2,
    "collect": COLLECT,
    "turns": [2],
    "max_states": 2,
    "reflector": "one-rule",
    "reward": "loop",
    "replicates": 2,
    "actor": "rules",
    "executor": "inline",
    "steps": 2,
    "group": 4,
    "micro_batch": 4,
    "max_tokens": 16,
    "learning_rate": 1e-2,
    "lora": {"rank": 4},
    "checkpoint_every": 1,
    "keep_checkpoints": None,
    "probe_every": 2,
    "device": "cpu",
    # With this seed, each round has a group whose rewards differ.
    "seed": 2,
}


def written(folder: Path, model: Path, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "rounds.yaml"
    content = {**ROUNDS, "model": str(model), "out": str(folder / "out"), **changes}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def weights(out: Path) -> list[str]:
    files = sorted(out.glob("round-*/training/checkpoint-*/adapter_model.safetensors"))
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def killed_at(config: Path, words: str) -> None:
    """Start the rounds and kill them as soon as a line of their output has some words."""
    command = [str(ICTBENCH), "train", "run", "--config", str(config), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        seen = []
        for line in process.stdout:
            seen.append(line)
            if words in line:
                process.kill()
                break
        else:
            raise AssertionError("".join(seen))


@pytest.fixture(scope="module")
def finished(speaking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two rounds that nothing stopped."""
    folder = tmp_path_factory.mktemp("rounds")
    train_rounds(RoundsSettings.from_yaml(written(folder, speaking)))
    return folder / "out"


def test_each_round_trains_the_model_of_the_last_one_on_states_of_its_own(finished: Path, speaking: Path) -> None:
    first_steps, second_steps = weights(finished)[:2], weights(finished)[2:]
    # A group without variance changes nothing.
    assert len(set(first_steps)) + len(set(second_steps)) > 2
    assert first_steps[-1] != second_steps[-1]
    first, second = (read_states(finished / f"round-{number}" / "states") for number in (1, 2))
    assert [[state.loop for state in data.states] for data in (first, second)] == [[0, 0, 1, 1], [2, 2, 3, 3]]
    assert first.info.reflector.model
    assert second.info.reflector.model
    assert first.info.reflector.model.model == str(speaking)
    assert second.info.reflector.model.model == str(finished / "round-1" / "training" / "checkpoint-2")
    assert second.info.reflector.name == "one-rule"
    assert second.info.reflector.model.temperature == 1.0
    card = read_card(finished / "round-2" / "training" / "checkpoint-2")
    assert card
    assert (card.base, card.reward, card.config["round"]) == (second.info.reflector.model.model, "loop", 2)
    assert card.trained_on == ("minihack-v1/eat",)


def test_rounds_killed_at_any_point_end_with_the_same_weights(finished: Path, speaking: Path, tmp_path: Path) -> None:
    config = written(tmp_path, speaking)
    killed_at(config, "round 1 of 2")
    assert not (tmp_path / "out" / "round-1" / "training").exists()
    killed_at(config, "step 1 of 2")
    killed_at(config, "round 2 of 2")
    lines: list[str] = []
    last = train_rounds(RoundsSettings.from_yaml(config), lines.append)
    assert last == tmp_path / "out" / "round-2" / "training" / "checkpoint-2"
    assert "round 1: 4 states were collected before" in lines
    assert "all 2 steps are done already" in lines
    assert weights(tmp_path / "out") == weights(finished)


def test_one_round_is_a_training_on_the_collected_states(finished: Path, speaking: Path, tmp_path: Path) -> None:
    settings = RoundsSettings.from_yaml(written(tmp_path, speaking)).training
    own = {"states": finished / "round-1" / "states", "out": tmp_path / "t", "rounds": 1, "steps": 1}
    last = train_grpo(settings.model_copy(update=own))
    assert (last / "adapter_model.safetensors").read_bytes() == (
        finished / "round-1" / "training" / "checkpoint-1" / "adapter_model.safetensors"
    ).read_bytes()


def test_the_example_in_small_is_killed_and_continued(speaking: Path, tmp_path: Path) -> None:
    content = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    collected = {**content["collect"], "families": ["eat"], "loops": 1, "batch_size": 1, "executor": "inline"}
    collected["start_prompt"] = str(EXAMPLE.with_name("start-prompt.txt"))
    small: dict[str, Any] = {
        "rounds": 2,
        "steps": 2,
        "group": 4,
        "micro_batch": 4,
        "max_states": 2,
        "replicates": 1,
        "checkpoint_every": 1,
    }
    small |= {"model": str(speaking), "out": str(tmp_path / "out"), "collect": collected, "executor": "inline"}
    config = tmp_path / "small.yaml"
    config.write_text(yaml.safe_dump({**content, **small}), encoding="utf-8")
    killed_at(config, "step 1 of 2")
    lines: list[str] = []
    last = train_rounds(RoundsSettings.from_yaml(config), lines.append)
    assert last == tmp_path / "out" / "round-2" / "training" / "checkpoint-2"
    assert "round 1: 4 states were collected before" in lines
    card = read_card(last)
    assert card
    assert (card.reflector, card.reward, card.experience) == ("one-action", "replay", "tally")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"seed": 1}, RunFolderError, "seed is 2 there and 1 here"),
        ({"steps": 3}, RunFolderError, "steps is 2 there and 3 here"),
        ({"collect": {**COLLECT, "loops": 3}}, RunFolderError, "collect is"),
        ({"rounds": 1}, ConfigError, "has more than 1 rounds"),
        ({"turns": [3]}, ConfigError, r"no turn 3 \(turns: 1 to 2\)"),
        ({"collect": {**COLLECT, "families": ["zap"]}}, ConfigError, "held-out families"),
        ({"states": "s"}, ConfigError, "states is set by each round"),
        ({"collect": {"reflector": "rules"}}, ConfigError, "collect.reflector is set by each round"),
        ({"reflector": "ace"}, ConfigError, "keeps a memory"),
    ],
)
def test_other_settings_are_refused(
    finished: Path, speaking: Path, changes: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        train_rounds(RoundsSettings.from_yaml(written(tmp_path, speaking, **{"out": str(finished), **changes})))

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ictbench.errors import ConfigError
from ictbench.train.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples" / "train"
LEAST = {"model": "smollm2", "states": "s", "out": "o", "steps": 3}


def read(tmp_path: Path, content: Any, **instead: Any) -> Settings:
    path = tmp_path / "t.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return Settings.read(path, **instead)


def test_the_papers_hyper_parameters_are_one_file() -> None:
    paper = Settings.read(EXAMPLES / "paper.yaml")
    assert (paper.model, paper.learning_rate, paper.group, paper.kl_beta, paper.lora, paper.reward) == (
        *("Qwen/Qwen2.5-7B-Instruct", 3e-6, 8, 0.001),
        *(None, "replay"),
    )


def test_the_example_for_two_cores_asks_for_no_gpu() -> None:
    small = Settings.read(EXAMPLES / "smollm2-cpu.yaml")
    assert (small.device, small.vllm, small.reflector, small.model) == ("cpu", False, "lessons", "smollm2")


def test_the_papers_step_is_shared_by_the_processes_of_the_accelerate_file() -> None:
    processes = yaml.safe_load((EXAMPLES / "accelerate-multi-gpu.yaml").read_text("utf-8"))["num_processes"]
    assert Settings.read(EXAMPLES / "paper.yaml").accumulated(processes) == 8
    with pytest.raises(ConfigError, match="16 replies a step cannot be shared by 3 processes of 16 replies each"):
        Settings.read(EXAMPLES / "smollm2-cpu.yaml").accumulated(3)


def test_what_the_command_says_goes_before_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, LEAST, steps=9, out=None).model_dump(include={"steps", "out"}) == {
        "steps": 9,
        "out": Path("o"),
    }


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({**LEAST, "kl": 1}, "kl: Extra inputs are not permitted"),
        ({**LEAST, "group": 1}, "group: Input should be greater than or equal to 2, got 1"),
        ({**LEAST, "lora": {"r": 3}}, "lora.r: Extra inputs"),
        ({**LEAST, "reward": "text"}, "reward: Input should be 'replay', 'fresh' or 'gain', got 'text'"),
        ({**LEAST, "keep_checkpoints": 1}, "keep_checkpoints: Input should be greater than or equal to 2, got 1"),
        ({**LEAST, "micro_batch": 3}, "8 replies are no multiple of micro_batch 3"),
        ({**LEAST, "vllm": True, "device": "cpu"}, "vllm needs a GPU, and device is cpu"),
        ({"model": "m"}, "states: Field required"),
        ("- steps", "is no mapping of settings to values"),
        ("steps: [", "cannot be read"),
    ],
)
def test_bad_settings_are_told_in_a_line(content: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        Settings.read(tmp_path / "none.yaml")

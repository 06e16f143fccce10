from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ictbench.errors import ConfigError
from ictbench.train.settings import TrainingSettings

EXAMPLES = Path(__file__).parents[2] / "examples" / "train"
REQUIRED = {"model": "smollm2", "states": "s", "out": "o", "steps": 3}


def read(tmp_path: Path, content: Any, **overrides: Any) -> TrainingSettings:
    path = tmp_path / "t.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return TrainingSettings.from_yaml(path, **overrides)


def test_one_file_has_the_papers_hyperparameters() -> None:
    paper = TrainingSettings.from_yaml(EXAMPLES / "paper.yaml")
    assert (paper.model, paper.learning_rate, paper.group, paper.kl_beta, paper.lora, paper.reward) == (
        *("Qwen/Qwen2.5-7B-Instruct", 3e-6, 8, 0.001),
        *(None, "replay"),
    )


def test_the_example_for_two_cores_needs_no_gpu() -> None:
    small = TrainingSettings.from_yaml(EXAMPLES / "smollm2-cpu.yaml")
    assert (small.device, small.vllm, small.reflector, small.model) == ("cpu", None, "lessons", "smollm2")


def test_the_processes_of_the_accelerate_file_share_a_step_evenly() -> None:
    processes = yaml.safe_load((EXAMPLES / "accelerate-multi-gpu.yaml").read_text("utf-8"))["num_processes"]
    assert TrainingSettings.from_yaml(EXAMPLES / "paper.yaml").gradient_accumulation(processes) == 8
    with pytest.raises(ConfigError, match="16 replies per step cannot be shared by 3 processes of 16 replies each"):
        TrainingSettings.from_yaml(EXAMPLES / "smollm2-cpu.yaml").gradient_accumulation(3)


def test_options_of_the_command_override_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, REQUIRED, steps=9, out=None).model_dump(include={"steps", "out"}) == {
        "steps": 9,
        "out": Path("o"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**REQUIRED, "kl": 1}, "kl is not a known field"),
        ({**REQUIRED, "group": 1}, "group: 1 is below the minimum of 2"),
        ({**REQUIRED, "lora": {"r": 3}}, "lora.r is not a known field"),
        ({**REQUIRED, "reward": "text"}, "reward: 'text' is not one of replay, fresh, gain, loop"),
        ({**REQUIRED, "keep_checkpoints": 1}, "keep_checkpoints: 1 is below the minimum of 2"),
        ({**REQUIRED, "micro_batch": 3}, "8 replies is not a multiple of micro_batch 3"),
        ({**REQUIRED, "vllm": {}, "device": "cpu"}, "vllm needs a GPU, but device is cpu"),
        ({**REQUIRED, "vllm": {"mode": "server"}}, "vllm: mode server and server, the base URL, belong together"),
        ({**REQUIRED, "vllm": {"server": "http://h:8000"}}, "vllm: mode server and server, the base URL"),
        (
            {**REQUIRED, "vllm": {"mode": "server", "server": "http://h:8000", "sleep": True, "tensor_parallel": 2}},
            "vllm: sleep, tensor_parallel must be given to the server itself",
        ),
        (
            {**REQUIRED, "vllm": {"max_length": 4000}},
            "max_length 4000 is below max_question_tokens [+] max_tok",
        ),
        ({**REQUIRED, "report_to": ["neptune"]}, "report_to.0: 'neptune' is not one of tensorboard, wandb, trackio"),
        ({"model": "m"}, "states is missing"),
        ("- steps", "must be a mapping of settings to values"),
        ("steps: [", "cannot be read"),
    ],
)
def test_invalid_settings_are_reported_in_one_line(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        TrainingSettings.from_yaml(tmp_path / "none.yaml")

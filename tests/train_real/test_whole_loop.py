"""Training on whole loops with TRL's `environment_factory`: the program in examples/train, as a user starts it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from safetensors.torch import load_file
from transformers import AutoTokenizer
from trl.chat_template_utils import parse_response, supports_tool_calling

import ictbench
from ictbench.errors import ConfigError
from ictbench.models.providers.chat_template import render_chat
from ictbench.models.providers.smollm2 import smollm2_folder
from ictbench.runs import LoopPlayer
from ictbench.train.loop_environment import take_replies_as_calls

if TYPE_CHECKING:
    from ictbench.models import Message

PROGRAM = Path(__file__).parents[2] / "examples" / "train" / "whole_loop.py"
SIZES: dict[str, Any] = {"turns": 2, "batch-size": 2, "loops": 2, "steps": 2, "group": 4, "reply-tokens": 20}


@pytest.fixture
def own_tokenizer() -> Any:
    """Return a tokenizer whose templates may be changed."""
    return AutoTokenizer.from_pretrained(smollm2_folder())


def train(out: Path, **options: Any) -> tuple[list[dict[str, float]], str]:
    """Return the metrics of each step, and the last line."""
    pairs = {**SIZES, **options, "out": str(out)}
    arguments = [part for name, value in pairs.items() for part in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env={**os.environ, "TRL_EXPERIMENTAL_SILENCE": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=1100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    logged = [ast.literal_eval(line) for line in lines if line.startswith("{'loss'")]
    return [{name: float(value) for name, value in step.items()} for step in logged], lines[-1]


@pytest.mark.timeout(1200)
def test_smollm2_plays_whole_loops_and_its_weights_change(tmp_path: Path) -> None:
    steps, command = train(tmp_path / "out", model="smollm2", families="room-random")
    assert [step["tools/call_frequency"] for step in steps] == [2.0, 2.0]
    assert [step["tools/failure_frequency"] for step in steps] == [0.0, 0.0]
    assert all(0 <= step["rewards/LoopEnvironment/mean"] <= 1 for step in steps)
    # Rewards that are all equal have no gradient.
    assert min(step["frac_reward_zero_std"] for step in steps) == 0
    before, after = (load_file(folder / "model.safetensors") for folder in (smollm2_folder(), tmp_path / "out"))
    assert any((tensor != before[name].to(tensor.dtype)).any() for name, tensor in after.items())
    options: Any = {"suite": "minihack-v1", "actor": "rules", "reflector": f"lessons:hf/{tmp_path}/out"}
    trained_on = "minihack-v1/room-random"
    words = [f"--{name} {value}" for name, value in options.items()]
    assert command == f"ictbench run {' '.join(words)} --reflector-trained-on {trained_on}"
    assert ictbench.dry_run(**options, reflector_trained_on=trained_on)


@pytest.mark.parametrize("reflector", ["lessons", "one-rule"])
def test_a_model_without_tool_calls_reads_the_question_as_in_a_run(reflector: str, own_tokenizer: Any) -> None:
    with LoopPlayer(families="eat", reflector=reflector, turns=1, batch_size=1) as player:
        begun: list[Message] = [{"role": "assistant", "content": player.question.reply_prefix}]
        messages = player.start("eat", 0).messages()
        expected = render_chat(own_tokenizer, [*messages, *begun])
        assert not supports_tool_calling(own_tokenizer)
        take_replies_as_calls(own_tokenizer, player)
        assert supports_tool_calling(own_tokenizer)
        assert own_tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) == expected


def test_a_reply_is_the_argument_of_the_call(own_tokenizer: Any) -> None:
    with LoopPlayer(families="eat", reflector="lessons") as player:
        take_replies_as_calls(own_tokenizer, player)
    prefix = own_tokenizer.apply_chat_template(
        [{"role": "user", "content": "Rules?"}], tokenize=False, add_generation_prompt=True
    )
    tokens = [own_tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prefix, '<"\nWalk')]
    for end in ([], [own_tokenizer.eos_token_id]):
        parsed = parse_response(own_tokenizer, [*tokens[1], *end], prefix=tokens[0])
        (call,) = parsed["tool_calls"]
        assert call["function"] == {"name": "write_prompt", "arguments": {"reply": 'Walk onto "<"\nWalk'}}


def test_a_tokenizer_without_chatml_is_refused() -> None:
    class Other:
        def get_vocab(self) -> dict[str, int]:
            return {"<s>": 0}

    with (
        LoopPlayer(families="eat", reflector="lessons") as player,
        pytest.raises(ConfigError, match="use a model with tool calls"),
    ):
        take_replies_as_calls(Other(), player)

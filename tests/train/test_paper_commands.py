"""The commands of docs/paper.md that train a reflector, with tiny sizes and a scripted model."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apart import command

from ictbench.testing import ScriptedServer, react_policy
from ictbench.train.settings import TrainingSettings
from ictbench.train.states import read_states

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
QWEN = "vllm/Qwen/Qwen2.5-7B-Instruct"


def commands(verb: str) -> list[str]:
    """Return the arguments of the only command of the page that begins with these words."""
    text = (ROOT / "docs/paper.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(rf"^ictbench {verb} .*$", text, re.MULTILINE)
    return shlex.split(line)[1:]


def model(act: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def reply(body: dict[str, Any]) -> Any:
        reflects = "IMPROVED PROMPT:" in body["messages"][-1]["content"]
        return "ANALYSIS:\nNothing.\nIMPROVED PROMPT:\nWalk." if reflects else act(body)

    return reply


def test_the_states_of_k5_are_collected_and_the_training_reads_them(tmp_path: Path) -> None:
    arguments = commands("train collect")
    assert arguments.count(QWEN) == 2
    arguments = ["openai/tiny" if argument == QWEN else argument for argument in arguments]
    tiny = ["--loops", "1", "--turns", "2", "--max-steps", "2", "--executor", "inline", "--quiet"]
    act = react_policy(lambda prompt, observation, actions: actions[0])
    with ScriptedServer(model(act), model="tiny") as server:
        addresses = ["--actor-base-url", server.url, "--reflector-base-url", server.url]
        done = subprocess.run(
            command(*arguments, *tiny, *addresses), cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    grpo = commands("train grpo")
    given = dict(zip(grpo[2::2], grpo[3::2], strict=True))
    settings = TrainingSettings.from_yaml(
        ROOT / given["--config"], states=tmp_path / given["--states"], out=tmp_path / given["--out"]
    )
    data = read_states(settings.states)
    assert data.suite.name == "minihack-paper-v1"
    assert {state.family for state in data.states} == {"room-random", "eat", "wear", "wield"}
    assert {len(state.experience) for state in data.states} == {5}
    assert {state.prompt for state in data.states if state.turn == 2} == {"Walk."}

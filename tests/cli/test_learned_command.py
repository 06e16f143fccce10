from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from results.test_experience_gate import GROWS, NOTHING, REQUIRED, arm

from ictbench.results.gate_schema import Gate

if TYPE_CHECKING:
    from command_line import CommandLine


@pytest.fixture(autouse=True)
def _results(call: CommandLine) -> None:
    for name in ("rules", *REQUIRED):
        saved = arm(name, GROWS if name == "rules" else NOTHING)
        Path(f"{name.partition(':')[0]}.json").write_text(saved.to_json(), encoding="utf-8")


ARMS = [f"{name.partition(':')[0]}.json" for name in REQUIRED]


def test_learning_is_shown_with_exit_code_0(call: CommandLine) -> None:
    code, out, err = call("learned", "rules.json", *ARMS)
    assert (code, err) == (0, "")
    assert out.endswith("rules: learned from experience in read; constant prompt: file.\n")
    assert "turn 1" not in out
    assert "Missing" not in out


def test_a_missing_arm_gives_exit_code_1_and_is_named(call: CommandLine) -> None:
    code, out, _ = call("learned", "rules.json", *ARMS[1:], "--turns")
    assert code == 1
    assert "Missing: blind.\n" in out
    assert (
        "\nictbench run --suite minihack-v1 --profile quick --families read --turns 2 --batch-size 1 --loops 6 "
        "--test-size 10 --actor rules --reflector blind:rules --reflector-experience tally "
        "--out rules-blind\n"
    ) in out
    assert f"\nictbench learned rules.json {' '.join(ARMS[1:])} rules-blind\n" in out
    assert "turn 2 +0.90" in out


def test_a_copy_of_the_printed_commands_supplies_the_arm(call: CommandLine) -> None:
    sizes = ["--turns", "1", "--batch-size", "1", "--loops", "2", "--selection-size", "1", "--test-size", "2"]
    setup = ["--suite", "minihack-v1", "--families", "read", *sizes, "--actor", "rules", "--quiet"]
    assert call("run", *setup, "--reflector", "rules", "--out", "mine").code == 0
    assert call("run", *setup, "--reflector", "copy", "--out", "copied").code == 0
    out = call("learned", "mine", "copied").out
    assert "too few loops for a verdict (6 are needed)" in out
    assert "[95 %]" not in out, "no column has an interval"
    (command,) = (line for line in out.splitlines() if "shuffled:rules" in line)
    assert call(*shlex.split(command)[1:], "--quiet").code == 0
    again = call("learned", "mine", "copied", "mine-shuffled").out
    assert "Missing: shuffled" not in again


def test_json_holds_everything(call: CommandLine) -> None:
    code, out, _ = call("learned", "rules.json", "copy.json", "--json")
    answer = json.loads(out)
    assert (answer.pop("learned"), answer.pop("sentence")[:29]) == (False, "rules: not shown to have lear")
    gate = Gate.model_validate(answer)
    assert (code, len(gate.missing), len(gate.families[0].arms[0].by_turn)) == (1, len(REQUIRED) - 1, 2)


@pytest.mark.parametrize(
    ("arguments", "message"), [(["rules.json"], "no arm is given"), (["copy.json", "x"], "x does")]
)
def test_unusable_arguments_give_exit_code_2(call: CommandLine, arguments: list[str], message: str) -> None:
    code, out, err = call("learned", *arguments)
    assert (code, out) == (2, "")
    assert message in err

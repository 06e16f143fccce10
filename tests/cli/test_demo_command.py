from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.cli.program import program

if TYPE_CHECKING:
    from command_line import CommandLine

SMALL: dict[str, Any] = {
    "families": ["eat", "zap"],
    "turns": 4,
    "loops": 2,
    "selection_size": 3,
    "test_size": 4,
    "executor": "inline",
}


def test_the_demo_shows_learning_a_prompt_its_gain_and_the_next_command(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ictbench.run

    def small(**options: Any) -> ictbench.Run:
        return whole(**options, **SMALL)

    monkeypatch.setattr(ictbench, "run", small)
    code, out, err = call("demo")
    assert code == 0
    head = next(line for line in err.splitlines() if line.startswith("family"))
    assert head.split() == ["family", "loops", "turns", "start", "turn", "1", "2", "3", "4"]
    run = ictbench.load_run("runs/demo")
    zap = run.result.families[1]
    best = max(zap.loops, key=lambda loop: loop.test[loop.best].count("1") - loop.test[0].count("1"))
    first, last = (best.test[index].count("1") / 4 for index in (0, best.best))
    assert (
        f"zap, loop {best.index}, after turn {best.best}: base {first:.2f}, best {last:.2f}, gain {last - first:+.2f}"
        in out
    )
    for line in best.prompts[best.best].text.splitlines():
        assert line in out
    for term in ("base, best, last  ", "gain              ", "[low, high]       "):
        assert term in out
    assert "runs/demo/report.html" in out
    assert Path("runs/demo/report.html").is_file()
    shown = call(*shlex.split(out.splitlines()[-1])[1:])
    assert shown.code == 0
    assert shown.out.startswith("zap-")
    assert ": solved after " in shown.out.splitlines()[0]


@pytest.mark.parametrize(
    ("running", "on_path", "shown"),
    [
        ("ictbench", False, "ictbench"),
        ("{here}/.venv/bin/ictbench", False, ".venv/bin/ictbench"),
        ("{here}/.venv/bin/ictbench", True, "ictbench"),
        ("/elsewhere/bin/ictbench", False, "/elsewhere/bin/ictbench"),
        ("/elsewhere/bin/pytest", False, "ictbench"),
    ],
)
def test_the_next_command_can_be_copied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, running: str, on_path: bool, shown: str
) -> None:
    binary = tmp_path / ".venv/bin/ictbench"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(binary.parent) if on_path else "/bin")
    monkeypatch.setattr(sys, "argv", [running.format(here=tmp_path)])
    assert program() == shown

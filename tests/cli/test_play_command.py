from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from buggy_plugins import suite

if TYPE_CHECKING:
    from command_line import CommandLine

HELPERS = Path(__file__).parents[1] / "helpers"


class Terminal:
    """`ictbench` on a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        self._main, child = pty.openpty()
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ictbench"), *arguments],
            stdin=child,
            stdout=child,
            stderr=child,
            env={**os.environ, "PYTHONPATH": str(HELPERS), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        os.close(child)
        self.shown = ""

    def read_until(self, text: str, seconds: float = 60.0) -> None:
        """Read until the terminal has shown a text."""
        start, limit = len(self.shown), time.monotonic() + seconds
        while text not in self.shown[start:]:
            assert time.monotonic() < limit, self.shown
            if select.select([self._main], [], [], 0.2)[0]:
                self.shown += os.read(self._main, 65536).decode(errors="replace")

    def type(self, line: str) -> None:
        os.write(self._main, f"{line}\n".encode())

    def close(self) -> int:
        code = self.process.wait(timeout=60)
        os.close(self._main)
        return code


def test_a_person_plays_under_the_rules_of_an_agent(tmp_path: Path) -> None:
    terminal = Terminal("play", "--suite", suite(tmp_path, "flawed_envs:Cellar"), "--family", "doors", "--tasks", "3")
    terminal.read_until("> ")
    assert "You play NetHack in a text terminal." in terminal.shown, "the suite's prompt"
    assert "You are in a cellar." in terminal.shown
    assert "open the red door, open the blue door, open the green door   (3 decisions left)" in terminal.shown
    terminal.type("open the window")
    terminal.read_until("> ")
    assert '"open the window" is not one of the available actions. Nothing happened.' in terminal.shown
    assert "(2 decisions left)" in terminal.shown, "an invalid action costs a decision"
    for _ in range(2):
        terminal.type("jump")
        terminal.read_until("> ")
    assert "step_limit after 3 decisions" in terminal.shown
    # The second task: one of the doors leads out.
    for door in ("OPEN the  red door", "open the blue door", "open the green door"):
        terminal.type(door)
        terminal.read_until("> ")
        if "solved after" in terminal.shown:
            break
    assert "solved after" in terminal.shown
    terminal.type("quit")
    terminal.read_until("Solved: 1 of 2")
    assert terminal.close() == 0


def test_misuse_is_one_line(call: CommandLine) -> None:
    code, _, err = call("play", "--family", "zapp")
    assert (code, err) == (2, "ictbench: 'zapp' is not a family of minihack-v1; did you mean 'zap'?\n")

"""`ictbench play` without a record, on a pseudo-terminal."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from buggy_plugins import suite
from pseudo_terminal import END, INTERRUPT, Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine


def practice(folder: Path, columns: int = 120) -> Terminal:
    file = suite(folder, "flawed_envs:Cellar")
    return Terminal("play", "--suite", file, "--family", "doors", "--tasks", "3", columns=columns)


def test_a_person_plays_under_the_rules_of_an_agent(tmp_path: Path) -> None:
    with practice(tmp_path) as terminal:
        terminal.read_until("> ")
        assert "You play NetHack in a text terminal." in terminal.shown, "the suite's prompt"
        assert "You are in a cellar." in terminal.shown
        assert "open the red door, open the blue door, open the green door   (3 decisions left)" in terminal.shown
        terminal.type("open the window")
        shown = terminal.read_until("> ")
        assert '"open the window" is not one of the available actions. Nothing happened.' in shown
        assert "(2 decisions left)" in shown, "an invalid action costs a decision"
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
        assert terminal.close() == 0
        assert "Solved: 1 of 2" in terminal.shown


def test_what_cannot_be_meant_is_asked_again_and_costs_nothing(tmp_path: Path) -> None:
    with practice(tmp_path) as terminal:
        terminal.read_until("> ")
        terminal.type("open")
        shown = terminal.read_until("> ")
        assert "'open' begins several actions; type more: open the red door, open the blue door" in shown
        assert "decisions left" not in shown
        terminal.type("\x1b[A")
        assert "e.g. of an arrow key; nothing was sent" in terminal.read_until("> ")
        terminal.type("")
        assert "(3 decisions left)" in terminal.read_until("> "), "Enter shows the screen again"
        terminal.type("?")
        shown = terminal.read_until("> ")
        assert "quit stops.\nAvailable: open the red door, " in shown, "the help, which costs no decision"
        terminal.type("")
        assert "(3 decisions left)" in terminal.read_until("> ")
        terminal.type("o t b")
        assert "= open the blue door" in terminal.read_until("\n\n")
        terminal.press(END)
        assert terminal.close() == 0


def test_bytes_that_are_no_text_are_not_sent(tmp_path: Path) -> None:
    with practice(tmp_path) as terminal:
        terminal.read_until("> ")
        terminal.press_bytes(b"\xff\xfe\n")
        assert "nothing was sent" in terminal.read_until("> ")
        terminal.type("quit")
        assert terminal.close() == 0


def test_a_window_that_is_too_small_is_told_once(tmp_path: Path) -> None:
    with practice(tmp_path, columns=15) as terminal:
        terminal.read_until("this text needs 20 x 1")
        terminal.read_until("> ")
        terminal.type("")
        assert "this text needs" not in terminal.read_until("> ")
        terminal.resize(40, 50)
        terminal.type("")
        assert "this text needs" not in terminal.read_until("> ")
        terminal.resize(16, 50)
        terminal.type("")
        assert "shows 16 x 50" in terminal.read_until("> ")
        terminal.resize(40, 50)
        terminal.type("")
        terminal.read_until("> ")
        terminal.resize(16, 50)
        terminal.type("")
        assert "this text needs" not in terminal.read_until("> ")


def test_an_interrupt_ends_the_command_at_once(tmp_path: Path) -> None:
    with practice(tmp_path) as terminal:
        terminal.read_until("> ")
        terminal.press(INTERRUPT)
        assert terminal.close() == 128 + signal.SIGINT
        assert "ictbench: stopped; nothing is recorded without --out" in terminal.shown
        assert "Traceback" not in terminal.shown


def test_misuse_is_one_line(call: CommandLine) -> None:
    code, _, err = call("play", "--family", "zapp")
    assert (code, err) == (2, "ictbench: 'zapp' is not a family of minihack-v1; did you mean 'zap'?\n")
    code, _, err = call("play", "--player", "Ada")
    assert (code, err) == (2, "ictbench: --player Ada is for a recorded run: add --out FOLDER, or leave it out\n")

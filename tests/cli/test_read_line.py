"""Lines from a terminal, and signals that arrive before the terminal is read."""

from __future__ import annotations

import ctypes
import functools
import io
import operator
import os
import pty
import select
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.cli.read_line import read_line

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Make standard input a terminal, and return where to write what is typed."""
    main, child = pty.openpty()
    with open(child, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield main
    os.close(main)


def test_lines_are_returned_one_at_a_time(typed: int, capsys: pytest.CaptureFixture[str]) -> None:
    os.write(typed, "step n\nzäp\n\n\x04".encode())
    assert [read_line("> ") for _ in range(3)] == ["step n", "zäp", ""]
    assert capsys.readouterr().out == "> > > "
    with pytest.raises(EOFError):
        read_line("> ")


def test_bytes_that_are_no_text_do_not_harm_the_next_line(typed: int) -> None:
    os.write(typed, b"\xff\xfe\nzap\n")
    with pytest.raises(UnicodeDecodeError):
        read_line("> ")
    assert read_line("> ") == "zap"


def test_a_signal_between_the_prompt_and_the_read_is_not_missed(typed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag that the C handler sets is seen, although its Python handler has not run when the wait begins."""
    wait = select.select

    def late(*arguments: Any) -> Any:
        # One call in C: no bytecode, and so no handler, runs between the signal and the wait.
        calls: list[Any] = [ctypes.pythonapi.PyErr_SetInterrupt, functools.partial(wait, *arguments)]
        return list(map(operator.methodcaller("__call__"), calls))[1]

    monkeypatch.setattr(select, "select", late)
    with pytest.raises(KeyboardInterrupt):
        read_line("> ")
    assert signal.set_wakeup_fd(-1) == -1, "what was there before is restored"


def test_a_signal_whose_handler_returns_does_not_end_the_wait(typed: int) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: os.write(typed, b"zap\n"))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        assert read_line("> ") == "zap"
    finally:
        signal.signal(signal.SIGALRM, before)


def test_without_a_terminal_lines_are_read_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\nb\n"))
    assert [read_line(""), read_line("")] == ["a", "b"]

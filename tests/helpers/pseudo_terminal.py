"""A command on a pseudo-terminal, which is the controlling terminal of its process, as in a terminal window."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

HELPERS = Path(__file__).parent
INTERRUPT, END = "\x03", "\x04"
"""Ctrl-C and Ctrl-D."""


class Terminal:
    """`ictbench` on a pseudo-terminal."""

    def __init__(self, *arguments: str, columns: int = 120, rows: int = 50, env: dict[str, str] | None = None) -> None:
        # Variables that say how large a terminal is win over the terminal, and pytest-xdist sets one.
        inherited = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        self._main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ictbench"), *arguments],
            stdin=child,
            stdout=child,
            stderr=child,
            env={**inherited, "PYTHONPATH": str(HELPERS), "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(child)
        self.shown = ""
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._main is not None:
            os.close(self._main)

    def read_until(self, text: str, seconds: float = 60.0) -> str:
        """Read until the terminal shows a text after what was read before, and return everything up to it."""
        start = self._read
        self.read_until_any(text, seconds=seconds)
        return self.shown[start : self._read - len(text)]

    def read_until_any(self, *texts: str, seconds: float = 60.0) -> str:
        """Read until the terminal shows one of some texts, and return the first one shown."""
        limit = time.monotonic() + seconds
        while not (found := {self.shown.find(text, self._read): text for text in texts if text in self._unread}):
            assert time.monotonic() < limit, self.shown
            assert self._receive() or self.process.poll() is None, self.shown
        at = min(found)
        self._read = at + len(found[at])
        return found[at]

    @property
    def _unread(self) -> str:
        return self.shown[self._read :]

    def type(self, text: str) -> None:
        """Type a line."""
        self.press(f"{text}\n")

    def press(self, keys: str) -> None:
        """Press keys."""
        self.press_bytes(keys.encode())

    def press_bytes(self, keys: bytes) -> None:
        """Send bytes as they are."""
        os.write(self._main, keys)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        fcntl.ioctl(self._main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> int:
        """Close the window, and return the exit code of the process."""
        os.close(self._main)
        code = self.process.wait(timeout=60)
        self._main = os.open(os.devnull, os.O_RDWR)
        return code

    def close(self) -> int:
        """Read to the end, and return the exit code of the process."""
        limit = time.monotonic() + 60
        while self.process.poll() is None:
            assert time.monotonic() < limit, self.shown
            self._receive()
        while self._receive(0):
            pass
        return self.process.returncode

    def _receive(self, seconds: float = 0.2) -> bool:
        if not select.select([self._main], [], [], seconds)[0]:
            return False
        try:
            received = os.read(self._main, 65536)
        except OSError:  # the process has ended
            return False
        self.shown += received.decode(errors="replace").replace("\r\n", "\n")
        return bool(received)

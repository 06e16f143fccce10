"""A line from the terminal, which Ctrl-C and other signals end at once.

`input` can miss one: a signal between its prompt and its read sets a flag that nobody looks at until the next line.
"""

from __future__ import annotations

import select
import signal
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_line(prompt: str) -> str:
    """Show a prompt and return the line that is typed, without its end. Use it in the main thread.

    Raises:
        EOFError: The input has ended.
        UnicodeDecodeError: The line is not text in the encoding of the terminal.
    """
    if not sys.stdin.isatty():
        return input(prompt)
    print(prompt, end="", flush=True)
    with _signals() as signals:
        # A terminal is readable once it has a whole line. After a signal, its handler runs before the next statement.
        while sys.stdin.fileno() not in select.select([sys.stdin.fileno(), signals], [], [])[0]:
            signals.recv(4096)
    # Not `sys.stdin.readline`, which loses its place at bytes that it cannot decode.
    line = sys.stdin.buffer.readline()
    if not line:
        raise EOFError
    return line.decode(sys.stdin.encoding).rstrip("\r\n")


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """Yield a socket that is readable from the moment at which a signal arrives."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(before)

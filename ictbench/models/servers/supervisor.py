"""Runs a program, and ends it and everything it started once whoever asked for it is gone.

A program of its own, `python guard.py COMMAND…`, that imports nothing of the package: its standard input is a pipe
that the asking process holds open. The pipe's end, however it came about, is the order to stop. The command's exit
code becomes the guard's, 128 and more where a signal ended it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 5.0
"""Between asking the program to end and killing it."""


def main() -> None:
    """Run the command and wait for its end, or for the order to stop."""
    try:
        # A session of its own: the terminal's Ctrl-C is for the asking process, and all it starts can be signalled.
        program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error.strerror}")
    signal.signal(signal.SIGTERM, lambda *_: _signal(program, signal.SIGTERM))
    threading.Thread(target=_stop_at_end_of_input, args=(program,), daemon=True).start()
    code = program.wait()
    _signal(program, signal.SIGKILL)
    sys.exit(code if code >= 0 else 128 - code)


def _stop_at_end_of_input(program: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _signal(program, signal.SIGTERM)
    try:
        program.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(program, signal.SIGKILL)


def _signal(program: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the program and what it started; they may have ended already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, number)


if __name__ == "__main__":
    main()

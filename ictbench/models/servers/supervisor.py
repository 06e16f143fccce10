"""Program that runs a command and stops it, with everything it started, as soon as the parent process is gone.

Run as `python supervisor.py COMMAND…`; it imports nothing of the package. Its standard input is a pipe that the parent
process holds open: when the pipe closes, for whatever reason, the supervisor stops the command. Its exit code is the
command's; 128 plus the signal's number if a signal ended the command.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 5.0
"""Seconds between asking the command to stop and killing it."""


def main() -> None:
    """Run the command until it exits, or until standard input closes."""
    try:
        # A new session, so that Ctrl-C in the terminal reaches only the parent, and all descendants can be signalled.
        process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error.strerror}")
    # Some schedulers send the signal that stops a run to all its processes.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: _signal_group(process, signal.SIGTERM))
    threading.Thread(target=_stop_at_end_of_input, args=(process,), daemon=True).start()
    code = process.wait()
    _signal_group(process, signal.SIGKILL)
    sys.exit(code if code >= 0 else 128 - code)


def _stop_at_end_of_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the command and everything it started, if they still run."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


if __name__ == "__main__":
    main()

"""SIGTERM and SIGHUP stop a command as Ctrl-C does: what is open is closed, and processes it started are ended."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

NAMES = ("SIGTERM", "SIGHUP")

_received: signal.Signals | None = None


class StopSignal(KeyboardInterrupt):
    """A signal that stops the command; its text is the name of the signal."""


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Raise StopSignal in the main thread at the first of these signals; later ones do not disturb the clean-up.

    A signal that is ignored when the command starts, as SIGHUP is under nohup, stays ignored.
    """
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    # Python allows handlers in the main thread only.
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    handled = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        # Repeated signals do not disturb the end of the interpreter either.
        for number in handled:
            signal.signal(number, signal.SIG_DFL if _received is None else signal.SIG_IGN)


def interrupt() -> KeyboardInterrupt:
    """Return what stopped the command, which the parser of the command line does not pass on."""
    return KeyboardInterrupt() if _received is None else StopSignal(_received.name)


def exit_code(default: int) -> int:
    """Return 128 plus the number of the signal that stopped the command, or `default` if none did."""
    return default if _received is None else 128 + _received


def _stop(number: int, _: FrameType | None) -> None:
    global _received
    if _received is None:
        _received = signal.Signals(number)
        raise StopSignal(_received.name)

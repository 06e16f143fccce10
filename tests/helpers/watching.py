"""What a test sees of workers: which processes they are, and what they do in their own time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: it does not within `seconds`.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the other end tells nobody
            await asyncio.sleep(0.002)


def workers_of(coordinator: int) -> list[int]:
    """Ids of the worker processes that a process has."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if parent == coordinator and b"ictbench.rollout.remote.worker_main" in command:
            found.append(int(stat.parent.name))
    return found


def wait_for_the_end_of(processes: list[int], seconds: float = 10.0) -> None:
    """Wait until none of these processes is left; they are no children of this one.

    Raises:
        TimeoutError: one is left after `seconds`.
    """
    end = time.monotonic() + seconds
    while left := [process for process in processes if Path(f"/proc/{process}").exists()]:
        if time.monotonic() > end:
            raise TimeoutError(f"processes {left} are still there")
        time.sleep(0.01)

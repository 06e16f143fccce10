"""Helpers for tests that wait for conditions and watch worker processes."""

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
        TimeoutError: It does not hold within `seconds`.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - nothing signals the change
            await asyncio.sleep(0.002)


def workers_of(coordinator: int) -> list[int]:
    """Return the ids of the worker processes of a process."""
    workers = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:  # the process has just ended
            continue
        if parent == coordinator and b"ictbench.rollout.remote.worker_main" in command:
            workers.append(int(stat.parent.name))
    return workers


def wait_for_the_end_of(processes: list[int], seconds: float = 10.0) -> None:
    """Wait until none of these processes exists; they need not be children of this process.

    Raises:
        TimeoutError: One still exists after `seconds`.
    """
    end = time.monotonic() + seconds
    while remaining := [process for process in processes if Path(f"/proc/{process}").exists()]:
        if time.monotonic() > end:
            raise TimeoutError(f"processes {remaining} still exist")
        time.sleep(0.01)

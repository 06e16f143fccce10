"""Waiting for what another process or the other end of a socket does in its own time."""

from __future__ import annotations

import asyncio
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

"""Environments kept warm: making one is dear, resetting it to another task is cheap."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.plugins import resolve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ictbench.envs import TextEnv
    from ictbench.records import Task
    from ictbench.rollout.episode import Caller

RETIRE_AFTER = 1_000
"""Episodes after which an environment is closed and made anew: what it leaks, it does not leak for ever."""

SPARE = 8
"""Idle environments that are kept at least, for families whose turn comes again."""


@dataclass(slots=True)
class Kept:
    """An open environment and how many episodes it has played."""

    env: TextEnv
    key: tuple[str, str]
    episodes: int = 0


class EnvPool:
    """Hands out environments that fit a task, and takes them back.

    As many stay open as were ever in use at once, and a few more; the one idle for longest goes first.
    """

    def __init__(self, call: Caller, retire_after: int = RETIRE_AFTER) -> None:
        self._call = call
        self._retire_after = retire_after
        self._idle: OrderedDict[int, Kept] = OrderedDict()
        """By identity, the one idle for longest first."""
        self._by_key: defaultdict[tuple[str, str], list[Kept]] = defaultdict(list)
        self._in_use = 0
        self._most_in_use = 0

    @asynccontextmanager
    async def fitting(self, task: Task) -> AsyncIterator[TextEnv]:
        """An environment that fits the task; one whose episode broke off is closed instead of kept."""
        kept = await self._taken(task)
        try:
            yield kept.env
        except BaseException:
            self._in_use -= 1
            await asyncio.shield(self._call(kept.env.close))
            raise
        self._in_use -= 1
        kept.episodes += 1
        if kept.episodes >= self._retire_after:
            await self._call(kept.env.close)
        else:
            self._idle[id(kept)] = kept
            self._by_key[kept.key].append(kept)

    async def aclose(self) -> None:
        """Close all that are idle."""
        while self._idle:
            await self._close_one()

    async def _taken(self, task: Task) -> Kept:
        env_class: type[TextEnv] = await self._call(resolve, "env", task.env)
        key = (task.env, env_class.pool_key(task))
        self._in_use += 1
        self._most_in_use = max(self._most_in_use, self._in_use)
        if warm := self._by_key[key]:
            kept = warm.pop()
            del self._idle[id(kept)]
            return kept
        try:
            spare = max(SPARE, self._most_in_use // 4)
            while self._idle and self._in_use + len(self._idle) > self._most_in_use + spare:
                await self._close_one()
            return Kept(await self._call(env_class), key)
        except BaseException:
            self._in_use -= 1
            raise

    async def _close_one(self) -> None:
        _, kept = self._idle.popitem(last=False)
        self._by_key[kept.key].remove(kept)
        await self._call(kept.env.close)

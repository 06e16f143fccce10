"""Pool of open environments: creating one is slow, resetting it to another task is fast."""

from __future__ import annotations

import logging
from collections import OrderedDict, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.envs import env_class, env_maker
from ictbench.rollout.env_errors import env_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.envs import TextEnv
    from ictbench.records import Task

log = logging.getLogger(__name__)

MAX_EPISODES = 1_000
"""Episodes after which an environment is closed and replaced, which bounds what it can leak."""

MIN_SPARE = 8
"""Minimum number of idle environments to keep, for families that are played again later."""


@dataclass(slots=True, eq=False)
class PooledEnv:
    """An open environment and the number of episodes it has played."""

    env: TextEnv
    key: tuple[str, str]
    episodes: int = 0


class EnvPool:
    """Lends open environments to episodes and reuses them for tasks with the same pool key.

    The pool keeps as many environments open as were ever lent at the same time, plus a few spare ones, and closes the
    least recently used first. It is not thread-safe: environments block, so a worker calls the pool from the one thread
    in which its environments run.
    """

    def __init__(self, max_episodes: int = MAX_EPISODES) -> None:
        self._max_episodes = max_episodes
        self._idle: OrderedDict[int, PooledEnv] = OrderedDict()
        """By identity, least recently used first."""
        self._idle_by_key: defaultdict[tuple[str, str], list[PooledEnv]] = defaultdict(list)
        self._lent = 0
        self._max_lent = 0

    @contextmanager
    def lend(self, task: Task) -> Iterator[TextEnv]:
        """Lend an environment that fits `task`; close it if the episode fails."""
        pooled = self.acquire(task)
        try:
            yield pooled.env
        except BaseException:
            self.discard(pooled)
            raise
        self.release(pooled)

    def acquire(self, task: Task) -> PooledEnv:
        """Return an idle environment that fits `task`, or create one.

        Raises:
            UsageError: The task names an environment that is not installed, or not one.
        PluginError: The environment cannot be created.
        """
        cls = env_class(task.env)
        with env_errors(cls, "pool_key", task):
            key = (task.env, cls.pool_key(task))
        if idle := self._idle_by_key[key]:
            pooled = idle.pop()
            del self._idle[id(pooled)]
        else:
            self._make_room()
            with env_errors(cls, "creation", task):
                pooled = PooledEnv(env_maker(task.env)(), key)
        self._lent += 1
        self._max_lent = max(self._max_lent, self._lent)
        return pooled

    def release(self, pooled: PooledEnv) -> None:
        """Take back an environment whose episode has ended."""
        self._lent -= 1
        pooled.episodes += 1
        if pooled.episodes >= self._max_episodes:
            _close(pooled)
        else:
            self._idle[id(pooled)] = pooled
            self._idle_by_key[pooled.key].append(pooled)

    def discard(self, pooled: PooledEnv) -> None:
        """Close an environment whose episode failed: its state is unknown."""
        self._lent -= 1
        _close(pooled)

    def close(self) -> None:
        """Close all idle environments."""
        while self._idle:
            self._close_oldest()

    def _make_room(self) -> None:
        """Close idle environments so that one more fits."""
        most = max(self._max_lent, self._lent + 1)
        capacity = most + max(MIN_SPARE, most // 4)
        while self._idle and self._lent + 1 + len(self._idle) > capacity:
            self._close_oldest()

    def _close_oldest(self) -> None:
        _, pooled = self._idle.popitem(last=False)
        self._idle_by_key[pooled.key].remove(pooled)
        _close(pooled)


def _close(pooled: PooledEnv) -> None:
    """Close an environment. An error cannot harm the episodes that it has played, so it is only logged."""
    try:
        pooled.env.close()
    except Exception as error:
        log.warning("environment %s cannot be closed: %s: %s", pooled.key[0], type(error).__name__, error)

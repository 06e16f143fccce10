"""Worker: plays many episodes concurrently on one event loop, with reused environments and models."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ictbench.actors import make_actor
from ictbench.errors import PluginError
from ictbench.models import ModelPool
from ictbench.models.usage_meter import request_priority
from ictbench.rollout.call_queue import CallQueue
from ictbench.rollout.env_pool import MAX_EPISODES, EnvPool
from ictbench.rollout.episode import play_episode
from ictbench.rollout.executor import Priority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from ictbench.actors import Actor
    from ictbench.envs import TextEnv
    from ictbench.models import ChatModel
    from ictbench.records import Episode, EpisodeSpec, ModelSpec, PluginSpec, Task
    from ictbench.rollout.env_pool import PooledEnv

T = TypeVar("T")

current_key: contextvars.ContextVar[str] = contextvars.ContextVar("current_key", default="")
"""Key of the episode that the current task plays."""

_env_lock = threading.Lock()
"""Held during every call of an environment: other workers of this process share its module-level state."""


class Models(Protocol):
    """Source of a worker's models."""

    def open(self, spec: ModelSpec) -> ChatModel:
        """Return the model of `spec`, opened once."""


class EpisodeWorker:
    """Plays episodes from their specifications. Use it from one event loop, and close it at the end.

    Environments block and keep module-level state that is not thread-safe, so all of them run in one thread beside the
    event loop.
    """

    def __init__(self, models: Models | None = None, max_env_episodes: int = MAX_EPISODES) -> None:
        self._models = models or ModelPool()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ictbench-env")
        self._envs = EnvPool(max_env_episodes)
        """Used only in the thread."""
        self._calls = CallQueue(self._thread)
        self._actors: dict[str, Actor] = {}
        self._busy: tuple[str, float] | None = None

    async def play(self, spec: EpisodeSpec, priority: Priority = Priority.EXPERIENCE) -> Episode:
        """Play one episode; its model requests queue by `priority`.

        Raises:
            InfrastructureError: The episode is owed.
        """
        current_key.set(spec.key)
        request_priority.set(priority)
        actor = self._actor(spec.actor)
        if actor.cpu_bound:
            return await self._call(self._compute_episode, spec, actor)
        async with self._lend_env(spec.task) as env:
            return await play_episode(spec, env, actor, self._call)

    @property
    def busy(self) -> tuple[str, float] | None:
        """Key of the episode whose environment call is running, and its seconds so far; None if no call is running."""
        busy = self._busy
        return busy and (busy[0], time.monotonic() - busy[1])

    async def aclose(self) -> None:
        """Close all environments. Models stay open: their owner closes them."""
        await self._call(self._envs.close)
        self._thread.shutdown(wait=True)

    def _actor(self, spec: PluginSpec) -> Actor:
        key = spec.model_dump_json()
        if key not in self._actors:
            self._actors[key] = make_actor(spec, self._models.open(spec.model) if spec.model else None)
        return self._actors[key]

    @asynccontextmanager
    async def _lend_env(self, task: Task) -> AsyncIterator[TextEnv]:
        """Lend an environment as `EnvPool.lend` does, without blocking the event loop."""
        # Shielded: the thread finishes what it has begun, and the environment must return to the pool.
        acquired = asyncio.ensure_future(self._call(self._envs.acquire, task))
        try:
            pooled = await asyncio.shield(acquired)
            yield pooled.env
        except BaseException:
            await asyncio.shield(self._discard(acquired))
            raise
        await asyncio.shield(self._call(self._envs.release, pooled))

    async def _discard(self, acquired: asyncio.Future[PooledEnv]) -> None:
        await asyncio.wait([acquired])
        if not acquired.cancelled() and acquired.exception() is None:
            await self._call(self._envs.discard, acquired.result())

    def _compute_episode(self, spec: EpisodeSpec, actor: Actor) -> Episode:
        """Play a whole episode of an actor that never waits: one change of thread instead of one a step."""
        with self._envs.lend(spec.task) as env:
            return run_without_loop(play_episode(spec, env, actor, _call_directly), spec.actor)

    async def _call(self, function: Callable[..., T], *args: Any) -> T:
        """Run a blocking call in the environments' thread."""
        return await self._calls.call(self._timed, current_key.get(), function, args)

    def _timed(self, key: str, function: Callable[..., T], args: tuple[Any, ...]) -> T:
        with _env_lock:
            self._busy = (key, time.monotonic())
            try:
                return function(*args)
            finally:
                self._busy = None


def run_without_loop(episode: Coroutine[Any, Any, Episode], actor: PluginSpec) -> Episode:
    """Play an episode of an actor that never waits for anything, in this thread and without an event loop.

    Raises:
        InfrastructureError: The episode is owed.
        PluginError: The actor waits for something, or breaks its contract.
    """
    try:
        episode.send(None)
    except StopIteration as end:
        played: Episode = end.value
        return played
    except PluginError as error:
        # The cause is raised by asyncio in a thread without an event loop.
        if str(error.__cause__) != "no running event loop":
            raise
    episode.close()
    raise PluginError(f"actor {actor.label} says that it only computes, but waits for something")


async def _call_directly(function: Callable[..., T], *args: Any) -> T:
    return function(*args)

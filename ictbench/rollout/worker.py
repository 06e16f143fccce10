"""The place where episodes are played: one event loop, many episodes in flight, environments kept warm."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ictbench.actors import make_actor
from ictbench.errors import PluginError
from ictbench.models import ModelPool
from ictbench.models.usage_meter import request_priority
from ictbench.rollout.env_pool import RETIRE_AFTER, EnvPool
from ictbench.rollout.episode import play_episode
from ictbench.rollout.executor import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ictbench.actors import Actor
    from ictbench.envs import TextEnv
    from ictbench.models import ChatModel
    from ictbench.records import Episode, EpisodeSpec, ModelSpec, PluginSpec

T = TypeVar("T")

playing: contextvars.ContextVar[str] = contextvars.ContextVar("playing", default="")
"""Key of the episode that is being played."""

_one_at_a_time = threading.Lock()
"""Held while an environment is at work: module-level state is shared with other workers in this process, too."""


class Models(Protocol):
    """Where a worker gets its models from."""

    def open(self, spec: ModelSpec) -> ChatModel:
        """The one model of a spec."""


class EpisodeWorker:
    """Plays episodes from plain specifications. Use it from one event loop, and close it at the end."""

    def __init__(self, models: Models | None = None, retire_after: int = RETIRE_AFTER) -> None:
        self._models = models or ModelPool()
        # One thread: environments keep module-level state that is not thread-safe.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ictbench-env")
        self._envs = EnvPool(self._call, retire_after)
        self._actors: dict[str, Actor] = {}
        self._busy: tuple[str, float] | None = None

    async def play(self, spec: EpisodeSpec, priority: Priority = Priority.EXPERIENCE) -> Episode:
        """Play one episode; its requests to a model queue by `priority`.

        Raises:
            InfrastructureError: the episode is owed.
        """
        playing.set(spec.key)
        request_priority.set(priority)
        actor = self._actor(spec.actor)
        async with self._envs.fitting(spec.task) as env:
            if actor.cpu_bound:
                return await self._call(_computed, spec, env, actor)
            return await play_episode(spec, env, actor, self._call)

    @property
    def busy(self) -> tuple[str, float] | None:
        """Key of the episode that an environment is busy with, and for how many seconds; None where all wait."""
        busy = self._busy
        return busy and (busy[0], time.monotonic() - busy[1])

    async def aclose(self) -> None:
        """Close environments; the models belong to whoever opened the pool."""
        await self._envs.aclose()
        self._thread.shutdown(wait=True)

    def _actor(self, spec: PluginSpec) -> Actor:
        key = spec.model_dump_json()
        if key not in self._actors:
            self._actors[key] = make_actor(spec, self._models.open(spec.model) if spec.model else None)
        return self._actors[key]

    async def _call(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._timed, playing.get(), function, args
        )

    def _timed(self, key: str, function: Callable[..., T], args: tuple[Any, ...]) -> T:
        with _one_at_a_time:
            self._busy = (key, time.monotonic())
            try:
                return function(*args)
            finally:
                self._busy = None


def _computed(spec: EpisodeSpec, env: TextEnv, actor: Actor) -> Episode:
    """A whole episode at once, where nothing waits for anything: one change of thread instead of one a step."""
    episode: Coroutine[Any, Any, Episode] = play_episode(spec, env, actor, _at_once)
    try:
        episode.send(None)
    except StopIteration as end:
        played: Episode = end.value
        return played
    except RuntimeError as error:
        # What asyncio says in a thread that has no event loop to wait with.
        if str(error) != "no running event loop":
            raise
    episode.close()
    raise PluginError(f"actor {spec.actor.label} says that it only computes, but waits for something")


async def _at_once(function: Callable[..., T], *args: Any) -> T:
    return function(*args)

"""The place where episodes are played: one event loop, many episodes in flight, environments kept warm."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ictbench.actors import make_actor
from ictbench.engine.episode import play_episode
from ictbench.models import ModelPool
from ictbench.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ictbench.actors import Actor
    from ictbench.envs import TextEnv
    from ictbench.records import Episode, EpisodeSpec, PluginSpec, Task

T = TypeVar("T")


class EpisodeWorker:
    """Plays episodes from plain specifications. Use it from one event loop, and close it at the end."""

    def __init__(self, models: ModelPool | None = None) -> None:
        self._models = models or ModelPool()
        # One thread: environments keep module-level state that is not thread-safe.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ictbench-env")
        self._warm: defaultdict[tuple[str, str], list[TextEnv]] = defaultdict(list)
        self._actors: dict[str, Actor] = {}

    async def play(self, spec: EpisodeSpec) -> Episode:
        """Play one episode.

        Raises:
            InfrastructureError: the episode is owed.
        """
        actor = self._actor(spec.actor)
        async with self._env(spec.task) as env:
            return await play_episode(spec, env, actor, self._call)

    async def aclose(self) -> None:
        """Close environments; the models belong to whoever opened the pool."""
        for env in [env for envs in self._warm.values() for env in envs]:
            await self._call(env.close)
        self._warm.clear()
        self._thread.shutdown(wait=True)

    def _actor(self, spec: PluginSpec) -> Actor:
        key = spec.model_dump_json()
        if key not in self._actors:
            self._actors[key] = make_actor(spec, self._models.open(spec.model) if spec.model else None)
        return self._actors[key]

    @asynccontextmanager
    async def _env(self, task: Task) -> AsyncIterator[TextEnv]:
        """A warm environment that fits the task; one whose episode broke off is closed instead of kept."""
        env_class: type[TextEnv] = await self._call(resolve, "env", task.env)
        warm = self._warm[task.env, env_class.warm_key(task)]
        env = warm.pop() if warm else await self._call(env_class)
        try:
            yield env
        except BaseException:
            await asyncio.shield(self._call(env.close))
            raise
        warm.append(env)

    async def _call(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)

"""Synchronous episode player, for Gymnasium environments and reward functions."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ictbench.errors import UsageError
from ictbench.models import ModelPool
from ictbench.rollout import Priority
from ictbench.runs.engine import check_playable, open_engine, open_players
from ictbench.runs.failure_watch import FailureWatch
from ictbench.runs.player_rehearsal import rehearse_players
from ictbench.runs.sync_loop import run_on_portal, start_portal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from anyio.from_thread import BlockingPortal

    from ictbench.records import Episode, EpisodeSpec, PluginSpec
    from ictbench.runs.engine import Engine
    from ictbench.runs.plan import RunPlan


class EpisodePlayer:
    """Plays episodes concurrently and blocks until they have finished. Nothing is recorded.

    An event loop in a background thread holds the executor, models and limits of one plan. It starts with the first
    episode and ends with `close`. Several threads may play at the same time.
    """

    def __init__(self, plan: RunPlan) -> None:
        """Check the plan of a run, of which actor, executor and limits are used.

        Raises:
            UsageError: Its environment, actor or model cannot be used on this machine.
        """
        check_playable(plan, [])
        open_players(plan, ModelPool())
        self._plan = plan
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._closed = False

    def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        """Play episodes and return them in the order of their specifications; equal ones are played once.

        `plan.episode(task, prompt)` makes a specification. Another `replicate` and seed make it another episode.

        The first call rehearses the actor's model; see `ictbench.runs.player_rehearsal`.

        Raises:
            InfrastructureError: An episode could not be played, and the model did not cause it, or its server rejects
                the requests. The other episodes of the call are cancelled.
            FailingModelError: The actor's model fails for one reason again and again.
            RunError: No more episodes can be played, e.g. a limit is reached.
            UsageError: The player is closed.
        """
        session = self._open_once()
        return run_on_portal(session.portal, lambda: session.play(specs))

    def close(self) -> None:
        """Cancel what is being played and end models, workers and the thread. Closing again has no effect."""
        with self._lock:
            self._closed = True
            session, self._session = self._session, None
            if session is not None:
                session.resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _open_once(self) -> _Session:
        with self._lock:
            if self._closed:
                raise UsageError("this player is closed; make a new one")
            if self._session is None:
                self._session = _open_session(self._plan)
            return self._session


@dataclass(slots=True)
class _Session:
    """Event loop, executor and limits of a player."""

    plan: RunPlan
    portal: BlockingPortal
    resources: ExitStack
    engine: Engine
    slots: asyncio.Semaphore
    watch: FailureWatch
    rehearsing: asyncio.Lock = field(default_factory=asyncio.Lock)
    actor: PluginSpec | None = None
    """The plan's actor, adapted to its server; None before the rehearsal."""

    async def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        async with self.rehearsing:
            if self.actor is None and specs:
                models, executor = self.engine.models, self.engine.executor
                rehearsed = await rehearse_players(self.plan, specs[0].task, models, executor, repeat=False)
                self.actor = rehearsed.plan.actor
        tasks = {spec.key: asyncio.create_task(self._play_one(spec)) for spec in specs}
        try:
            await asyncio.gather(*tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        return [tasks[spec.key].result() for spec in specs]

    async def _play_one(self, spec: EpisodeSpec) -> Episode:
        if self.actor is not None and spec.actor == self.plan.actor:
            spec = spec.model_copy(update={"actor": self.actor})
        async with self.slots:
            with self.watch.observe("actor", spec.key) as report:
                episode = await self.engine.executor.play(spec, Priority.EXPERIENCE)
                report(episode.trajectory.failure, episode.failure_detail)
        return episode


def _open_session(plan: RunPlan) -> _Session:
    async def open_() -> tuple[AsyncExitStack, Engine]:
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(open_engine(plan))
            return stack.pop_all(), engine

    with ExitStack() as resources:
        portal = resources.enter_context(start_portal())
        opened, engine = run_on_portal(portal, open_)
        resources.callback(run_on_portal, portal, opened.aclose)
        watch = FailureWatch({"actor": plan.actor.label}, plan.options.accept_failures)
        session = _Session(plan, portal, resources.pop_all(), engine, asyncio.Semaphore(engine.capacity), watch)
        portal.start_task_soon(_keep_alive, session)
        return session


async def _keep_alive(session: _Session) -> None:
    """Keep a session referenced until it is closed.

    A program may end without closing its player. If the interpreter then collected the session, leaving the portal
    would wait for a thread that no longer runs.
    """
    await asyncio.Event().wait()

"""The coordinator's handle of one worker: sends it episodes, receives the finished ones, and detects its loss."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from typing import TYPE_CHECKING

from ictbench.errors import WorkerLostError
from ictbench.records import Episode
from ictbench.rollout.remote.error_codec import error_from_json
from ictbench.rollout.remote.model_server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.models import ModelPool, UsageMeter
    from ictbench.records import EpisodeSpec
    from ictbench.rollout.executor import Priority
    from ictbench.rollout.remote.framing import Channel, Message

    Reply = asyncio.Future[tuple[Message, bytes]]

log = logging.getLogger(__name__)

MIN_SILENCE_SECONDS = 5.0
"""Shortest silence after which a worker counts as lost. A worker sends a heartbeat every second."""


class WorkerHandle:
    """A worker as its coordinator sees it. Whoever starts the worker connects a channel.

    Args:
        name: Name of the worker in messages.
        models: Models that the coordinator serves.
        meter: Limits on all requests.
        kill: Ends the worker at once if it is alive, frees what it held, and returns how it ended.
    """

    def __init__(self, name: str, models: ModelPool, meter: UsageMeter, kill: Callable[[], str]) -> None:
        self.name = name
        self.ready = asyncio.Event()
        """Set when the worker can play, or when it is lost before that."""
        self.lost = asyncio.Event()
        """Set when the worker does not exist any more."""
        self.lost_reason = ""
        self.idle = asyncio.Event()
        """Set while the worker plays nothing."""
        self.idle.set()
        self._models = models
        self._meter = meter
        self._kill = kill
        self._numbers = itertools.count()
        self._playing: dict[int, tuple[str, Reply]] = {}
        """Key and reply of each episode in flight, by number."""
        self._channel: Channel | None = None
        self._model_server: ModelServer | None = None
        self._last_message = time.monotonic()
        self._busy: tuple[str, float] | None = None
        """See `EpisodeWorker.busy`."""

    @property
    def in_flight(self) -> int:
        """Number of episodes that the worker is playing."""
        return len(self._playing)

    def connect(self, channel: Channel) -> None:
        """Use a channel whose messages go to `handle`."""
        self._channel = channel
        self._model_server = ModelServer(self._models, self._meter, channel)
        self._last_message = time.monotonic()

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode on the worker.

        Raises:
            WorkerLostError: The worker died meanwhile.
            IctbenchError: The worker reports an error.
        """
        if self.lost.is_set() or self._channel is None:
            raise WorkerLostError(f"worker {self.name} is gone: {self.lost_reason}", blamed=False)
        model = self._models.open(spec.actor.model) if spec.actor.model else None
        number = next(self._numbers)
        reply: Reply = asyncio.get_running_loop().create_future()
        self._playing[number] = (spec.key, reply)
        self.idle.clear()
        # None: the worker opens the model itself. A list: it relays its requests, constrained in one of these styles.
        relayed = sorted(model.capabilities) if model and not model.is_remote else None
        body = spec.model_dump_json().encode()
        leases = self._meter.needs_leases
        self._channel.send("play", body, number=number, priority=int(priority), relayed=relayed, leases=leases)
        try:
            message, episode = await reply
        except asyncio.CancelledError:
            self._channel.send("cancel", number=number)
            raise
        finally:
            del self._playing[number]
            if not self._playing:
                self.idle.set()
        if model and message["fingerprint"] is not None:
            model.set_fingerprint(message["fingerprint"])
        return Episode.model_validate_json(episode)

    def handle(self, message: Message, body: bytes) -> None:
        """Handle a message of the worker."""
        self._last_message = time.monotonic()
        assert self._model_server is not None
        match message["kind"]:
            case "ready":
                self.ready.set()
            case "warning":
                log.warning("worker %s: %s", self.name, message["text"])
            case "heartbeat":
                self._busy = message["busy"]
            case "played" | "failed":
                _, reply = self._playing.get(message["number"], ("", None))
                if reply is None or reply.done():
                    return
                if message["kind"] == "played":
                    reply.set_result((message, body))
                else:
                    reply.set_exception(error_from_json(message))
            case _:
                self._model_server.handle(message, body)

    def check_health(self, env_timeout: float) -> None:
        """Kill the worker if it is silent, or in one call of its environment, for more than `env_timeout` seconds."""
        if self.lost.is_set() or not self.ready.is_set():
            return
        if self._busy is not None and self._busy[1] > env_timeout:
            key, seconds = self._busy
            self.lose(f"its environment did not answer for {seconds:.0f} s in episode {key}", culprit=key)
        elif (silent := time.monotonic() - self._last_message) > max(env_timeout, MIN_SILENCE_SECONDS):
            self.lose(f"it was silent for {silent:.0f} s")

    def lose(self, reason: str = "", *, culprit: str | None = None) -> None:
        """Kill the worker, if it is alive, and fail its episodes.

        Args:
            reason: Why it is lost; by default, how it ended.
            culprit: Key of the episode that caused the loss, if known: then only this episode is blamed.
        """
        if self.lost.is_set():
            return
        ending = self._kill()
        self.lost_reason = reason or ending
        self.lost.set()
        self.ready.set()
        if self._model_server is not None:
            self._model_server.close()
        for key, reply in self._playing.values():
            if not reply.done():
                blamed = culprit is None or culprit == key
                error = WorkerLostError(f"worker {self.name} is gone: {self.lost_reason}", blamed=blamed)
                reply.set_exception(error)

    def stop(self) -> None:
        """Ask the worker to end by itself."""
        if self._channel is not None and not self.lost.is_set():
            self._channel.send("stop")

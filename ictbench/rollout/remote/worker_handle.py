"""The coordinator's end of one worker: episodes to it, finished ones back, and its death noticed."""

from __future__ import annotations

import asyncio
import itertools
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

    Answer = asyncio.Future[tuple[Message, bytes]]

LONGEST_SILENCE = 5.0
"""Seconds in which a worker must have said something, however little patience there is; it speaks every second."""


class WorkerHandle:
    """A worker, as its coordinator sees it. Whoever starts the worker connects a channel and says how to end it.

    Args:
        name: of the worker, for people.
        models: what the coordinator answers for.
        meter: what bounds all requests.
        end: ends the worker at once if it still lives, frees what it held, and says how it ended.
    """

    def __init__(self, name: str, models: ModelPool, meter: UsageMeter, end: Callable[[], str]) -> None:
        self.name = name
        self.ready = asyncio.Event()
        """Set once the worker can play, and also where it died before that."""
        self.gone = asyncio.Event()
        """Set once there is no worker any more."""
        self.why_gone = ""
        self.idle = asyncio.Event()
        """Set while it plays nothing."""
        self.idle.set()
        self._models = models
        self._meter = meter
        self._end = end
        self._numbers = itertools.count()
        self._playing: dict[int, tuple[str, Answer]] = {}
        self._channel: Channel | None = None
        self._desk: ModelServer | None = None
        self._heard = time.monotonic()
        self._busy: tuple[str, float] | None = None

    @property
    def in_flight(self) -> int:
        """Episodes that it is playing."""
        return len(self._playing)

    def connect(self, channel: Channel) -> None:
        """Take the channel over."""
        self._channel = channel
        self._desk = ModelServer(self._models, self._meter, channel)
        self._heard = time.monotonic()

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Have one episode played.

        Raises:
            WorkerLostError: the worker died meanwhile.
            IctbenchError: what the worker said.
        """
        if self.gone.is_set() or self._channel is None:
            raise WorkerLostError(f"worker {self.name} is gone: {self.why_gone}", blamed=False)
        model = self._models.open(spec.actor.model) if spec.actor.model else None
        number = next(self._numbers)
        answer: Answer = asyncio.get_running_loop().create_future()
        self._playing[number] = (spec.key, answer)
        self.idle.clear()
        # None: the worker opens it. A list: it asks here, and may restrict replies in these ways.
        relayed = sorted(model.capabilities) if model and not model.is_remote else None
        body = spec.model_dump_json().encode()
        self._channel.send("play", body, number=number, priority=int(priority), relayed=relayed)
        try:
            message, record = await answer
        except asyncio.CancelledError:
            self._channel.send("cancel", number=number)
            raise
        finally:
            del self._playing[number]
            if not self._playing:
                self.idle.set()
        if model and message["fingerprint"] is not None:
            model.set_fingerprint(message["fingerprint"])
        return Episode.model_validate_json(record)

    def received(self, message: Message, body: bytes) -> None:
        """Take a message from the worker."""
        self._heard = time.monotonic()
        assert self._desk is not None
        match message["kind"]:
            case "ready":
                self.ready.set()
            case "beat":
                self._busy = message["busy"]
            case "played" | "failed":
                _, answer = self._playing.get(message["number"], ("", None))
                if answer is None or answer.done():
                    return
                if message["kind"] == "played":
                    answer.set_result((message, body))
                else:
                    answer.set_exception(error_from_json(message))
            case _:
                self._desk.received(message, body)

    def watch(self, patience: float) -> None:
        """End a worker that is silent, or whose environment is busy with one call, for longer than `patience` s."""
        if self.gone.is_set() or not self.ready.is_set():
            return
        if self._busy is not None and self._busy[1] > patience:
            key, seconds = self._busy
            self.lose(f"its environment did not answer for {seconds:.0f} s in episode {key}", culprit=key)
        elif (silent := time.monotonic() - self._heard) > max(patience, LONGEST_SILENCE):
            self.lose(f"it was silent for {silent:.0f} s")

    def lose(self, why: str = "", *, culprit: str | None = None) -> None:
        """Make sure that the worker is gone. Its episodes fail; only `culprit` is blamed for it, if there is one."""
        if self.gone.is_set():
            return
        how = self._end()
        self.why_gone = why or how
        self.gone.set()
        self.ready.set()
        if self._desk is not None:
            self._desk.close()
        for key, answer in self._playing.values():
            if not answer.done():
                blamed = culprit is None or culprit == key
                error = WorkerLostError(f"worker {self.name} is gone: {self.why_gone}", blamed=blamed)
                answer.set_exception(error)

    def stop(self) -> None:
        """Ask the worker to end by itself."""
        if self._channel is not None and not self.gone.is_set():
            self._channel.send("stop")

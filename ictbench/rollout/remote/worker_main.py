"""A worker: plays what its coordinator sends until it is told to stop, or the coordinator is gone.

Started in a process of its own, with its config as the one argument, or by a Ray actor; the same from then on.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.models.response_cache import ResponseCache
from ictbench.records import EpisodeSpec, Record
from ictbench.rollout.executor import Priority
from ictbench.rollout.remote.error_codec import error_to_json
from ictbench.rollout.remote.framing import Channel
from ictbench.rollout.remote.model_client import CoordinatorClient, RemoteModels
from ictbench.rollout.worker import EpisodeWorker

if TYPE_CHECKING:
    from ictbench.rollout.remote.framing import Message

BEAT_SECONDS = 1.0
PR_SET_PDEATHSIG = 1


class WorkerConfig(Record):
    """What a worker is told at its start."""

    fd: int | None = None
    """The open socket to the coordinator, or None to connect to `address`."""
    address: tuple[str, int] | None = None
    token: str = ""
    """Says to a coordinator that listens for its workers which of them this is."""
    cache: str | None = None
    """Path of the response cache."""


class Service:
    """What a worker does with each message."""

    def __init__(self, config: WorkerConfig) -> None:
        self.ended = asyncio.Event()
        self.channel = Channel(self._received, self.ended.set)
        self._coordinator = CoordinatorClient(self.channel)
        self._cache = ResponseCache(Path(config.cache)) if config.cache else None
        self._models = RemoteModels(self._coordinator, self._cache)
        self._worker = EpisodeWorker(self._models)
        self._playing: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Say how it is now and then, until the end."""
        self.channel.send("ready", host=socket.gethostname(), pid=os.getpid())
        while not self.ended.is_set():
            self.channel.send("beat", busy=self._worker.busy)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), BEAT_SECONDS)
        for task in self._playing.values():
            task.cancel()
        await asyncio.gather(*self._playing.values(), return_exceptions=True)
        await self._worker.aclose()
        await self._models.aclose()
        if self._cache:
            self._cache.close()
        self.channel.close()

    def _received(self, message: Message, body: bytes) -> None:
        match message["kind"]:
            case "play":
                number = message["number"]
                self._playing[number] = task = asyncio.create_task(self._play(message, body))
                task.add_done_callback(lambda _: self._playing.pop(number))
            case "cancel":
                if message["number"] in self._playing:
                    self._playing[message["number"]].cancel()
            case "answer":
                self._coordinator.answered(message, body)
            case "stop":
                self.ended.set()

    async def _play(self, message: Message, body: bytes) -> None:
        number = message["number"]
        try:
            spec = EpisodeSpec.model_validate_json(body)
            model = spec.actor.model
            if model and message["relayed"] is not None:
                self._models.relay(model, message["relayed"])
            episode = await self._worker.play(spec, Priority(message["priority"]))
            fingerprint = self._models.open(model).fingerprint if model else None
            self.channel.send("played", episode.model_dump_json().encode(), number=number, fingerprint=fingerprint)
        except Exception as error:
            self.channel.send("failed", number=number, **error_to_json(error))


async def serve(config: WorkerConfig) -> None:
    """Connect to the coordinator and work for it until the end."""
    service = Service(config)
    loop = asyncio.get_running_loop()
    if config.fd is not None:
        await loop.create_connection(lambda: service.channel, sock=socket.socket(fileno=config.fd))
    else:
        assert config.address is not None
        await loop.create_connection(lambda: service.channel, *config.address)
        service.channel.send("hello", token=config.token)
    await service.run()


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, even while an environment hangs; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Be a worker process."""
    die_with_parent()
    asyncio.run(serve(WorkerConfig.model_validate_json(sys.argv[1])))

"""Entry point of a worker: it plays what its coordinator sends, until it is stopped or the coordinator is gone.

A worker starts in a process of its own, with its configuration as the only argument, or in a Ray actor.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.models.response_cache import ResponseCache
from ictbench.records import EpisodeSpec, Record
from ictbench.rollout.executor import Priority
from ictbench.rollout.remote.error_codec import error_from_json, error_to_json
from ictbench.rollout.remote.framing import Channel
from ictbench.rollout.remote.model_client import CoordinatorClient, RemoteModels
from ictbench.rollout.worker import EpisodeWorker

if TYPE_CHECKING:
    from ictbench.rollout.remote.framing import Message

HEARTBEAT_SECONDS = 1.0
PR_SET_PDEATHSIG = 1
COLLECT_AFTER = 50_000
"""New objects after which Python searches for cyclic garbage. With its default of 700, a worker with 512 episodes in
flight spends a fifth of its time on the search."""


class WorkerConfig(Record):
    """Start-up configuration of a worker."""

    fd: int | None = None
    """File descriptor of an open socket to the coordinator; None means that the worker connects to `address`."""
    address: tuple[str, int] | None = None
    token: str = ""
    """Secret by which a listening coordinator recognizes the worker."""
    cache: str | None = None
    """Path of the response cache."""


def main() -> None:
    """Run a worker process."""
    die_with_parent()
    leave_signals_to_the_coordinator()
    run(WorkerConfig.model_validate_json(sys.argv[1]))


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent dies, even while an environment hangs; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def collect_rarely() -> None:
    """Search for cyclic garbage less often: almost none arises, and the histories of many episodes are searched too."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


def leave_signals_to_the_coordinator() -> None:
    """Ignore signals that stop a run: some schedulers send them to all its processes, and the coordinator stops us."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Not SIG_IGN, which the programs that an environment starts would inherit.
        signal.signal(number, lambda *_: None)


def run(config: WorkerConfig) -> None:
    """Run a worker until the end, on uvloop's event loop, which takes less CPU time, where it is installed."""
    with asyncio.Runner(loop_factory=import_module("uvloop").new_event_loop if find_spec("uvloop") else None) as runner:
        runner.run(run_worker(config))


async def run_worker(config: WorkerConfig) -> None:
    """Connect to the coordinator and work for it until the end."""
    collect_rarely()
    service = WorkerService(config)
    loop = asyncio.get_running_loop()
    if config.fd is not None:
        await loop.create_connection(lambda: service.channel, sock=socket.socket(fileno=config.fd))
    else:
        assert config.address is not None
        await loop.create_connection(lambda: service.channel, *config.address)
        service.channel.send("hello", token=config.token)
    await service.run()


class CoordinatorLog(logging.Handler):
    """Log handler that sends warnings to the coordinator, from any thread."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(logging.WARNING)
        self._channel = channel
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        # RuntimeError: the worker has ended.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(partial(self._channel.send, "warning", text=record.getMessage()))


class WorkerService:
    """Handles the messages of the coordinator."""

    def __init__(self, config: WorkerConfig) -> None:
        self.ended = asyncio.Event()
        self.channel = Channel(self._handle, self.ended.set)
        self._coordinator = CoordinatorClient(self.channel)
        self._cache = ResponseCache(Path(config.cache)) if config.cache else None
        self._models = RemoteModels(self._coordinator, self._cache)
        self._worker = EpisodeWorker(self._models)
        self._playing: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Send heartbeats until the end, then close everything."""
        warnings = CoordinatorLog(self.channel)
        logging.getLogger("ictbench").addHandler(warnings)
        self.channel.send("ready", host=socket.gethostname(), pid=os.getpid())
        while not self.ended.is_set():
            self.channel.send("heartbeat", busy=self._worker.busy)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), HEARTBEAT_SECONDS)
        for task in self._playing.values():
            task.cancel()
        await asyncio.gather(*self._playing.values(), return_exceptions=True)
        await self._worker.aclose()
        await self._models.aclose()
        self._models.gate.report()
        if self._cache:
            self._cache.close()
        logging.getLogger("ictbench").removeHandler(warnings)
        self.channel.close()

    def _handle(self, message: Message, body: bytes) -> None:
        match message["kind"]:
            case "play":
                number = message["number"]
                self._playing[number] = task = asyncio.create_task(self._play(message, body))
                task.add_done_callback(lambda _: self._playing.pop(number))
            case "cancel":
                if message["number"] in self._playing:
                    self._playing[message["number"]].cancel()
            case "slots":
                self._models.gate.slots.receive(message["gained"], message["keep"])
            case "limit":
                self._models.gate.stop(error_from_json(message))
            case "response":
                self._coordinator.receive_response(message, body)
            case "stop":
                self.ended.set()

    async def _play(self, message: Message, body: bytes) -> None:
        number = message["number"]
        try:
            spec = EpisodeSpec.model_validate_json(body)
            self._models.gate.needs_leases = message["leases"]
            model = spec.actor.model
            if model and message["relayed"] is not None:
                self._models.relay(model, message["relayed"])
            episode = await self._worker.play(spec, Priority(message["priority"]))
            fingerprint = self._models.open(model).fingerprint if model else None
            self._models.gate.report()
            self.channel.send("played", episode.model_dump_json().encode(), number=number, fingerprint=fingerprint)
        except Exception as error:
            self._models.gate.report()
            self.channel.send("failed", number=number, **error_to_json(error))

"""Workers as actors of a Ray cluster: Ray places, starts and ends them; what they play goes over a channel."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from typing import TYPE_CHECKING, Any

from ictbench.errors import MissingExtraError, WorkerError
from ictbench.rollout.remote.framing import Channel
from ictbench.rollout.remote.worker_handle import WorkerHandle
from ictbench.rollout.remote.worker_main import WorkerConfig, serve
from ictbench.rollout.remote.worker_pool import Starter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.models import ModelPool, UsageMeter
    from ictbench.rollout.remote.framing import Message

REACH_SECONDS = 10.0
LONGEST_HELLO = 1_024
"""Bytes that a stranger may make us keep."""


class RayWorker:
    """The actor's class, found by its name on every node."""

    def serve(self, config: dict[str, Any]) -> None:
        """Be a worker until the end."""
        asyncio.run(serve(WorkerConfig.model_validate(config)))


class RayStarter(Starter):
    """Starts workers as Ray actors. They connect to this machine, each with a secret that only it was told.

    Args:
        models: what the coordinator answers for.
        meter: what bounds all requests.
        address: of the cluster; None for the one that RAY_ADDRESS names or that runs here, or else a new one here.
        resources: what each worker needs, by Ray's names of resources (CPU, GPU or a cluster's own).
    """

    def __init__(
        self,
        models: ModelPool,
        meter: UsageMeter,
        address: str | None = None,
        resources: Mapping[str, float] | None = None,
    ) -> None:
        """Check that Ray is there.

        Raises:
            MissingExtraError: it is not installed.
        """
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("--executor ray", "ray", str(error)) from error
        self._ray: Any = ray
        self._models = models
        self._meter = meter
        self._address = address
        self._resources = {"CPU": 1.0, **(resources or {})}
        self._connected = asyncio.Lock()
        self._own = False
        self._server: asyncio.Server | None = None
        self._guests: set[Channel] = set()
        self._expected: dict[str, WorkerHandle] = {}
        self._actors: set[asyncio.Task[None]] = set()

    async def workers(self) -> int:
        """How many workers the cluster has room for.

        Raises:
            WorkerError: there is no such cluster, or no room.
        """
        await self._connect()
        nodes: list[dict[str, float]] = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        needed = [(name, amount) for name, amount in self._resources.items() if amount]
        room = sum(min((int(node.get(name, 0) / amount) for name, amount in needed), default=1) for node in nodes)
        if not room:
            await self.aclose()
            held = "; ".join(sorted(set(map(_in_words, nodes))))
            wanted = _in_words(dict(needed))
            raise WorkerError(f"no Ray node has room for a worker, which needs {wanted}: there are nodes with {held}")
        return room

    async def start(self, name: str) -> WorkerHandle:
        """Start an actor; it is ready when it has connected, which may take until the cluster has room."""
        await self._connect()
        assert self._server is not None
        token = secrets.token_hex(32)
        address = self._server.sockets[0].getsockname()[:2]
        own = {key: amount for key, amount in self._resources.items() if key not in ("CPU", "GPU")}
        options = {"num_cpus": self._resources["CPU"], "num_gpus": self._resources.get("GPU", 0), "resources": own}
        actor = self._ray.remote(RayWorker).options(**options, max_restarts=0, scheduling_strategy="SPREAD").remote()
        link = WorkerHandle(name, self._models, self._meter, lambda: self._end(token, actor))
        self._expected[token] = link
        serving = actor.serve.remote(WorkerConfig(address=address, token=token).model_dump())
        task = asyncio.create_task(self._until_end(serving, link))
        self._actors.add(task)
        task.add_done_callback(self._actors.discard)
        return link

    async def aclose(self) -> None:
        """Stop listening; a cluster that was there before stays."""
        for task in self._actors:
            task.cancel()
        await asyncio.gather(*self._actors, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            for guest in self._guests:
                guest.close()
            await self._server.wait_closed()
        if self._own:
            await asyncio.to_thread(self._ray.shutdown)

    async def _connect(self) -> None:
        async with self._connected:
            if self._server is not None:
                return
            if not self._ray.is_initialized():
                try:
                    await _reach(self._address or os.environ.get("RAY_ADDRESS", ""))
                    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
                    await asyncio.to_thread(self._ray.init, address=self._address, **quiet)
                except Exception as error:
                    where = self._address or "found through RAY_ADDRESS or on this machine"
                    raise WorkerError(f"no Ray cluster {where}: {type(error).__name__}: {error}") from error
                self._own = True
            host = self._ray.util.get_node_ip_address()
            self._server = await asyncio.get_running_loop().create_server(self._greeted, host, 0)

    def _greeted(self) -> Channel:
        """A channel whose first message must tell the secret of a worker that is expected."""
        link: WorkerHandle | None = None

        def hello(message: Message, body: bytes) -> None:
            nonlocal link
            link = self._expected.pop(str(message.get("token")), None)
            if link is None:
                channel.close()
                return
            channel.longest = ordinary
            channel.on_message = link.received
            link.connect(channel)

        def lost() -> None:
            self._guests.discard(channel)
            if link is not None:
                link.lose("its connection ended")

        channel = Channel(hello, lost)
        ordinary, channel.longest = channel.longest, LONGEST_HELLO
        self._guests.add(channel)
        return channel

    async def _until_end(self, serving: Any, link: WorkerHandle) -> None:
        """Ray knows best how an actor ended."""
        try:
            await serving
        except Exception as error:
            link.lose(f"its actor ended: {' '.join(str(error).split())}")
        else:
            link.lose("its actor ended")

    def _end(self, token: str, actor: Any) -> str:
        self._expected.pop(token, None)
        try:
            self._ray.kill(actor, no_restart=True)
        except Exception as error:
            return f"its actor cannot be reached: {' '.join(str(error).split())}"
        return "its actor was ended"


async def _reach(address: str) -> None:
    """Fail at once where nobody answers at a `host:port`; Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        async with asyncio.timeout(REACH_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()
        await writer.wait_closed()


def _in_words(resources: dict[str, float]) -> str:
    """Those that a user may ask for."""
    named = {name: amount for name, amount in resources.items() if ":" not in name and "memory" not in name}
    return ", ".join(f"{name} {amount:g}" for name, amount in sorted(named.items())) or "nothing"

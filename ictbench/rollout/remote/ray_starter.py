"""Workers as actors of a Ray cluster. Ray places, starts and ends them; episodes go over a channel."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from typing import TYPE_CHECKING, Any

from ictbench.errors import MissingExtraError, WorkerError
from ictbench.rollout.remote.framing import Channel
from ictbench.rollout.remote.worker_handle import WorkerHandle
from ictbench.rollout.remote.worker_main import WorkerConfig, run
from ictbench.rollout.remote.worker_pool import WorkerStarter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.models import ModelPool, UsageMeter
    from ictbench.rollout.remote.framing import Message

CONNECT_SECONDS = 10.0
MAX_HELLO_BYTES = 1_024
"""Longest message accepted from a connection that has not shown its token."""


class RayWorker:
    """Ray actor that runs a worker; every node imports it by name."""

    def serve(self, config: dict[str, Any]) -> None:
        """Run a worker until the end."""
        run(WorkerConfig.model_validate(config))


def require_ray() -> Any:
    """Return the package of Ray.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("--executor ray", "ray", str(error)) from error
    return ray


class RayStarter(WorkerStarter):
    """Starts workers as Ray actors. Each connects to this machine with a token that only it has.

    Args:
        models: Models that the coordinator serves.
        meter: Limits on all requests.
        address: Address of the cluster; None for the one that RAY_ADDRESS names or that runs on this machine, or else
            a new one on this machine.
        resources: Resources that each worker needs, by Ray's names (CPU, GPU or names that the cluster defines).
    """

    def __init__(
        self,
        models: ModelPool,
        meter: UsageMeter,
        address: str | None = None,
        resources: Mapping[str, float] | None = None,
    ) -> None:
        """Check that Ray is installed.

        Raises:
            MissingExtraError: Ray is not installed.
        """
        self._ray: Any = require_ray()
        self._models = models
        self._meter = meter
        self._address = address
        self._resources = {"CPU": 1.0, **(resources or {})}
        self._connecting = asyncio.Lock()
        self._connected_here = False
        """Whether this object connected the process to the cluster, and must disconnect it."""
        self._server: asyncio.Server | None = None
        self._channels: set[Channel] = set()
        self._expected: dict[str, WorkerHandle] = {}
        """Workers that have not connected yet, by token."""
        self._actors: set[asyncio.Task[None]] = set()

    async def workers(self) -> int:
        """Return the number of workers that the cluster has room for.

        Raises:
            WorkerError: The cluster cannot be reached, or no node has room for a worker.
        """
        await self._connect()
        nodes: list[dict[str, float]] = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        needed = [(name, amount) for name, amount in self._resources.items() if amount]
        room = sum(min((int(node.get(name, 0) / amount) for name, amount in needed), default=1) for node in nodes)
        if not room:
            await self.aclose()
            offered = "; ".join(sorted(set(map(_describe, nodes))))
            raise WorkerError(
                f"no Ray node has room for a worker, which needs {_describe(dict(needed))}: there are nodes with "
                f"{offered}"
            )
        return room

    async def start(self, name: str) -> WorkerHandle:
        """Start an actor. It is ready when it has connected, which may take until the cluster has room."""
        await self._connect()
        assert self._server is not None
        token = secrets.token_hex(32)
        address = self._server.sockets[0].getsockname()[:2]
        custom = {key: amount for key, amount in self._resources.items() if key not in ("CPU", "GPU")}
        options = {"num_cpus": self._resources["CPU"], "num_gpus": self._resources.get("GPU", 0), "resources": custom}
        actor = self._ray.remote(RayWorker).options(**options, max_restarts=0, scheduling_strategy="SPREAD").remote()
        handle = WorkerHandle(name, self._models, self._meter, lambda: self._kill(token, actor))
        self._expected[token] = handle
        serving = actor.serve.remote(WorkerConfig(address=address, token=token).model_dump())
        task = asyncio.create_task(self._wait_for_end(serving, handle))
        self._actors.add(task)
        task.add_done_callback(self._actors.discard)
        return handle

    async def aclose(self) -> None:
        """Stop listening. Disconnect from the cluster, unless the process was connected before."""
        for task in self._actors:
            task.cancel()
        await asyncio.gather(*self._actors, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            for channel in self._channels:
                channel.close()
            await self._server.wait_closed()
        if self._connected_here:
            await asyncio.to_thread(self._ray.shutdown)

    async def _connect(self) -> None:
        """Connect to the cluster and listen for workers, once."""
        async with self._connecting:
            if self._server is not None:
                return
            if not self._ray.is_initialized():
                try:
                    await _check_reachable(self._address or os.environ.get("RAY_ADDRESS", ""))
                    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
                    await asyncio.to_thread(self._ray.init, address=self._address, **quiet)
                except Exception as error:
                    place = f"at {self._address}" if self._address else "found through RAY_ADDRESS or on this machine"
                    raise WorkerError(f"no Ray cluster {place}: {type(error).__name__}: {error}") from error
                self._connected_here = True
            host = self._ray.util.get_node_ip_address()
            self._server = await asyncio.get_running_loop().create_server(self._accept, host, 0)

    def _accept(self) -> Channel:
        """Return the channel of a new connection. Its first message must hold the token of an expected worker."""
        handle: WorkerHandle | None = None

        def handle_hello(message: Message, body: bytes) -> None:
            nonlocal handle
            handle = self._expected.pop(str(message.get("token")), None)
            if handle is None:
                channel.close()
                return
            channel.max_message_bytes = usual_max_bytes
            channel.on_message = handle.handle
            handle.connect(channel)

        def handle_loss() -> None:
            self._channels.discard(channel)
            if handle is not None:
                handle.lose("its connection ended")

        channel = Channel(handle_hello, handle_loss)
        usual_max_bytes, channel.max_message_bytes = channel.max_message_bytes, MAX_HELLO_BYTES
        self._channels.add(channel)
        return channel

    async def _wait_for_end(self, serving: Any, handle: WorkerHandle) -> None:
        """Mark a worker as lost when Ray reports the end of its actor, with Ray's reason."""
        try:
            await serving
        except Exception as error:
            handle.lose(f"its actor ended: {' '.join(str(error).split())}")
        else:
            handle.lose("its actor ended")

    def _kill(self, token: str, actor: Any) -> str:
        self._expected.pop(token, None)
        try:
            self._ray.kill(actor, no_restart=True)
        except Exception as error:
            return f"its actor cannot be reached: {' '.join(str(error).split())}"
        return "its actor was killed"


async def _check_reachable(address: str) -> None:
    """Fail at once if nothing answers at a `host:port`; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()
        await writer.wait_closed()


def _describe(resources: dict[str, float]) -> str:
    """Return the resources that a user can request, as text."""
    named = {name: amount for name, amount in resources.items() if ":" not in name and "memory" not in name}
    return ", ".join(f"{name} {amount:g}" for name, amount in sorted(named.items())) or "nothing"

"""Model servers started by this process: free port, health check, log, and a stop at the end of the run."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from ictbench.errors import EndpointRefusedError, RunError
from ictbench.models.redact import Redactor
from ictbench.models.servers import supervisor

log = logging.getLogger(__name__)

PORT = "{port}"
"""Stands for the port in a command."""
KEY = "{key}"
"""Stands for a random API key in the environment of a server."""
LOGS_VARIABLE = "ICTBENCH_SERVER_LOGS"
"""Variable with the folder for logs. Without it, logs are temporary files, deleted if the server had no problem."""
HOST = "127.0.0.1"
# Below the ephemeral ports, any of which the system may give to another process while the server loads its model.
PORTS = range(20_000, 32_768)
POLL_SECONDS = 0.1
PROBE_SECONDS = 5.0
"""Timeout of a health check."""
EXIT_POLLS = 10
"""Number of times that `wait_for_exit` checks the process."""
STOP_SECONDS = supervisor.GRACE_SECONDS + 5.0
LOG_TAIL_BYTES = 16_384
LOG_TAIL_LINES = 8
LOG_TAIL_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """Specification of a server to launch. Models with equal specs share one server in this process."""

    name: str
    """The model's name, for errors and the name of the log."""
    command: tuple[str, ...]
    """Program and arguments; `PORT` in them is replaced by the port."""
    health: str
    """Path that answers with status 200 once the model is loaded, and only to requests with the API key."""
    start_seconds: float
    """Seconds that loading the model may take."""
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The server's whole environment; `KEY` in a value is replaced. Not in the repr, as it may contain API keys."""
    key: str = field(default=KEY, repr=False)
    """API key that the server requires; it also tells this server from another one on the same port."""
    log: Path | None = field(default=None, compare=False)
    """File for the server's output; None for a new file, see `LOGS_VARIABLE`."""


class ServerProcess:
    """A running server. Every `acquire` needs one `release`; the last one stops the server."""

    def __init__(self, launch: LaunchSpec) -> None:
        self._launch = launch
        self._users = 0
        self._ready = False
        self._timed_out = False
        self._log_is_temporary = launch.log is None and not os.environ.get(LOGS_VARIABLE)
        self.log = launch.log or _new_log(launch.name)
        self._port = _free_port()
        self.key = launch.key.replace(KEY, secrets.token_hex(16))
        self._started = time.monotonic()
        command = [part.replace(PORT, str(self._port)) for part in launch.command]
        with self.log.open("ab") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={name: value.replace(KEY, self.key) for name, value in launch.environment},
                start_new_session=True,
            )
        log.info("starting the server of %s on port %d; log: %s", launch.name, self._port, self.log)

    @classmethod
    async def acquire(cls, launch: LaunchSpec) -> ServerProcess:
        """Return the healthy server of a spec: the running one, or a new one.

        Raises:
            EndpointRefusedError: The server exits or does not become healthy in time; the error contains the end of
                its log.
            RunError: The server cannot be started, e.g. because its log cannot be written.
        """
        with _lock:
            server = _running.get(launch)
            if server is None or server.has_exited:
                server = _running[launch] = _start(launch)
            server._users += 1
        try:
            await server._wait_until_ready()
        except BaseException:
            await server.release()
            raise
        return server

    @staticmethod
    def starting() -> list[str]:
        """Return a line for each server that is not ready yet: the model, the seconds so far, the log."""
        with _lock:
            waiting = [server for server in _running.values() if not (server._ready or server.has_exited)]
        now = time.monotonic()
        return [
            f"starting the server of {server._launch.name} ({now - server._started:.0f} s, log: {server.log})"
            for server in waiting
        ]

    async def release(self) -> None:
        """Stop using the server; without users, it is stopped."""
        with _lock:
            self._users -= 1
            if self._users:
                return
            if _running.get(self._launch) is self:
                del _running[self._launch]
        # Shielded: even if the run is cancelled, it waits until the server is stopped.
        await asyncio.shield(asyncio.to_thread(self._stop))

    @property
    def url(self) -> str:
        """The base URL, ending in `/v1`."""
        return f"http://{HOST}:{self._port}/v1"

    @property
    def has_exited(self) -> bool:
        """Whether the process has exited."""
        return self._supervisor.poll() is not None

    async def wait_for_exit(self) -> bool:
        """Return whether the process exits within a second; after a lost connection an exit takes a moment to show."""
        for _ in range(EXIT_POLLS):
            if self.has_exited:
                return True
            await asyncio.sleep(POLL_SECONDS)
        return self.has_exited

    def log_summary(self) -> str:
        """Return the exit code, if the process has exited, and the last lines of the log, on one line."""
        with self.log.open("rb") as output:
            output.seek(max(0, output.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            text = output.read().decode(errors="replace")
        text = Redactor.from_environment(self.key, environment=dict(self._launch.environment))(text)
        lines = [" ".join(line.split()) for line in text.split("\n") if line.strip()]
        tail = " | ".join(lines[-LOG_TAIL_LINES:])[-LOG_TAIL_CHARACTERS:]
        code = f"exit code {self._supervisor.returncode}; " if self.has_exited else ""
        return f"{code}{self.log} ends: {tail or '(it is empty)'}"

    async def _wait_until_ready(self) -> None:
        url = f"http://{HOST}:{self._port}{self._launch.health}"
        name, seconds = self._launch.name, self._launch.start_seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PROBE_SECONDS)) as session:
            while not self._ready:
                healthy = await self._is_healthy(session, url)
                if self.has_exited:
                    raise EndpointRefusedError(f"{name}: its server did not start: {self.log_summary()}")
                if healthy:
                    self._ready = True
                    log.info("the server of %s is ready after %.0f s", name, time.monotonic() - self._started)
                    return
                if time.monotonic() - self._started > seconds:
                    self._timed_out = True
                    raise EndpointRefusedError(
                        f"{name}: its server was not ready within {seconds:g} s: {self.log_summary()}"
                    )
                await asyncio.sleep(POLL_SECONDS)

    async def _is_healthy(self, session: aiohttp.ClientSession, url: str) -> bool:
        """Return whether this server answers; another one on the port does not know the key, or requires none."""
        if await _status(session, url, {"Authorization": f"Bearer {self.key}"}) != 200:
            return False
        return await _status(session, url, {}) in {401, 403}

    def _stop(self) -> None:
        exited_by_itself = self.has_exited
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.close()
        try:
            self._supervisor.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        if self._log_is_temporary and not exited_by_itself and not self._timed_out:
            self.log.unlink(missing_ok=True)


_running: dict[LaunchSpec, ServerProcess] = {}
_lock = threading.Lock()


def _start(launch: LaunchSpec) -> ServerProcess:
    try:
        return ServerProcess(launch)
    except OSError as error:
        raise RunError(f"{launch.name}: its server cannot be started: {error}") from error


async def _status(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int | None:
    try:
        async with session.get(url, headers=headers) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


def _free_port() -> int:
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"all ports from {PORTS.start} to {PORTS.stop - 1} are in use")


def _new_log(name: str) -> Path:
    """Create an empty log file, with the model's name in its own."""
    folder = os.environ.get(LOGS_VARIABLE)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    safe_name = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in name)[-80:]
    handle, path = tempfile.mkstemp(prefix=f"ictbench-{safe_name}-", suffix=".log", dir=folder)
    os.close(handle)
    return Path(path)

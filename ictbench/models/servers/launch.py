"""Model servers that this process starts: a free port, health, a log, and an end with the run."""

from __future__ import annotations

import asyncio
import os
import random
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
from ictbench.models.redact import SECRET_NAME, Redactor
from ictbench.models.servers import supervisor as guard

PORT = "{port}"
"""Stands for the port in a command."""
LOGS_VARIABLE = "ICTBENCH_SERVER_LOGS"
"""Names the folder where logs are kept; without it they are temporary files, deleted where all went well."""
HOST = "127.0.0.1"
# Below the ports that systems hand out by themselves, which others may take while the server loads its model.
PORTS = range(20_000, 32_768)
POLL_SECONDS = 0.1
PROBE_SECONDS = 5.0
ENDING_POLLS = 10
STOP_SECONDS = guard.GRACE_SECONDS + 5.0
READ_BYTES = 16_384
SHOWN_LINES = 8
SHOWN_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server. Equal launches are one server in this process, shared by all who ask for it."""

    name: str
    """The model, for errors and the log's name."""
    command: tuple[str, ...]
    """Program and arguments; `PORT` in them becomes the port."""
    health: str
    """Path that answers 200 once the model is loaded."""
    start_seconds: float
    """How long loading may take."""
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """All the server sees of the environment. Not shown anywhere: it may hold keys."""
    log: Path | None = field(default=None, compare=False)
    """Where its output goes; see `LOGS_VARIABLE` otherwise."""


class Server:
    """A running server; `acquire` it, and `release` it once."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._users = 0
        self._ready = False
        self._given_up = False
        self._temporary = launch.log is None and not os.environ.get(LOGS_VARIABLE)
        self.log = launch.log or _new_log(launch.name)
        self._port = _free_port()
        self._started = time.monotonic()
        command = [part.replace(PORT, str(self._port)) for part in launch.command]
        with self.log.open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(launch.environment),
                start_new_session=True,
            )

    @classmethod
    async def acquire(cls, launch: Launch) -> Server:
        """The server of this launch, healthy: the one that runs already, or a new one.

        Raises:
            EndpointRefusedError: it ends, or is not healthy in time; the error tells its log's last lines.
            RunError: no log can be written.
        """
        with _lock:
            server = _running.get(launch)
            if server is None or server.ended:
                server = _running[launch] = _start(launch)
            server._users += 1
        try:
            await server._wait_until_ready()
        except BaseException:
            await server.release()
            raise
        return server

    async def release(self) -> None:
        """Stop using it; without users it is stopped."""
        with _lock:
            self._users -= 1
            if self._users:
                return
            if _running.get(self._launch) is self:
                del _running[self._launch]
        # Shielded: what has begun to end is waited for also where the run is being cancelled.
        await asyncio.shield(asyncio.to_thread(self._stop))

    @property
    def url(self) -> str:
        """The base URL, ending in `/v1`."""
        return f"http://{HOST}:{self._port}/v1"

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._guard.poll() is not None

    async def has_ended(self) -> bool:
        """Whether it has ended, told a moment after a connection broke: ends take a little to be noticed."""
        for _ in range(ENDING_POLLS):
            if self.ended:
                return True
            await asyncio.sleep(POLL_SECONDS)
        return self.ended

    def last_words(self) -> str:
        """Its exit code, if it has ended, and the last lines of its log, in one line."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - READ_BYTES))
            text = log.read().decode(errors="replace")
        secrets = [value for name, value in self._launch.environment if SECRET_NAME.search(name)]
        lines = [" ".join(line.split()) for line in Redactor(*secrets)(text).split("\n") if line.strip()]
        said = " | ".join(lines[-SHOWN_LINES:])[-SHOWN_CHARACTERS:]
        code = f"exit code {self._guard.returncode}; " if self.ended else ""
        return f"{code}{self.log} ends: {said or '(it is empty)'}"

    async def _wait_until_ready(self) -> None:
        url = f"http://{HOST}:{self._port}{self._launch.health}"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PROBE_SECONDS)) as session:
            while not self._ready:
                healthy = await _answers(session, url)
                if self.ended:
                    raise EndpointRefusedError(f"{self._launch.name}: its server did not start: {self.last_words()}")
                self._ready = healthy
                if healthy:
                    return
                if time.monotonic() - self._started > self._launch.start_seconds:
                    self._given_up = True
                    limit = f"{self._launch.start_seconds:g} s"
                    raise EndpointRefusedError(
                        f"{self._launch.name}: its server was not ready within {limit}: {self.last_words()}"
                    )
                await asyncio.sleep(POLL_SECONDS)

    def _stop(self) -> None:
        by_itself = self.ended
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        if self._temporary and not by_itself and not self._given_up:
            self.log.unlink(missing_ok=True)


_running: dict[Launch, Server] = {}
_lock = threading.Lock()


def _start(launch: Launch) -> Server:
    try:
        return Server(launch)
    except OSError as error:
        raise RunError(f"{launch.name}: its server cannot be started: {error}") from error


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _free_port() -> int:
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {PORTS.start} to {PORTS.stop - 1}")


def _new_log(name: str) -> Path:
    """An empty file with the model's name in its own."""
    folder = os.environ.get(LOGS_VARIABLE)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    readable = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in name)[-80:]
    handle, path = tempfile.mkstemp(prefix=f"ictbench-{readable}-", suffix=".log", dir=folder)
    os.close(handle)
    return Path(path)

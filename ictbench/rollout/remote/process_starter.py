"""Workers as processes on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.errors import WorkerError
from ictbench.rollout.remote.framing import Channel
from ictbench.rollout.remote.worker_handle import WorkerHandle
from ictbench.rollout.remote.worker_main import WorkerConfig, main
from ictbench.rollout.remote.worker_pool import WorkerStarter
from ictbench.scratch import ScratchFolder

if TYPE_CHECKING:
    from ictbench.models import ModelPool, UsageMeter

OUTPUT_CHARACTERS = 1_000
"""Characters of a worker's last output that an error shows."""

log = logging.getLogger(__name__)


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ProcessStarter(WorkerStarter):
    """Starts worker processes with the same interpreter and the same module path.

    Args:
        models: Models that the coordinator serves.
        meter: Limits on all requests.
        cache: Path of the response cache.
    """

    def __init__(self, models: ModelPool, meter: UsageMeter, cache: Path | None = None) -> None:
        self._models = models
        self._meter = meter
        self._cache = cache
        self._scratch: ScratchFolder | None = None

    async def start(self, name: str) -> WorkerHandle:
        """Start a process, connected by a pair of sockets."""
        if self._scratch is None or not self._scratch.path.is_dir():
            self._scratch = ScratchFolder("workers")
        own_socket, worker_socket = socket.socketpair()
        # A worker that is killed leaves the temporary files of its environments behind.
        scratch = Path(tempfile.mkdtemp(dir=self._scratch.path))
        config = WorkerConfig(fd=worker_socket.fileno(), cache=str(self._cache) if self._cache else None)
        try:
            with worker_socket:
                process = _spawn(config, scratch)
        except OSError as error:
            own_socket.close()
            shutil.rmtree(scratch, ignore_errors=True)
            raise WorkerError(f"a worker process cannot be started: {error}") from error
        handle = WorkerHandle(name, self._models, self._meter, lambda: _kill(process, scratch))
        channel = Channel(handle.handle, handle.lose)
        await asyncio.get_running_loop().create_connection(lambda: channel, sock=own_socket)
        handle.connect(channel)
        return handle

    async def aclose(self) -> None:
        """Remove the workers' temporary folders."""
        if self._scratch is not None:
            # In a thread: there may be hundreds of files.
            await asyncio.to_thread(self._scratch.remove)


def _spawn(config: WorkerConfig, scratch: Path) -> subprocess.Popen[bytes]:
    assert config.fd is not None
    with (scratch / "output").open("wb") as output:
        return subprocess.Popen(
            # -P: a file of the working directory must not pass for a module of Python.
            [sys.executable, "-P", "-c", f"from {main.__module__} import main; main()", config.model_dump_json()],
            pass_fds=[config.fd],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": _module_path(), "TMPDIR": str(scratch)},
            start_new_session=True,  # Ctrl-C at the terminal is for the coordinator
        )


def _module_path() -> str:
    return os.pathsep.join(str(Path(entry).absolute()) if entry else os.getcwd() for entry in sys.path)


def _kill(process: subprocess.Popen[bytes], scratch: Path) -> str:
    """Kill a process that has not ended by itself, and return how it ended."""
    # The whole group: an environment may have started processes of its own.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    if last_output := _last_output(scratch / "output"):
        log.info("output of worker process %d: %s", process.pid, last_output)
    # In a thread: there may be hundreds of files.
    asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, scratch, True)
    ending = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"its process ended with {ending}" + (f" and this output: …{last_output}" if last_output else "")


def _last_output(path: Path) -> str:
    """Return the end of a worker's output on one line; empty if the file was deleted meanwhile."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4 * OUTPUT_CHARACTERS))
            return " ".join(file.read().decode("utf-8", errors="replace").split())[-OUTPUT_CHARACTERS:]
    except OSError:
        return ""

"""Workers as processes of this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
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
from ictbench.rollout.remote.worker_pool import Starter

if TYPE_CHECKING:
    from ictbench.models import ModelPool, UsageMeter

SHOWN_CHARACTERS = 1_000
"""Of what a dying worker wrote last."""

log = logging.getLogger(__name__)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ProcessStarter(Starter):
    """Starts workers as processes with the same interpreter and the same module path."""

    def __init__(self, models: ModelPool, meter: UsageMeter, cache: Path | None = None) -> None:
        self._models = models
        self._meter = meter
        self._cache = cache

    async def start(self, name: str) -> WorkerHandle:
        """Start a process, connected by a pair of sockets."""
        ours, theirs = socket.socketpair()
        # Environments write temporary files, which one that is killed leaves behind.
        scratch = Path(tempfile.mkdtemp(prefix="ictbench-worker-"))
        config = WorkerConfig(fd=theirs.fileno(), cache=str(self._cache) if self._cache else None)
        try:
            with theirs:
                process = _spawn(config, scratch)
        except OSError as error:
            ours.close()
            shutil.rmtree(scratch, ignore_errors=True)
            raise WorkerError(f"a worker process cannot be started: {error}") from error
        link = WorkerHandle(name, self._models, self._meter, lambda: _end(process, scratch))
        channel = Channel(link.received, link.lose)
        await asyncio.get_running_loop().create_connection(lambda: channel, sock=ours)
        link.connect(channel)
        return link


def _spawn(config: WorkerConfig, scratch: Path) -> subprocess.Popen[bytes]:
    assert config.fd is not None
    with (scratch / "output").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", f"from {main.__module__} import main; main()", config.model_dump_json()],
            pass_fds=[config.fd],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": _module_path(), "TMPDIR": str(scratch)},
            start_new_session=True,  # the terminal's Ctrl-C is for the coordinator
        )


def _end(process: subprocess.Popen[bytes], scratch: Path) -> str:
    """Kill a process, if it has not ended by itself, and say how it ended."""
    process.kill()
    code = process.wait()
    if said := _last_words(scratch / "output"):
        log.info("output of worker process %d: %s", process.pid, said)
    # Hundreds of files, perhaps.
    asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, scratch, True)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"its process ended with {how}" + (f" and said: …{said}" if said else "")


def _last_words(output: Path) -> str:
    """The end of what it wrote, on one line; nothing where somebody has cleaned up meanwhile."""
    try:
        with output.open("rb") as file:
            file.seek(max(0, output.stat().st_size - 4 * SHOWN_CHARACTERS))
            return " ".join(file.read().decode("utf-8", errors="replace").split())[-SHOWN_CHARACTERS:]
    except OSError:
        return ""


def _module_path() -> str:
    return os.pathsep.join(str(Path(entry).absolute()) if entry else os.getcwd() for entry in sys.path)

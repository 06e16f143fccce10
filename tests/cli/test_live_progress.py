from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.cli.live_progress import Watcher
from ictbench.models import UsageMeter
from ictbench.models.servers.launch import KEY, PORT, LaunchSpec, ServerProcess
from ictbench.runs import Progress

if TYPE_CHECKING:
    import pytest

STAND_IN = Path(__file__).parents[1] / "helpers" / "stand_in_server.py"


def test_a_server_that_is_starting_is_shown_with_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded, log = tmp_path / "loaded", tmp_path / "server.log"
    command = (sys.executable, "-I", str(STAND_IN), "--port", PORT, "--loads", str(loaded))
    launch = LaunchSpec("vllm/m", command, "/health", 30.0, (("API_KEY", KEY),), log=log)
    watcher = Watcher(quiet=False)
    watcher(tmp_path, Progress({}, 1, UsageMeter()))

    async def start() -> None:
        starting = asyncio.create_task(ServerProcess.acquire(launch))
        await asyncio.sleep(0.1)
        watcher._print_line()
        loaded.touch()
        server = await starting
        watcher._print_line()
        await server.release()

    asyncio.run(start())
    loading, ready = capsys.readouterr().err.splitlines()
    assert f"starting the server of vllm/m (0 s, log: {log})" in loading
    assert "starting" not in ready

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ictbench.cli.live_progress import Watcher
from ictbench.models import UsageMeter
from ictbench.models.servers.launch import KEY, PORT, LaunchSpec, ServerProcess
from ictbench.records import UNREPORTED, Usage
from ictbench.runs import Progress
from ictbench.runs.family_progress import FamilyProgress

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


def test_cost_is_shown_as_far_as_it_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress({"eat": FamilyProgress(turns=2, episodes=40)}, 1, UsageMeter())
    watcher = Watcher(quiet=False)
    watcher(tmp_path, progress)

    def shown(*usages: Usage) -> str:
        for usage in usages:
            progress.meter.count(usage)
            progress.played += 1
            progress.costs.add_episode("eat", usage)
            progress.families["eat"].episodes_done += 1
        watcher._print_line()
        return capsys.readouterr().err

    assert "1 calls, ≥ 0 tokens, 0/16" in shown(UNREPORTED)
    assert "$" not in shown(Usage(calls=1, input_tokens=5, cost=None))
    progress.meter.spent = Usage()
    assert "20 calls, 100 tokens, $2.00 spent of about $3." in shown(*[Usage(calls=1, input_tokens=5, cost=0.1)] * 20)
    lost = Usage(unreported=1, cost=None, cost_at_most=0.1)
    assert "≥ 100 tokens, ≥ $2.00 spent of about $" in shown(lost)
    console = Console(width=120)
    with console.capture() as captured:
        console.print(watcher._table())
    assert "≥ $2.00" in captured.get().splitlines()[2]

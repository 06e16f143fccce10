from __future__ import annotations

import asyncio
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ictbench.cli.console import Console
from ictbench.cli.live_progress import SHOWN_TURNS, Watcher
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


@given(st.integers(1, 300), st.integers(0, 12), st.text("abcdefgh-", min_size=1, max_size=30))
def test_the_live_table_fits_and_shows_success_by_turn_of_each_family(width: int, turns: int, name: str) -> None:
    family, other = FamilyProgress(turns=turns, episodes=40), FamilyProgress(turns=turns, episodes=40)
    for turn in range(turns + 1):
        family.add_selection(turn, [True] * turn + [False] * (20 - turn))
        other.add_selection(turn, [False, False])
    watcher = Watcher(quiet=False)
    watcher(Path(), Progress({name: family, "other": other}, 3, UsageMeter(), played=7))
    watcher._console = Console(width=width, file=io.StringIO())
    watcher._console.print(watcher._table())
    out = watcher._console.file.getvalue()  # type: ignore[attr-defined]
    shown = sorted({*range(0, turns + 1, 1 + turns // SHOWN_TURNS), turns})
    assert [f"{turn / 20:.0%}" for turn in shown] == re.findall(r"\d+%", out)[: len(shown)]
    if width >= 40:
        assert max(map(len, out.splitlines())) <= width


def test_a_plain_line_shows_success_by_turn_and_what_was_reused(capsys: pytest.CaptureFixture[str]) -> None:
    family = FamilyProgress(turns=2, episodes=40, episodes_done=9)
    family.add_selection(0, [False, True, False, False])
    family.add_selection(1, [True, True, True, False])
    watcher = Watcher(quiet=False)
    watcher(Path(), Progress({"eat": family}, 1, UsageMeter(), played=6))
    watcher._print_line()
    line = capsys.readouterr().err
    assert line.startswith("episodes 9 of ≤ 40 (6 played, 3 reused), ")
    assert line.endswith("selection success by turn 25% 75%\n")

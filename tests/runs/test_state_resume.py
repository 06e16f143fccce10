"""State of a reflector across kills: the journal holds it for every turn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from apart import comparable, complete, played, reached, start
from notebook import NOTEBOOK
from rehearsals import REQUESTS
from watching import wait_for_the_end_of, workers_of

import ictbench
from ictbench.results.rows import ReflectionRow
from ictbench.testing import ScriptedServer

TURNS = 4
OPTIONS = ["--env", "minihack", "--families", "read", "--loops", "2", "--turns", str(TURNS), "--batch-size", "2"]
OPTIONS += ["--selection-size", "3", "--test-size", "4", "--reflector", f"{NOTEBOOK}:openai/m", "--actor", "rules"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "helpers")}


def remember(body: dict[str, Any]) -> str:
    """Number the note; only a reflector with its state counts on."""
    request = body["messages"][-1]["content"]
    known = int(request.removeprefix("NOTES: ").split()[0]) if request.startswith("NOTES: ") else 0
    return f"Note {known + 1}, learned from {len(request)} characters."


def test_a_killed_run_continues_with_the_state_of_its_reflector(tmp_path: Path) -> None:
    with ScriptedServer(remember, model="m") as server:
        options = [*OPTIONS, "--reflector-base-url", server.url]
        complete(tmp_path / "whole", options, ENVIRONMENT)
        requests = server.requests
        total, folder = len(played(tmp_path / "whole")), tmp_path / "killed"
        for moment in (3, total // 3, total // 2, total - 2):
            with start("run", *options, "--quiet", "--out", str(folder), env=ENVIRONMENT) as process:
                if reached(process, folder, moment):
                    workers = workers_of(process.pid)
                    process.kill()
                    wait_for_the_end_of(workers)
        complete(folder, options, ENVIRONMENT)
        # A reflection is requested again only if its answer had not arrived; each session also rehearses.
        assert server.requests - requests <= requests + 4 * (REQUESTS + 2)
    assert comparable(folder) == comparable(tmp_path / "whole")
    rows = [row for row in ictbench.load_run(folder).rows("reflections") if isinstance(row, ReflectionRow)]
    assert [row.state.count("learned from") for row in rows] == [1, 2, 3, 4] * 2
    for row in rows:
        assert row.prompt_after.splitlines()[-1].startswith(f"Note {row.turn}, learned from ")

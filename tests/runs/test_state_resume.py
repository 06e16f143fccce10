"""State of a reflector across kills: the journal holds it for every turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from apart import comparable, complete, played, reached, start
from rehearsals import REQUESTS
from watching import wait_for_the_end_of, workers_of

import ictbench
from ictbench.results.rows import ReflectionRow
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

TURNS = 4
OPTIONS = ["--env", "minihack", "--families", "read", "--loops", "2", "--turns", str(TURNS), "--batch-size", "2"]
OPTIONS += ["--selection-size", "3", "--test-size", "4", "--reflector", "insights:openai/m", "--actor", "rules"]


def remember(body: dict[str, Any]) -> str:
    """Add one rule to the list, and vote for its first; only a reflector with its state gets a long list."""
    request = body["messages"][-1]["content"]
    known = len(re.findall(r"^\d+\. .* votes\)$", request, re.MULTILINE))
    return f"OPERATIONS:\nADD: Rule {known + 1}, learned from {len(request)} characters.\nUP 1"


def test_a_killed_run_continues_with_the_state_of_its_reflector(tmp_path: Path) -> None:
    with ScriptedServer(remember, model="m") as server:
        options = [*OPTIONS, "--reflector-base-url", server.url]
        complete(tmp_path / "whole", options)
        requests = server.requests
        total, folder = len(played(tmp_path / "whole")), tmp_path / "killed"
        for moment in (3, total // 3, total // 2, total - 2):
            with start("run", *options, "--quiet", "--out", str(folder)) as process:
                if reached(process, folder, moment):
                    workers = workers_of(process.pid)
                    process.kill()
                    wait_for_the_end_of(workers)
        complete(folder, options)
        # A reflection is requested again only if its answer had not arrived; each session also rehearses.
        assert server.requests - requests <= requests + 4 * (REQUESTS + 2)
    assert comparable(folder) == comparable(tmp_path / "whole")
    rows = [row for row in ictbench.load_run(folder).rows("reflections") if isinstance(row, ReflectionRow)]
    assert [len(re.findall('"votes"', row.state)) for row in rows] == [1, 2, 3, 4] * 2
    for row in rows:
        assert f"Rule {row.turn}, learned" in row.prompt_after
        # Two votes at the start, and one more in each later turn: the first vote named a rule that did not exist.
        assert f'"votes":{row.turn + 1}' in row.state

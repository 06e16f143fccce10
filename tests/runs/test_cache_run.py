from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Literal

import pytest

import ictbench
from ictbench.models.response_cache import ResponseCache
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_cache_that_stores_nothing_is_logged_once_and_does_not_stop_a_run(
    tmp_path: Path, executor: Literal["inline", "process"]
) -> None:
    ResponseCache(tmp_path / "cache").close()
    with closing(sqlite3.connect(tmp_path / "cache")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON replies BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    with ScriptedServer(lambda body: "Action: wait") as server:
        run = ictbench.run(
            out=tmp_path / "run",
            families="eat",
            reflector="none",
            actor="openai/m",
            actor_base_url=server.url,
            cache=tmp_path / "cache",
            executor=executor,
            workers=1,
            turns=1,
            loops=1,
            batch_size=1,
            selection_size=1,
            test_size=1,
            max_steps=3,
        )
    assert run.result.complete
    warnings = [line for line in (tmp_path / "run" / "run.log").read_text().splitlines() if "response cache" in line]
    assert len(warnings) == 1
    assert "replies cannot be stored (the disk is full)" in warnings[0]

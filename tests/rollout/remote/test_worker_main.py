"""The entry point of a worker."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec

import pytest

from ictbench.rollout.remote import worker_main


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_worker_runs_on_uvloop_where_it_is_installed(monkeypatch: pytest.MonkeyPatch, is_installed: bool) -> None:
    if is_installed and not find_spec("uvloop"):
        pytest.skip("uvloop is not installed")
    loops: list[str] = []

    async def record_loop(_config: worker_main.WorkerConfig) -> None:
        loops.append(type(asyncio.get_running_loop()).__module__.partition(".")[0])

    monkeypatch.setattr(worker_main, "run_worker", record_loop)
    if not is_installed:
        monkeypatch.setattr(worker_main, "find_spec", lambda _: None)
    worker_main.run(worker_main.WorkerConfig())
    assert loops == ["uvloop" if is_installed else "asyncio"]
    assert "uvloop" in sys.modules or not is_installed

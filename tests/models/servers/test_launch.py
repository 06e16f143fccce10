from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointRefusedError, RunError
from ictbench.models.servers import launch as servers
from ictbench.models.servers.launch import LOGS_VARIABLE, PORT, Launch, Server

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = Path(__file__).parents[2] / "helpers" / "stand_in_server.py"
PATIENCE = 30.0
"""Seconds after which something that should have happened is taken not to happen."""


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(LOGS_VARIABLE, raising=False)


def launch(*arguments: object, start_seconds: float = PATIENCE, **fields: Any) -> Launch:
    command = (sys.executable, "-I", str(PROGRAM), "--port", PORT, *map(str, arguments))
    return Launch("local/model", command, "/health", start_seconds, **fields)


def get(url: str) -> Any:
    with urllib.request.urlopen(url.removesuffix("/v1"), timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def serves(url: str) -> bool:
    try:
        get(url)
    except OSError:
        return False
    return True


def alive(process: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return found.stdout.strip() not in {""} and not found.stdout.startswith("Z")


def comes_true(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_server_runs_from_acquire_to_release() -> None:
    async def use() -> Server:
        server = await Server.acquire(launch())
        assert await asyncio.to_thread(serves, server.url)
        assert not server.ended
        await server.release()
        return server

    server = asyncio.run(use())
    assert not serves(server.url)


def test_equal_launches_share_a_server_until_the_last_one_leaves() -> None:
    async def use() -> None:
        first, second = await asyncio.gather(Server.acquire(launch()), Server.acquire(launch()))
        other = await Server.acquire(launch("--stand", "apart"))
        assert first is second
        assert other.url != first.url
        await other.release()
        await first.release()
        assert await asyncio.to_thread(serves, second.url)
        await second.release()
        assert not await asyncio.to_thread(serves, second.url)

    asyncio.run(use())


def test_a_server_is_started_anew_after_its_end(tmp_path: Path) -> None:
    record = tmp_path / "record"

    async def use() -> None:
        for _ in range(2):
            server = await Server.acquire(launch("--record", record))
            await server.release()

    asyncio.run(use())
    assert len(record.read_text().splitlines()) == 2


def test_a_server_that_does_not_start_is_explained_by_its_log_without_keys(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    secrets = (("HF_TOKEN", "hf_secret"), ("EMPTY_KEY", ""))
    failing = launch("--fails", "no room\n\nfor hf_secret", environment=secrets, log=log)
    with pytest.raises(EndpointRefusedError) as refused:
        asyncio.run(Server.acquire(failing))
    told = str(refused.value)
    assert told == f"local/model: its server did not start: exit code 1; {log} ends: no room | for [key]"
    assert "hf_secret" not in repr(launch(environment=secrets))


def test_a_program_that_is_not_there_is_named() -> None:
    missing = Launch("local/model", ("no-such-program",), "/health", PATIENCE)
    with pytest.raises(EndpointRefusedError, match="no-such-program: No such file"):
        asyncio.run(Server.acquire(missing))


def test_a_server_that_is_never_healthy_is_given_up_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Server] = []

    def start(launched: Launch) -> Server:
        started.append(Server(launched))
        return started[0]

    monkeypatch.setattr(servers, "_start", start)
    waiting = launch("--after", tmp_path / "never", start_seconds=0.3, log=tmp_path / "log")
    with pytest.raises(EndpointRefusedError, match=r"not ready within 0\.3 s: .*log ends: "):
        asyncio.run(Server.acquire(waiting))
    assert started[0].ended


def test_everything_else_goes_on_while_a_server_starts(tmp_path: Path) -> None:
    healthy = tmp_path / "healthy"

    async def others() -> None:
        for _ in range(20):
            await asyncio.sleep(0.01)
        healthy.touch()

    async def both() -> None:
        server, _ = await asyncio.gather(Server.acquire(launch("--after", healthy)), others())
        await server.release()

    asyncio.run(both())


def test_a_start_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    child = tmp_path / "child"

    async def cancelled() -> None:
        starting = asyncio.create_task(Server.acquire(launch("--after", tmp_path / "never", "--child", child)))
        assert await asyncio.to_thread(comes_true, lambda: child.exists() and child.read_text() != "")
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(cancelled())
    assert comes_true(lambda: not alive(int(child.read_text())))
    assert not list(tmp_path.glob("*.log"))


def test_a_stubborn_server_and_what_it_started_are_killed(tmp_path: Path) -> None:
    child = tmp_path / "child"

    async def use() -> str:
        server = await Server.acquire(launch("--stubborn", "--child", child))
        await server.release()
        return server.url

    assert not serves(asyncio.run(use()))
    assert comes_true(lambda: not alive(int(child.read_text())))


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = f"""
import asyncio
from ictbench.models.servers.launch import Launch, Server
async def forever():
    server = await Server.acquire(Launch{(launch().name, launch("--child", child).command, "/health", PATIENCE)!r})
    print(server.url, flush=True)
    await asyncio.sleep(600)
asyncio.run(forever())
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert serves(url)
        parent.kill()
    assert comes_true(lambda: not serves(url))
    assert comes_true(lambda: not alive(int(child.read_text())))


def test_a_server_that_dies_is_noticed_and_replaced(tmp_path: Path) -> None:
    child = tmp_path / "child"

    async def use() -> None:
        first = await Server.acquire(launch("--child", child, log=tmp_path / "log"))
        assert not await first.has_ended()
        server_process = os.getpgid(int(child.read_text()))
        os.kill(server_process, signal.SIGKILL)
        assert await first.has_ended()
        assert first.last_words().startswith("exit code 137; ")
        second = await Server.acquire(launch("--child", child, log=tmp_path / "log"))
        assert second is not first
        await first.release()
        assert await asyncio.to_thread(serves, second.url)
        await second.release()

    asyncio.run(use())


def test_a_server_sees_only_the_environment_it_is_given() -> None:
    async def environment() -> Any:
        server = await Server.acquire(launch(environment=(("GIVEN", "yes"),)))
        seen = await asyncio.to_thread(get, server.url)
        await server.release()
        return seen["environment"]

    seen = asyncio.run(environment())
    assert seen["GIVEN"] == "yes"
    assert not {"PATH", "HOME", "PYTHONPATH"} & set(seen)


def run_and_find_log(launched: Launch) -> Path:
    async def use() -> Path:
        server = await Server.acquire(launched)
        assert "the stand-in serves" in server.log.read_text()
        await server.release()
        return server.log

    return asyncio.run(use())


def test_a_log_is_kept_where_it_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_and_find_log(launch(log=tmp_path / "mine.log")) == tmp_path / "mine.log"
    assert (tmp_path / "mine.log").exists()
    assert not run_and_find_log(launch()).exists()
    monkeypatch.setenv(LOGS_VARIABLE, str(tmp_path / "logs"))
    kept = run_and_find_log(launch())
    assert kept.exists()
    assert kept.parent == tmp_path / "logs"
    assert kept.name.startswith("ictbench-local-model-")


def test_the_log_of_a_server_in_trouble_stays(tmp_path: Path) -> None:
    with pytest.raises(EndpointRefusedError):
        asyncio.run(Server.acquire(launch("--fails", "no room")))
    assert [log.read_text() for log in tmp_path.glob("*.log")] == ["no room\n"]


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot be started: .*missing"):
        asyncio.run(Server.acquire(launch(log=tmp_path / "missing" / "server.log")))

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointRefusedError, RunError
from ictbench.models.servers import launch as servers
from ictbench.models.servers.launch import KEY, LOGS_VARIABLE, PORT, LaunchSpec, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = Path(__file__).parents[2] / "helpers" / "stand_in_server.py"
TIMEOUT = 30.0
"""Seconds to wait for something before the test fails."""


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(LOGS_VARIABLE, raising=False)


def launch(
    *arguments: object,
    start_seconds: float = TIMEOUT,
    environment: tuple[tuple[str, str], ...] = (),
    log: Path | None = None,
) -> LaunchSpec:
    command = (sys.executable, "-I", str(PROGRAM), "--port", PORT, *map(str, arguments))
    return LaunchSpec("local/model", command, "/health", start_seconds, (*environment, ("API_KEY", KEY)), log=log)


def get(server: ServerProcess) -> Any:
    request = urllib.request.Request(server.url, headers={"Authorization": f"Bearer {server.key}"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return json.loads(answer.read())


def serves(url: str) -> bool:
    """Return whether any server answers."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT):
            pass
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def is_alive(process: int) -> bool:
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return status.stdout.strip() not in {""} and not status.stdout.startswith("Z")


def becomes_true(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_server_runs_from_acquire_to_release() -> None:
    async def use() -> ServerProcess:
        server = await ServerProcess.acquire(launch())
        assert await asyncio.to_thread(serves, server.url)
        assert not server.has_exited
        await server.release()
        return server

    server = asyncio.run(use())
    assert not serves(server.url)


def test_equal_launch_specs_share_a_server_until_the_last_release() -> None:
    async def use() -> None:
        first, second = await asyncio.gather(ServerProcess.acquire(launch()), ServerProcess.acquire(launch()))
        other = await ServerProcess.acquire(launch("--stand", "apart"))
        assert first is second
        assert other.url != first.url
        await other.release()
        await first.release()
        assert await asyncio.to_thread(serves, second.url)
        await second.release()
        assert not await asyncio.to_thread(serves, second.url)

    asyncio.run(use())


def test_a_server_is_started_again_after_it_was_stopped(tmp_path: Path) -> None:
    record = tmp_path / "record"

    async def use() -> None:
        for _ in range(2):
            server = await ServerProcess.acquire(launch("--record", record))
            await server.release()

    asyncio.run(use())
    assert len(record.read_text().splitlines()) == 2


def test_the_error_of_a_failed_start_shows_the_log_without_api_keys(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    secrets = (("HF_TOKEN", "hf_secret"), ("EMPTY_KEY", ""))
    failing = launch("--fails", "no memory\n\nfor hf_secret", environment=secrets, log=log)
    with pytest.raises(EndpointRefusedError) as refused:
        asyncio.run(ServerProcess.acquire(failing))
    assert str(refused.value).endswith(f"did not start: exit code 1; {log} ends: no memory | for [key]")
    assert "hf_secret" not in repr(launch(environment=secrets))


def test_the_error_of_a_missing_program_names_it() -> None:
    missing = LaunchSpec("local/model", ("no-such-program",), "/health", TIMEOUT)
    with pytest.raises(EndpointRefusedError, match="no-such-program: No such file"):
        asyncio.run(ServerProcess.acquire(missing))


def test_a_server_that_never_becomes_healthy_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[ServerProcess] = []

    def start(spec: LaunchSpec) -> ServerProcess:
        started.append(ServerProcess(spec))
        return started[0]

    monkeypatch.setattr(servers, "_start", start)
    waiting = launch("--after", tmp_path / "never", start_seconds=0.3, log=tmp_path / "log")
    with pytest.raises(EndpointRefusedError, match=r"not ready within 0\.3 s: .*log ends: "):
        asyncio.run(ServerProcess.acquire(waiting))
    assert started[0].has_exited


@contextmanager
def stranger(monkeypatch: pytest.MonkeyPatch, status: Callable[[str | None], int]) -> Iterator[None]:
    """Serve on the port that the next launched server gets; `status` maps an Authorization header to a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status(self.headers["Authorization"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setattr(servers, "_free_port", lambda: server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.mark.parametrize(
    "status",
    [lambda key: 200, lambda key: 401, lambda key: 200 if key == "Bearer theirs" else 401, lambda key: 404],
    ids=["takes any key", "refuses all", "has its own key", "serves something else"],
)
def test_another_server_on_the_port_is_not_taken_for_the_launched_one(
    status: Callable[[str | None], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = tmp_path / "loaded"

    async def use() -> None:
        starting = asyncio.create_task(ServerProcess.acquire(launch("--loads", loaded)))
        await asyncio.sleep(0.5)
        assert not starting.done()
        loaded.touch()
        with pytest.raises(EndpointRefusedError, match=r"did not start: exit code 1; .*Address already in use"):
            await starting

    with stranger(monkeypatch, status):
        asyncio.run(use())


def test_a_server_that_starts_is_announced_with_its_log(tmp_path: Path) -> None:
    loaded, log = tmp_path / "loaded", tmp_path / "server.log"

    async def use() -> None:
        starting = asyncio.create_task(ServerProcess.acquire(launch("--loads", loaded, log=log)))
        await asyncio.sleep(0.1)
        assert ServerProcess.starting() == [f"starting the server of local/model (0 s, log: {log})"]
        loaded.touch()
        server = await starting
        assert not ServerProcess.starting()
        await server.release()

    asyncio.run(use())


def test_every_server_has_an_api_key_of_its_own(tmp_path: Path) -> None:
    async def use() -> set[str]:
        running = [await ServerProcess.acquire(launch("--stand", name)) for name in ("here", "there")]
        assert all(get(server)["environment"]["API_KEY"] == server.key for server in running)
        for server in running:
            await server.release()
        return {server.key for server in running}

    keys = asyncio.run(use())
    assert len(keys) == 2
    assert all(len(key) == 32 for key in keys)


def test_other_coroutines_run_while_a_server_starts(tmp_path: Path) -> None:
    healthy = tmp_path / "healthy"

    async def become_healthy_later() -> None:
        for _ in range(20):
            await asyncio.sleep(0.01)
        healthy.touch()

    async def both() -> None:
        server, _ = await asyncio.gather(ServerProcess.acquire(launch("--after", healthy)), become_healthy_later())
        await server.release()

    asyncio.run(both())


def test_a_cancelled_start_leaves_neither_processes_nor_logs(tmp_path: Path) -> None:
    child = tmp_path / "child"

    async def cancelled() -> None:
        starting = asyncio.create_task(ServerProcess.acquire(launch("--after", tmp_path / "never", "--child", child)))
        assert await asyncio.to_thread(becomes_true, lambda: child.exists() and child.read_text() != "")
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(cancelled())
    assert becomes_true(lambda: not is_alive(int(child.read_text())))
    assert not list(tmp_path.glob("*.log"))


def test_a_server_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"

    async def use() -> str:
        server = await ServerProcess.acquire(launch("--stubborn", "--child", child))
        await server.release()
        return server.url

    assert not serves(asyncio.run(use()))
    assert becomes_true(lambda: not is_alive(int(child.read_text())))


def test_a_server_stops_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    child = tmp_path / "child"
    spec = launch("--child", child)
    script = f"""
import asyncio
from ictbench.models.servers.launch import LaunchSpec, ServerProcess
async def forever():
    spec = LaunchSpec({spec.name!r}, {spec.command!r}, {spec.health!r}, {spec.start_seconds!r}, {spec.environment!r})
    server = await ServerProcess.acquire(spec)
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
    assert becomes_true(lambda: not serves(url))
    assert becomes_true(lambda: not is_alive(int(child.read_text())))


def test_a_killed_server_is_noticed_and_replaced(tmp_path: Path) -> None:
    child = tmp_path / "child"

    async def use() -> None:
        first = await ServerProcess.acquire(launch("--child", child, log=tmp_path / "log"))
        assert not await first.wait_for_exit()
        server_process = os.getpgid(int(child.read_text()))
        os.kill(server_process, signal.SIGKILL)
        assert await first.wait_for_exit()
        assert first.log_summary().startswith("exit code 137; ")
        second = await ServerProcess.acquire(launch("--child", child, log=tmp_path / "log"))
        assert second is not first
        await first.release()
        assert await asyncio.to_thread(serves, second.url)
        await second.release()

    asyncio.run(use())


def test_a_server_receives_only_the_environment_in_its_spec() -> None:
    async def environment() -> Any:
        server = await ServerProcess.acquire(launch(environment=(("GIVEN", "yes"),)))
        reply = await asyncio.to_thread(get, server)
        await server.release()
        return reply["environment"]

    variables = asyncio.run(environment())
    assert variables["GIVEN"] == "yes"
    assert not {"PATH", "HOME", "PYTHONPATH"} & set(variables)


def run_and_find_log(spec: LaunchSpec) -> Path:
    async def use() -> Path:
        server = await ServerProcess.acquire(spec)
        assert "the stand-in server is ready" in server.log.read_text()
        await server.release()
        return server.log

    return asyncio.run(use())


def test_a_log_is_kept_in_the_file_or_folder_given_and_otherwise_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_and_find_log(launch(log=tmp_path / "mine.log")) == tmp_path / "mine.log"
    assert (tmp_path / "mine.log").exists()
    assert not run_and_find_log(launch()).exists()
    monkeypatch.setenv(LOGS_VARIABLE, str(tmp_path / "logs"))
    kept = run_and_find_log(launch())
    assert kept.exists()
    assert kept.parent == tmp_path / "logs"
    assert kept.name.startswith("ictbench-local-model-")


def test_the_log_of_a_failed_server_is_kept(tmp_path: Path) -> None:
    with pytest.raises(EndpointRefusedError):
        asyncio.run(ServerProcess.acquire(launch("--fails", "no memory")))
    assert [log.read_text() for log in tmp_path.glob("*.log")] == ["no memory\n"]


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot be started: .*missing"):
        asyncio.run(ServerProcess.acquire(launch(log=tmp_path / "missing" / "server.log")))

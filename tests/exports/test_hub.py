"""Pushing to the Hub: `ictbench export --push-to-hub` against a fake Hub."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from command_line import Completed

import ictbench
from ictbench.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PUSH = ("--push-to-hub", "me/run")
MAIN = "from ictbench.cli.app import main; main()"


@dataclass
class Hub:
    """State of the fake Hub, and what it received."""

    url: str = ""
    error_status: int | None = None
    """HTTP status of every answer; None to accept."""
    tokens: set[str | None] = field(default_factory=set)
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def fake_hub(error_status: int | None = None) -> Iterator[Hub]:
    """Serve the part of the Hub's API that an upload of small files uses, over real HTTP."""
    hub = Hub(error_status=error_status)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {"sha": "0" * 40, "id": "me/run", "siblings": []})

        def do_POST(self) -> None:
            hub.tokens.add(self.headers["Authorization"])
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if hub.error_status:
                self._answer(hub.error_status, {"error": "You have no right to do this"})
            elif self.path == "/api/repos/create":
                hub.created.append(json.loads(body))
                self._answer(200, {"url": f"{hub.url}/datasets/me/run"})
            elif self.path == "/api/validate-yaml":
                self._answer(200, {"errors": [], "warnings": []})
            elif self.path == "/api/datasets/me/run/preupload/main":
                files = [{**file, "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]]
                self._answer(200, {"files": files})
            elif self.path.startswith("/api/datasets/me/run/commit/main"):
                for line in map(json.loads, body.decode().splitlines()):
                    if line["key"] == "file":
                        hub.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                self._answer(
                    200, {"commitUrl": f"{hub.url}/datasets/me/run/commit/0", "commitOid": "0" * 40, "success": True}
                )
            else:
                self._answer(404, {"error": f"no {self.path}"})

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 1}
    out = tmp_path_factory.mktemp("hub") / "run"
    return ictbench.run(suite="minihack-v1", families="eat", out=out, **sizes).folder


def export_in_new_process(folder: Path, out: Path, *arguments: str, **environment: str) -> Completed:
    """Run the command with the environment variables that huggingface_hub reads on import."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "export", str(folder), "--out", str(out), *arguments],
        env={**clean, "HF_HOME": str(out.parent / "home"), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Completed(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def export(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Completed]:
    """Runs the command in this process, where it starts faster."""

    def export(*arguments: str, endpoint: str = "http://127.0.0.1:9", token: str | None = "hf_secret") -> Completed:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        if token:
            monkeypatch.setenv("HF_TOKEN", token)
        command = ["ictbench", "export", str(folder), "--out", str(tmp_path / "out"), *arguments]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as caught:
            main()
        return Completed(int(caught.value.code or 0), *capfd.readouterr())

    return export


def test_an_export_is_pushed_with_the_token_of_the_environment(folder: Path, tmp_path: Path) -> None:
    with fake_hub() as hub:
        done = export_in_new_process(folder, tmp_path / "out", *PUSH, HF_ENDPOINT=hub.url, HF_TOKEN="hf_secret")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [f"Files: {tmp_path / 'out'}", f"Pushed: {hub.url}/datasets/me/run"]
    assert hub.tokens == {"Bearer hf_secret"}
    assert hub.created == [{"name": "run", "organization": "me", "type": "dataset", "visibility": "private"}]
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert hub.files == written
    assert set(written) == {"README.md", "episodes.parquet", "reflections.parquet", "results.parquet"}


def test_without_a_token_nothing_is_written(export: Callable[..., Completed], tmp_path: Path) -> None:
    done = export(*PUSH, token=None)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "ictbench: --push-to-hub needs your Hugging Face token: set HF_TOKEN, or log in with `hf auth login`\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_public_data_set_is_pushed_with_the_token_of_a_login(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "token").write_text("hf_login", encoding="utf-8")
    with fake_hub() as hub:
        done = export_in_new_process(folder, tmp_path / "out", *PUSH, "--public", HF_ENDPOINT=hub.url)
    assert done.code == 0
    assert hub.tokens == {"Bearer hf_login"}
    assert [request["visibility"] for request in hub.created] == ["public"]


def test_a_refused_push_is_one_line_and_the_export_is_kept(export: Callable[..., Completed], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with fake_hub(error_status=403) as hub:
        done = export(*PUSH, endpoint=hub.url)
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert line.startswith(f"ictbench: me/run could not be pushed to {hub.url} (")
    assert "403" in line
    assert line.endswith(f"; the export is in {out}")
    assert "hf_secret" not in line
    assert (out / "README.md").exists()


def test_an_unreachable_hub_is_one_line(export: Callable[..., Completed]) -> None:
    done = export(*PUSH)
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert "me/run could not be pushed to http://127.0.0.1:9 (ConnectError: " in line


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--push-to-hub", "run"), "--push-to-hub 'run' is not a valid OWNER/NAME: the owner is missing"),
        (("--push-to-hub", "me/a b"), "--push-to-hub 'me/a b' is not a valid OWNER/NAME: "),
        ((*PUSH, "--format", "datasets"), "the Hub reads parquet, csv and jsonl"),
        (("--public",), "--public needs --push-to-hub OWNER/NAME"),
    ],
)
def test_an_impossible_push_is_refused_before_anything_is_written(
    export: Callable[..., Completed], tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    done = export(*flags)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert message in done.err
    assert not (tmp_path / "out").exists()


def test_the_message_for_a_missing_package_names_the_extra(
    export: Callable[..., Completed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    done = export()
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("ictbench: export needs a package that is not installed (")
    assert line.endswith("pip install 'ictbench[datasets]'")
    assert not (tmp_path / "out").exists()

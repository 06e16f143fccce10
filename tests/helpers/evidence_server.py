"""A real web server on loopback that holds evidence, or misbehaves as a hostile one would."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import yaml

from ictbench.submissions.evidence_location import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.submissions.layout import BoardFolder, SubmissionFolder


@dataclass
class EvidenceServer:
    """Address of the server, what it holds, and the paths that were asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """Content by name of the file, whatever the folder of its address."""
    asked: list[str] = field(default_factory=list)

    def address(self, folder: str = "good") -> str:
        """Return the address of a folder, which says how the server behaves."""
        return f"{self.url}/{folder}"


class Handler(BaseHTTPRequestHandler):
    """Answers by the folder of the requested path."""

    server: ThreadingHTTPServer
    state: EvidenceServer

    def do_GET(self) -> None:
        folder, _, name = self.path.lstrip("/").partition("/")
        self.state.asked.append(self.path)
        content = self.state.files.get(name)
        if folder == "redirect":
            self.answer(302, b"", Location=f"http://localhost:{self.server.server_address[1]}/good/{name}")
        elif folder == "endless":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b"\x1f\x8b" * 50_000)
        elif folder == "slow":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b"\x1f")
                    time.sleep(0.05)
        elif folder == "wrong" and content:
            self.answer(200, content[:-1] + b"x")
        elif folder == "short" and content:
            self.answer(200, content[:-1])
        elif folder == "compressed" and content:
            # Some servers do this for every file that ends in .gz, whatever a request accepts.
            self.answer(200, content, **{"Content-Encoding": "gzip", "Content-Type": "application/jsonl"})
        elif folder == "good" and content is not None:
            self.answer(200, content)
        else:
            self.answer(404, b"")

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        pass


@contextmanager
def evidence_server() -> Iterator[EvidenceServer]:
    """Serve evidence until the end of the block."""
    server, state = _start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


@cache
def lasting_server() -> EvidenceServer:
    """Return a server that runs until this process ends."""
    return _start()[1]


def _start() -> tuple[ThreadingHTTPServer, EvidenceServer]:
    state = EvidenceServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"state": state}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    return server, state


def allow(board: BoardFolder, *stores: str, private: bool = True) -> None:
    """Write a board's list of stores."""
    board.path.mkdir(parents=True, exist_ok=True)
    board.stores.write_text(yaml.safe_dump({"stores": [*stores], "private_addresses": private}), encoding="utf-8")


def move_out(folder: SubmissionFolder, store: str) -> dict[str, bytes]:
    """Let a submission name another place of its evidence, and return the files that would have to lie there."""
    metadata = json.loads(folder.metadata.read_bytes())
    files: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    for name in ALWAYS:
        content = (folder.path / name).read_bytes()
        files[f"{hashlib.sha256(content).hexdigest()}.jsonl.gz"] = content
        sizes[name] = len(content)
        (folder.path / name).unlink()
    metadata["evidence"] = {"store": store, "sizes": sizes}
    folder.metadata.write_text(json.dumps(metadata), encoding="utf-8")
    return files


def repacked(content: bytes) -> bytes:
    """Return another gzip file of the same content."""
    return gzip.compress(gzip.decompress(content), 9, mtime=0)

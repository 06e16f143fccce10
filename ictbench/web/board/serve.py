"""Serves the site to this machine alone."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.errors import SubmissionError
from ictbench.web.board import build_site

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class _Handler(SimpleHTTPRequestHandler):
    """Files of the site, and no listing of folders."""

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """There is nothing to list."""
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's word
        """Say nothing: it is one reader."""


@contextmanager
def serving(leaderboards: Path, port: int = 0) -> Iterator[ThreadingHTTPServer]:
    """Build the site into a folder of its own, and answer a server that is ready to serve it; 0 is any free port.

    Raises:
        SubmissionError: a board cannot be read, or the port cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="ictbench-site-") as folder:
        site = Path(folder, "site")
        build_site(leaderboards, site, tables=False)
        try:
            server = ThreadingHTTPServer((LOOPBACK, port), partial(_Handler, directory=str(site)))
        except OSError as error:
            raise SubmissionError(f"port {port} cannot be had ({error.strerror}); choose another --port") from error
        with server:
            yield server


def address_of(server: ThreadingHTTPServer) -> str:
    """Where it is to be reached."""
    return f"http://{LOOPBACK}:{server.server_address[1]}/"

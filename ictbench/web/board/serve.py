"""Local web server for the site."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ictbench.board.finding_cache import NO_CACHE
from ictbench.errors import SubmissionError
from ictbench.scratch import scratch_folder
from ictbench.web.board import build_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ictbench.board.bad_entry import BadEntry
    from ictbench.board.entries import Board
    from ictbench.board.finding_cache import FindingCache

LOOPBACK = "127.0.0.1"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class _Handler(SimpleHTTPRequestHandler):
    """Request handler that serves files, but no listings of folders."""

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def send_head(self) -> Any:
        """Refuse requests that a page of another site could make by a name of its own for this address (rebinding)."""
        _, port = self.connection.getsockname()
        if self.headers.get("Host", "") not in {f"{name}:{port}" for name in (LOOPBACK, "localhost")}:
            return self.send_error(421, "Misdirected Request")
        if not unquote(self.path).isprintable():
            return self.send_error(400)
        return super().send_head()

    def list_directory(self, path: Any) -> None:
        """Refuse to list a folder."""
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Print nothing: the server has a single reader, who sees the pages."""


@contextmanager
def serving(
    leaderboards: Path,
    port: int = 0,
    *,
    on_bad: Callable[[Board, BadEntry], None] = lambda board, bad: None,
    findings: FindingCache = NO_CACHE,
) -> Iterator[ThreadingHTTPServer]:
    """Build the site into a temporary folder and open a server for it on this machine.

    Args:
        leaderboards: Folder with one board per suite.
        port: Port of the server; 0 selects a free one.
        on_bad: Called with each submission that cannot be shown.
        findings: What earlier calls found.

    Raises:
        SubmissionError: A board cannot be read, or the port is not available.
    """
    with scratch_folder("site") as folder:
        site = folder / "site"
        build_site(leaderboards, site, tables=False, on_bad=on_bad, findings=findings)
        try:
            server = ThreadingHTTPServer((LOOPBACK, port), partial(_Handler, directory=str(site)))
        except OSError as error:
            raise SubmissionError(f"port {port} is not available ({error.strerror}); choose another --port") from error
        with server:
            yield server


def address_of(server: ThreadingHTTPServer) -> str:
    """Return the URL of a server."""
    return f"http://{LOOPBACK}:{server.server_address[1]}/"

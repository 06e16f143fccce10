from __future__ import annotations

import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from boards import make_result, submit

from ictbench.errors import SubmissionError
from ictbench.submissions.layout import BoardFolder
from ictbench.web.board.serve import address_of, serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def leaderboards(tmp_path: Path) -> Path:
    submit(BoardFolder(tmp_path / "rooms-v1"), "mine", make_result({"read": [("00", "11")] * 3}))
    return tmp_path


def test_site_is_served_to_this_machine_only(leaderboards: Path) -> None:
    with serving(leaderboards) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = address_of(server)
            assert address.startswith("http://127.0.0.1:")
            assert server.socket.getsockname()[0] == "127.0.0.1"
            with urllib.request.urlopen(f"{address}rooms-v1/entries/mine.html", timeout=10) as page:
                assert page.read().startswith(b"<!DOCTYPE html>")
                assert page.headers["X-Content-Type-Options"] == "nosniff"
            for path in ("rooms-v1/entries/", "../rooms-v1/log.jsonl", "%2e%2e/rooms-v1/submissions/mine/result.json"):
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    urllib.request.urlopen(f"{address}{path}", timeout=10).close()
            with pytest.raises(urllib.error.HTTPError, match="400"):
                urllib.request.urlopen(f"{address}%00", timeout=10).close()
            rebound = urllib.request.Request(address, headers={"Host": f"evil.example:{server.server_port}"})
            with pytest.raises(urllib.error.HTTPError, match="421"):
                urllib.request.urlopen(rebound, timeout=10).close()
            local = urllib.request.Request(address, headers={"Host": f"localhost:{server.server_port}"})
            urllib.request.urlopen(local, timeout=10).close()
            with (
                pytest.raises(SubmissionError, match="choose another --port"),
                serving(leaderboards, server.server_port),
            ):
                pass
        finally:
            server.shutdown()
            thread.join()
    assert not (leaderboards / "rooms-v1/tables").exists()

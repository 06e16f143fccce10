"""Evidence outside of a submission's folder: a real web server, the board's folder, and any file system of fsspec."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import time
import zlib
from typing import TYPE_CHECKING

import fsspec
import pytest
from evidence_server import allow, evidence_server, move_out
from honest import STATEMENT, SUITE

import ictbench
from ictbench.board.entries import read_board
from ictbench.board.examine import check_submission
from ictbench.board.finding_cache import FindingCache
from ictbench.board.validate import validate
from ictbench.errors import MissingExtraError, SubmissionError
from ictbench.submissions import evidence_cache, evidence_store, web_file
from ictbench.submissions.build_submission import draft, submit
from ictbench.submissions.evidence_location import EvidenceLocation
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.read_submission import read_content
from ictbench.web.board import build_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evidence_server import EvidenceServer

    from ictbench.runs import Run
    from ictbench.submissions.evidence_location import EvidenceFile

CONTENT = os.urandom(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"{DIGEST}.jsonl.gz"
EPISODES: EvidenceFile = "episodes.jsonl.gz"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ictbench" / "evidence"


@pytest.fixture
def server() -> Iterator[EvidenceServer]:
    with evidence_server() as server:
        server.files[NAME] = CONTENT
        yield server


@pytest.fixture
def board(tmp_path: Path, server: EvidenceServer) -> BoardFolder:
    board = BoardFolder(tmp_path / "boards" / SUITE)
    allow(board, server.url)
    return board


def fetch(store: str, board: BoardFolder, size: int = len(CONTENT), digest: str = DIGEST) -> bytes:
    location = EvidenceLocation(store=store, sizes={EPISODES: size})
    return evidence_store.fetch(location, EPISODES, digest, board)


def refusal(store: str, board: BoardFolder, size: int = len(CONTENT)) -> str:
    with pytest.raises(SubmissionError) as caught:
        fetch(store, board, size)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("folder", ["good", "compressed"])
def test_a_file_is_fetched_once_and_then_read_from_the_cache(
    folder: str, server: EvidenceServer, board: BoardFolder, cache: Path
) -> None:
    assert fetch(server.address(folder), board) == CONTENT
    assert fetch(server.address(folder), board) == CONTENT
    assert server.asked == [f"/{folder}/{NAME}"]
    assert [path.name for path in cache.iterdir()] == [DIGEST]


def test_the_cache_is_not_trusted(server: EvidenceServer, board: BoardFolder, cache: Path) -> None:
    fetch(server.address(), board)
    (cache / DIGEST).write_bytes(CONTENT[:-1] + b"x")
    assert fetch(server.address(), board) == CONTENT
    assert len(server.asked) == 2
    assert (cache / DIGEST).read_bytes() == CONTENT


def test_the_cache_holds_what_was_used_last(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_cache, "MAX_BYTES", 1_000)
    contents = [bytes([number]) * 400 for number in range(3)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    for age, (digest, content) in enumerate(zip(digests[:2], contents, strict=False)):
        evidence_cache.write(digest, content)
        os.utime(cache / digest, (time.time() - 100 + age,) * 2)
    assert evidence_cache.read(digests[0], 400) == contents[0]
    evidence_cache.write(digests[2], contents[2])
    assert {path.name for path in cache.iterdir()} == {digests[0], digests[2]}


def test_a_user_without_a_cache_folder_fetches_each_time(
    server: EvidenceServer, board: BoardFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert fetch(server.address(), board) == fetch(server.address(), board) == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("missing", "cannot be read: the server answers with HTTP status 404"),
        ("wrong", "is not what was submitted: its SHA-256 is"),
        ("short", "has 299,999 bytes, and submission.json says 300,000"),
        ("redirect", "redirects to http://localhost:"),
        ("endless", "the reply is longer than 300,000 bytes"),
    ],
)
def test_what_a_server_sends_instead_is_refused_in_one_line(
    folder: str, message: str, server: EvidenceServer, board: BoardFolder, cache: Path
) -> None:
    assert message in refusal(server.address(folder), board)
    assert server.asked == [f"/{folder}/{NAME}"]
    assert not cache.exists()


def test_a_larger_file_than_stated_is_not_read_to_its_end(server: EvidenceServer, board: BoardFolder) -> None:
    assert "the reply is longer than 1,000 bytes" in refusal(server.address(), board, size=1_000)


def test_a_server_that_never_ends_slowly_is_left(
    server: EvidenceServer, board: BoardFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_file, "SECONDS", 1.0)
    started = time.monotonic()
    assert "no answer within 1 s" in refusal(server.address("slow"), board)
    assert time.monotonic() - started < 10


def test_a_host_that_does_not_answer_is_named(board: BoardFolder) -> None:
    allow(board, "http://127.0.0.1:9")
    assert f"http://127.0.0.1:9/{NAME} cannot be read: " in refusal("http://127.0.0.1:9", board)


def test_a_name_that_leads_to_a_private_address_is_not_contacted(server: EvidenceServer, board: BoardFolder) -> None:
    address = server.address().replace("127.0.0.1", "localhost")
    allow(board, address, private=False)
    assert "localhost leads to " in refusal(address, board)
    assert server.asked == []
    allow(board, address, private=True)
    assert fetch(address, board) == CONTENT


def test_other_spellings_of_a_private_address_are_not_contacted(server: EvidenceServer, board: BoardFolder) -> None:
    for host in ("2130706433", "0x7f000001", "127.1", "127.0.0.1"):
        address = server.address().replace("127.0.0.1", host)
        allow(board, address, private=False)
        assert re.search("is not a (public|canonical IPv4) address", refusal(address, board))
    assert server.asked == []


def test_a_host_that_the_board_does_not_list_is_not_contacted(server: EvidenceServer, board: BoardFolder) -> None:
    allow(board, "https://example.org/evidence")
    assert "the board reads no evidence from http://127.0.0.1" in refusal(server.address(), board)
    board.stores.unlink()
    assert "its evidence.yaml lists no store" in refusal(server.address(), board)
    assert server.asked == []


def test_what_is_cached_is_refused_if_the_board_no_longer_allows_its_store(
    server: EvidenceServer, board: BoardFolder
) -> None:
    fetch(server.address(), board)
    allow(board)
    assert "lists no store" in refusal(server.address(), board)


def test_a_wrong_size_is_refused_also_if_the_file_is_cached(server: EvidenceServer, board: BoardFolder) -> None:
    fetch(server.address(), board)
    assert "has 300,000 bytes, and submission.json says 300,001" in refusal(server.address(), board, len(CONTENT) + 1)


def test_the_boards_own_folder_needs_no_leave_and_follows_no_link(board: BoardFolder, tmp_path: Path) -> None:
    board.stores.unlink()
    assert "cannot be read: it is not there" in refusal("board", board)
    evidence_store.store_files("board", [CONTENT], board)
    assert fetch("board", board) == CONTENT
    (tmp_path / "secret").write_bytes(CONTENT)
    (board.evidence / NAME).unlink()
    (board.evidence / NAME).symlink_to(tmp_path / "secret")
    assert "it is a symbolic link" in refusal("board", board)


def test_any_file_system_of_fsspec_takes_and_returns_evidence(
    board: BoardFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ictbench.submissions import evidence_location

    monkeypatch.setattr(evidence_location, "SCHEMES", ("memory",))
    allow(board, "memory://store/")
    evidence_store.store_files("memory://store/mine", [CONTENT], board)
    assert fsspec.filesystem("memory").cat_file(f"/store/mine/{NAME}") == CONTENT
    assert fetch("memory://store/mine", board) == CONTENT
    evidence_cache_of(DIGEST).unlink()
    assert "has more than 7 bytes, and submission.json says 7" in refusal("memory://store/mine", board, size=7)
    assert "cannot be read: FileNotFoundError" in refusal("memory://store/other", board)


def evidence_cache_of(digest: str) -> Path:
    return evidence_cache._folder() / digest


def test_a_store_whose_package_is_missing_names_the_extra(board: BoardFolder) -> None:
    allow(board, "s3://bucket")
    with pytest.raises(MissingExtraError, match=r"pip install 'ictbench\[s3\]'"):
        fetch("s3://bucket/x", board)


@pytest.fixture
def boards(tmp_path: Path, server: EvidenceServer) -> Path:
    allow(BoardFolder(tmp_path / "boards" / SUITE), server.url)
    return tmp_path / "boards"


def test_a_run_is_submitted_with_its_evidence_on_a_web_server(run: Run, boards: Path, server: EvidenceServer) -> None:
    address = server.address()
    made = draft(run, boards, STATEMENT, store=address)
    with pytest.raises(SubmissionError, match=r"HTTP status 404; copy the files of .*evidence to http.* submit again"):
        submit(made, check_submission, git=False)
    assert not made.folder.path.exists()
    copies = run.folder / "evidence"
    server.files |= {path.name: path.read_bytes() for path in copies.iterdir()}
    shutil.rmtree(copies)

    submitted = submit(made, check_submission, git=False)
    assert sorted(path.name for path in made.folder.path.iterdir()) == ["result.json", "submission.json"]
    assert list(validate(boards)) == []
    assert ictbench.verify(made.folder.path, sample=10, workers=1).passed
    plain = submit(draft(run, boards / "plain", STATEMENT), check_submission, git=False)
    assert submitted.submission.digest == plain.submission.digest
    assert read_content(made.folder).file(EPISODES) == plain.folder.episodes.read_bytes()


def test_reading_the_board_fetches_nothing_and_its_site_the_episodes_that_it_shows(
    honest: SubmissionFolder, boards: Path, server: EvidenceServer, tmp_path: Path
) -> None:
    folder = BoardFolder(boards / SUITE).submission(honest.slug)
    shutil.copytree(honest.path, folder.path)
    server.files |= move_out(folder, server.address())
    board = read_board(BoardFolder(boards / SUITE))
    assert ([entry.slug for entry in board.entries], board.bad, server.asked) == ([honest.slug], (), [])
    shown = json.loads(folder.metadata.read_bytes())["files"]["trajectories.jsonl.gz"]
    build_site(boards, tmp_path / "site")
    assert server.asked == [f"/good/{shown}.jsonl.gz"]
    assert "episodes in full" in note_on_page(tmp_path / "site" / SUITE / "entries" / f"{honest.slug}.html")


def test_evidence_that_is_gone_is_one_problem_and_its_entry_is_shown_with_the_reason(
    honest: SubmissionFolder, boards: Path, server: EvidenceServer, tmp_path: Path
) -> None:
    folder = BoardFolder(boards / SUITE).submission(honest.slug)
    shutil.copytree(honest.path, folder.path)
    move_out(folder, server.address())
    (problem,) = validate(boards)
    assert "cannot be read: the server answers with HTTP status 404" in str(problem)
    verification = ictbench.verify(folder.path, sample=10, workers=1)
    assert not verification.passed
    assert any("HTTP status 404" in check.detail for check in verification.checks)
    bad: list[object] = []
    build_site(boards, tmp_path / "site", on_bad=lambda board, entry: bad.append(entry))
    assert bad == []
    note = note_on_page(tmp_path / "site" / SUITE / "entries" / f"{honest.slug}.html")
    assert note.startswith("The evidence could not be fetched when this page was built: http://127.0.0.1")


def test_a_build_asks_for_evidence_that_is_gone_once_a_day(
    honest: SubmissionFolder, boards: Path, server: EvidenceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = BoardFolder(boards / SUITE).submission(honest.slug)
    shutil.copytree(honest.path, folder.path)
    files = move_out(folder, server.address())
    findings, page = FindingCache(tmp_path / "found"), tmp_path / "site" / SUITE / "entries" / f"{honest.slug}.html"
    for _ in range(3):
        build_site(boards, tmp_path / "site", findings=findings)
        assert note_on_page(page).startswith("The evidence could not be fetched")
    assert len(server.asked) == 1
    server.files |= files
    build_site(boards, tmp_path / "site", findings=findings)
    assert len(server.asked) == 1
    monkeypatch.setattr("ictbench.board.unavailable.ASK_AGAIN", 0.0)
    build_site(boards, tmp_path / "site", findings=findings)
    assert note_on_page(page).startswith("This page holds")


def note_on_page(page: Path) -> str:
    """Return what the page of an entry says about its episodes."""
    match = re.search('id="report">([^<]*)</script>', page.read_text("utf-8"))
    assert match is not None
    report = json.loads(zlib.decompress(base64.b64decode(match[1])))
    return str(report["runs"][0]["episodes"]["note"])


def test_an_address_that_the_board_does_not_allow_is_reported_with_all_else_that_is_missing(
    run: Run, boards: Path
) -> None:
    made = draft(run, boards, STATEMENT, "A B", store="https://example.org/x")
    assert [problem.rpartition(": ")[2] for problem in made.missing] == ["--slug", "--evidence"]

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.board.board_log import FIRST, append, head, read_log
from ictbench.errors import SubmissionError

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    append(path, "added", "mine", by="us", reason="new", submission=ONE)
    append(path, "attempted", "theirs", by="us", reason="success flipped in read-3", submission=TWO)
    append(path, "corrected", "mine", by="us", reason="a link", submission=TWO)
    append(path, "removed", "mine", by="us", reason="its author asked")
    return path


def test_the_log_tells_what_happened_in_order(log: Path) -> None:
    lines = read_log(log)
    assert [(line.event, line.slug, line.submission) for line in lines] == [
        ("added", "mine", ONE),
        ("attempted", "theirs", TWO),
        ("corrected", "mine", TWO),
        ("removed", "mine", TWO),
    ]
    assert lines[0].before == FIRST
    assert all(line.date.tzinfo for line in lines)


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log.jsonl") == ()
    assert head(tmp_path / "log.jsonl") == FIRST


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_line_taken_out_is_seen(log: Path, line: int) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    del lines[line]
    log.write_bytes(b"".join(lines))
    with pytest.raises(SubmissionError, match=f"line {line + 1} does not follow the line before it"):
        read_log(log)
    with pytest.raises(SubmissionError, match="does not follow"):
        append(log, "added", "other", by="us", reason="new", submission=ONE)


@given(where=st.integers(0, 10_000), change=st.integers(1, 255))
def test_whatever_is_changed_before_the_last_line_is_seen(
    tmp_path_factory: pytest.TempPathFactory, where: int, change: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    for number in range(3):
        append(path, "attempted", f"entry-{number}", by="us", reason="no reason")
    content = bytearray(path.read_bytes())
    content[where % content.rindex(b"\n", 0, -1)] ^= change
    path.write_bytes(content)
    with pytest.raises(SubmissionError):
        read_log(path)


def test_lines_taken_off_the_end_are_seen_by_whoever_kept_the_head(log: Path) -> None:
    kept = head(log)
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    assert read_log(log)[-1].event == "corrected"
    assert head(log) != kept


def test_a_line_that_was_cut_short_is_seen(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-10])
    with pytest.raises(SubmissionError, match="truncated"):
        read_log(log)


def test_what_cannot_have_happened_is_not_logged(log: Path) -> None:
    before = log.read_bytes()
    append(log, "added", "there", by="us", reason="new", submission=ONE)
    for event, slug, said in (
        ("added", "there", "already on the board"),
        ("corrected", "mine", "not on the board"),
        ("removed", "theirs", "not on the board"),
        ("added", "new", "the digest of new is missing"),
    ):
        with pytest.raises(SubmissionError, match=said):
            append(log, event, slug, by="us", reason="so", submission=ONE if "missing" not in said else None)  # type: ignore[arg-type]
    with pytest.raises(SubmissionError, match=r"by.*invisible character"):
        append(log, "attempted", "theirs", by="u\u202es", reason="so")
    assert log.read_bytes().startswith(before)
    assert len(read_log(log)) == 5

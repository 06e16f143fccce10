from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.board.board_log import FIRST, append, head, read_log
from ictbench.errors import SubmissionError

if TYPE_CHECKING:
    from pathlib import Path

FIRST_DIGEST, SECOND_DIGEST, THIRD_DIGEST = "1" * 64, "2" * 64, "3" * 64


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    append(path, "added", "mine", by="us", reason="new", submission=FIRST_DIGEST)
    append(path, "attempted", "theirs", by="us", reason="success flipped in read-3", submission=SECOND_DIGEST)
    append(path, "corrected", "mine", by="us", reason="a link", submission=SECOND_DIGEST)
    append(path, "removed", "mine", by="us", reason="its author asked")
    return path


def test_log_lists_events_in_order(log: Path) -> None:
    lines = read_log(log)
    assert [(line.event, line.slug, line.submission) for line in lines] == [
        ("added", "mine", FIRST_DIGEST),
        ("attempted", "theirs", SECOND_DIGEST),
        ("corrected", "mine", SECOND_DIGEST),
        ("removed", "mine", SECOND_DIGEST),
    ]
    assert lines[0].before == FIRST
    assert all(line.date.tzinfo for line in lines)


def test_missing_log_reads_as_empty(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log.jsonl") == ()
    assert head(tmp_path / "log.jsonl") == FIRST


@pytest.mark.parametrize("line", [0, 1, 2])
def test_removed_line_is_detected(log: Path, line: int) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    del lines[line]
    log.write_bytes(b"".join(lines))
    with pytest.raises(SubmissionError, match=f"line {line + 1} does not follow the line before it"):
        read_log(log)
    with pytest.raises(SubmissionError, match="does not follow"):
        append(log, "added", "other", by="us", reason="new", submission=FIRST_DIGEST)


@given(position=st.integers(0, 10_000), change=st.integers(1, 255))
def test_changed_byte_before_the_last_line_is_detected(
    tmp_path_factory: pytest.TempPathFactory, position: int, change: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    for number in range(3):
        append(path, "attempted", f"entry-{number}", by="us", reason="no reason")
    content = bytearray(path.read_bytes())
    content[position % content.rindex(b"\n", 0, -1)] ^= change
    path.write_bytes(content)
    with pytest.raises(SubmissionError):
        read_log(path)


def test_removal_at_the_end_changes_the_head(log: Path) -> None:
    previous_head = head(log)
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    assert read_log(log)[-1].event == "corrected"
    assert head(log) != previous_head


def test_truncated_line_is_detected(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-10])
    with pytest.raises(SubmissionError, match="truncated"):
        read_log(log)


def test_impossible_event_is_not_logged(log: Path) -> None:
    before = log.read_bytes()
    append(log, "added", "present", by="us", reason="new", submission=THIRD_DIGEST)
    for event, slug, message in (
        ("added", "present", "already on the board"),
        ("corrected", "mine", "not on the board"),
        ("removed", "theirs", "not on the board"),
        ("added", "new", "the digest of new is missing"),
    ):
        digest = None if "missing" in message else THIRD_DIGEST
        with pytest.raises(SubmissionError, match=message):
            append(log, event, slug, by="us", reason="so", submission=digest)  # type: ignore[arg-type]
    with pytest.raises(SubmissionError, match=r"by.*invisible character"):
        append(log, "attempted", "theirs", by="u\u202es", reason="so")
    assert log.read_bytes().startswith(before)
    assert len(read_log(log)) == 5

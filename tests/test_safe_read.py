from __future__ import annotations

import contextlib
import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.errors import SubmissionError
from ictbench.safe_read import SizeLimits, list_folder, parse_json, read_bytes, read_lines

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = SizeLimits(unpacked=3_000_000, ratio=100, lines=1_000, line=10_000, values=100)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def refusal_message(content: bytes, values: int = 1_000) -> str:
    with pytest.raises(SubmissionError) as caught:
        parse_json(content, "file", values)
    return str(caught.value)


def lines(packed: bytes, **limits: int) -> list[bytes]:
    return [line for _, line in read_lines(packed, "file", LIMITS._replace(**limits))]


@given(value=json_values, ascii_only=st.booleans())
def test_valid_json_is_parsed_like_the_standard_library_does(value: Any, ascii_only: bool) -> None:
    content = json.dumps(value, ensure_ascii=ascii_only)
    try:
        content.encode()
    except UnicodeEncodeError:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        assert "half a character" in refusal_message(content.encode())
        return
    assert parse_json(content.encode(), "file", 1_000) == json.loads(content)


@given(content=st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_submission_error(content: bytes) -> None:
    with contextlib.suppress(SubmissionError):
        parse_json(content, "file", 100)


@pytest.mark.parametrize("deep", [b"[" * 10**6, b'{"a":' * 10**6, b'[{"a":' * 10**6, b"[" * 25 + b"]" * 25], ids=len)
def test_deep_json_is_refused_before_parsing(deep: bytes) -> None:
    assert "nested deeper than 24 levels" in refusal_message(deep)


def test_brackets_in_strings_do_not_count_as_nesting() -> None:
    text = "[" * 100 + '\\"' + "{" * 100
    assert parse_json(json.dumps([text]).encode(), "file", 10) == [text]


@pytest.mark.parametrize(
    "content",
    [
        b'"\\"' * 2_000_000 + b"\\",
        b'"' + b'\\"' * 3_000_000,
        b"[]" * 3_000_000,
        b"9" * 9_000_000,
        b"{" + b",".join(b'"%d":1' % number for number in range(200_000)) + b',"199999":1}',
        b"," * 9_000_000,
        b'"' + b"\\ud800" * 1_000_000 + b'"',
    ],
    ids=["quotes", "open string", "pairs", "digits", "last key twice", "commas", "half characters"],
)
def test_refusal_takes_linear_time(content: bytes) -> None:
    started = time.process_time()
    refusal_message(content, 10**6)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("1000000000000001", "the number 1000000000000001 is too large (beyond 10^15)"),
        ("-9" + "0" * 5000, "is too large"),
        ("1.0000001e15", "the number 1.0000001e15 is too large"),
        ("-1.7e308", "is too large"),
        ("1e309", "the number 1e309 is too large"),
        ("0." + "0" * 100, "or too long"),
        ("NaN", "NaN is not a number"),
        ("-Infinity", "-Infinity is not a number"),
        ("0x10", "is not JSON"),
        ("01", "is not JSON"),
    ],
)
def test_invalid_number_is_refused(number: str, message: str) -> None:
    assert message in refusal_message(f'{{"a": [{number}]}}'.encode())


@pytest.mark.parametrize("number", [10**15, -(10**15), 0.1, 1e15, -1.2345678901234567e-300])
def test_valid_number_is_parsed(number: float) -> None:
    assert parse_json(json.dumps([number]).encode(), "file", 1) == [number]


def test_lines_are_read_with_their_position() -> None:
    packed = gzip.compress(b'{"a": 1}\n{"a": 2}\n')
    assert list(read_lines(packed, "file", LIMITS)) == [("file, line 1", b'{"a": 1}'), ("file, line 2", b'{"a": 2}')]
    assert lines(gzip.compress(b"")) == []


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (gzip.compress(b"[1]\n" * 1001), "file has more than 1,000 lines"),
        (gzip.compress(b"[" + b" " * 10_000 + b"]\n"), "a line after line 0 is longer than 10,000 bytes"),
        (gzip.compress((b"[" + b" " * 9_000 + b"]\n") * 900), "unpacks to more than 100 times its size"),
        (gzip.compress(b"[" + b"1," * 200 + b"1]\n"), "file, line 1 holds more than 100 values"),
        (gzip.compress(b"[1]\n[1"), "does not end with a line feed: it is truncated after line 1"),
        (gzip.compress(b"[1]\n")[:-4], "is truncated; copy it again"),
        (gzip.compress(b"[1]\n") + b"more", "continues after the end of the gzip data"),
        (gzip.compress(b"[1]\n") * 2, "continues after the end of the gzip data"),
        (gzip.compress(b"[1]\n")[:-8] + bytes(8), "is damaged"),
        (b"[1]\n", "is not a gzip file"),
        (b"", "is truncated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_invalid_compressed_file_is_refused(packed: bytes, message: str) -> None:
    with pytest.raises(SubmissionError, match="file") as caught:
        lines(packed)
    assert message in str(caught.value)


def test_unpacked_size_is_limited_at_any_ratio() -> None:
    packed = gzip.compress((b"[" + b" " * 9_000 + b"]\n") * 400)
    assert len(lines(packed, ratio=2_000, unpacked=4_000_000)) == 400
    with pytest.raises(SubmissionError, match="unpacks to more than 3,000,000 bytes"):
        lines(packed, ratio=2_000)


def test_file_up_to_the_maximum_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(SubmissionError, match="is larger than the maximum of 4 bytes"):
        read_bytes(path, 4)
    with pytest.raises(SubmissionError, match="it is not there"):
        read_bytes(tmp_path / "other", 4)


def test_folder_is_listed_up_to_the_maximum_number_of_files(tmp_path: Path) -> None:
    for name in "cab":
        (tmp_path / name).touch()
    assert list_folder(tmp_path, 3) == ["a", "b", "c"]
    with pytest.raises(SubmissionError, match="holds more than 2 files"):
        list_folder(tmp_path, 2)
    with pytest.raises(SubmissionError, match="is not a folder but a file"):
        list_folder(tmp_path / "a", 2)

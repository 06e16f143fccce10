from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from ictbench.errors import SubmissionError
from ictbench.submissions.evidence_location import BoardStores, address_problem, private_problem, read_stores
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from pathlib import Path

STORES = BoardStores(stores=("https://example.org/evidence/", "hf://datasets/", "s3://bucket/ict"))


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/evidence",
        "https://example.org/evidence/2026/mine/",
        "hf://datasets/Me/evidence",
        "hf://datasets/me/evidence@v1.0/folder",
        "s3://bucket/ict",
        "s3://bucket/ict/a_b~c",
    ],
)
def test_a_board_reads_from_the_folders_it_lists_and_those_below(address: str) -> None:
    assert STORES.problem(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/evidence2",
        "https://example.org",
        "https://example.org.evil.org/evidence/",
        "https://evil.org/evidence/",
        "https://example.org:444/evidence/",
        "http://example.org/evidence/",
        "hf://spaces/me/evidence",
        "s3://bucket/ictus",
        "s3://bucket2/ict",
    ],
)
def test_a_board_reads_from_no_other_address(address: str) -> None:
    assert "the board reads no evidence from" in str(STORES.problem(address))


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("simplecache::https://example.org/evidence", "chains protocols (::)"),
        ("zip://a.zip::https://example.org/evidence", "chains protocols (::)"),
        ("file:///etc/passwd", "does not begin with https://"),
        ("/etc/passwd", "does not begin with https://"),
        ("memory://x", "does not begin with https://"),
        ("HTTPS://example.org/evidence", "does not begin with https://"),
        ("https://example.org@evil.org/evidence", "is not SCHEME://HOST/FOLDER"),
        ("https://user:secret@example.org/evidence", "is not SCHEME://HOST/FOLDER"),
        ("https://example.org/evidence/../private", "is not SCHEME://HOST/FOLDER"),
        ("https://example.org/evidence/%2e%2e/private", "is not SCHEME://HOST/FOLDER"),
        ("https://example.org//evil.org/", "is not SCHEME://HOST/FOLDER"),
        ("https://example.org/evidence?next=evil.org", "is not SCHEME://HOST/FOLDER"),
        ("https://example.org/evidence#x", "is not SCHEME://HOST/FOLDER"),
        ("https://example.org\\@evil.org/evidence", "is not SCHEME://HOST/FOLDER"),
        ("https://ex\u0430mple.org/evidence", "is not SCHEME://HOST/FOLDER"),
        ("https://example.org/evidence\n", "is not SCHEME://HOST/FOLDER"),
        ("https:///evidence", "is not SCHEME://HOST/FOLDER"),
    ],
)
def test_what_is_no_plain_address_is_refused_with_the_reason(address: str, problem: str) -> None:
    assert problem in str(address_problem(address))


@given(st.text(st.sampled_from("aA1.-/:@?#%\\~_\n ôa[]"), max_size=30))
def test_an_accepted_address_leads_to_the_host_and_folder_that_it_shows(rest: str) -> None:
    address = f"https://example.org/evidence/{rest}"
    if STORES.problem(address) is None:
        url = URL(address)
        assert (url.host, url.port, url.user, url.query_string, url.fragment) == ("example.org", 443, None, "", "")
        assert url.path == f"/evidence/{rest}"
        assert ".." not in url.parts


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"),
        *("::1", "::ffff:127.0.0.1", "fe80::1", "fd00::1", "2002:7f00:1::"),
    ],
)
def test_private_addresses_are_recognised(host: str) -> None:
    assert "is not a public address" in str(private_problem(host))


@pytest.mark.parametrize("host", ["93.184.215.14", "2606:2800:21f::1", "example.org"])
def test_public_addresses_and_names_are_not_private(host: str) -> None:
    assert private_problem(host) is None


def test_a_board_that_lists_a_private_address_must_also_allow_private_ones() -> None:
    stores = ("http://10.0.0.1:8000/",)
    assert "does not allow private_addresses" in str(BoardStores(stores=stores).problem("http://10.0.0.1:8000/x"))
    assert BoardStores(stores=stores, private_addresses=True).problem("http://10.0.0.1:8000/x") is None


def test_a_board_without_a_file_reads_from_nowhere(tmp_path: Path) -> None:
    stores = read_stores(BoardFolder(tmp_path))
    problem = stores.problem("https://example.org/evidence")
    assert problem == (
        "the board reads no evidence from https://example.org/evidence (its evidence.yaml lists no store)"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stores: [ftp://example.org/]", "evidence.yaml does not fit its schema: stores.0: 'ftp://example.org/' does"),
        ("store: [https://example.org/]", "evidence.yaml does not fit its schema: store is not a known field"),
        ("stores: [", "evidence.yaml cannot be read: line 1, column "),
        ("- https://example.org/", "evidence.yaml does not fit its schema: the file: "),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(text: str, message: str, tmp_path: Path) -> None:
    board = BoardFolder(tmp_path)
    board.stores.write_text(text, encoding="utf-8")
    with pytest.raises(SubmissionError) as caught:
        read_stores(board)
    assert message in str(caught.value)

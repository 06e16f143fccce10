from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boards import make_result, submit

from ictbench.board.entries import read_board
from ictbench.submissions.evidence_location import EvidenceLocation
from ictbench.submissions.layout import BoardFolder
from ictbench.web.board import build_site
from ictbench.web.board.about import About
from ictbench.web.board.evidence_files import publish_evidence

if TYPE_CHECKING:
    from pathlib import Path


def test_only_stores_that_the_board_allows_are_linked(tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / "rooms-v1")
    submit(folder, "one", make_result({"read": [("0000", "1111")] * 3}, "r"))
    board = read_board(folder)
    (entry,) = board.entries
    location = EvidenceLocation(
        store="https://example.org/mine", sizes={"episodes.jsonl.gz": 1, "trajectories.jsonl.gz": 1}
    )
    entry = replace(entry, submission=entry.submission.model_copy(update={"evidence": location}))

    def linked() -> list[str]:
        files = publish_evidence(
            About(evidence="https://boards.example"), board, entry, tmp_path / "site", tmp_path / "before"
        )
        return [file["href"] for file in files if file["href"].startswith("https://example.org/")]

    assert linked() == []
    folder.stores.write_text("stores: [https://example.org/]", encoding="utf-8")
    digests = [entry.submission.files[name] for name in ("episodes.jsonl.gz", "trajectories.jsonl.gz")]
    assert linked() == [f"https://example.org/mine/{digest}.jsonl.gz" for digest in digests]


def test_evidence_that_the_site_holds_already_is_not_copied_again(tmp_path: Path) -> None:
    boards, site = tmp_path / "boards", tmp_path / "site"
    folder = BoardFolder(boards / "rooms-v1")
    for slug, solved in (("same", "1111"), ("changed", "1110")):
        submit(folder, slug, make_result({"read": [("0000", solved)] * 3}, slug))

    def copies() -> dict[str, tuple[int, bytes]]:
        paths = [path for path in (site / "rooms-v1/evidence").rglob("*") if path.is_file()]
        return {path.relative_to(site).as_posix(): (path.stat().st_ino, path.read_bytes()) for path in paths}

    build_site(boards, site, tables=False)
    first = copies()
    assert len(first) == 10, "four files and a verification record of each entry"
    result = "rooms-v1/evidence/submissions/{}/result.json"
    for path in (site / result.format("same"), site / result.format("changed")):
        assert not path.samefile(folder.path / path.relative_to(site / "rooms-v1/evidence")), (
            "the board's files stay apart"
        )
    (site / result.format("same")).write_bytes(b"damaged")
    submit(folder, "changed", make_result({"read": [("0000", "1101")] * 3}, "changed"))
    build_site(boards, site, tables=False)
    second = copies()
    assert second.keys() == first.keys()
    copied = {name for name in second if second[name][0] != first[name][0]}
    assert {result.format("same"), result.format("changed")} <= copied
    assert not [name for name in copied if "/same/" in name and name != result.format("same")]
    assert all(
        content == (folder.path / name.removeprefix("rooms-v1/evidence/")).read_bytes()
        for name, (_, content) in second.items()
    )


def test_a_link_in_the_earlier_site_is_not_followed(tmp_path: Path) -> None:
    boards, site = tmp_path / "boards", tmp_path / "site"
    folder = BoardFolder(boards / "rooms-v1")
    submit(folder, "one", make_result({"read": [("0000", "1111")] * 3}, "r"))
    build_site(boards, site, tables=False)
    copy, elsewhere = site / "rooms-v1/evidence/submissions/one/result.json", tmp_path / "elsewhere"
    copy.rename(elsewhere)
    copy.symlink_to(elsewhere)
    build_site(boards, site, tables=False)
    assert not copy.is_symlink()
    assert not copy.samefile(elsewhere)
    assert copy.read_bytes() == folder.submission("one").result.read_bytes()

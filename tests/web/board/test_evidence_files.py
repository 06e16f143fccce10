from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boards import make_result, submit

from ictbench.board.entries import read_board
from ictbench.submissions.evidence_location import EvidenceLocation
from ictbench.submissions.layout import BoardFolder
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
        files = publish_evidence(About(evidence="https://boards.example"), board, entry, tmp_path / "site")
        return [file["href"] for file in files if file["href"].startswith("https://example.org/")]

    assert linked() == []
    folder.stores.write_text("stores: [https://example.org/]", encoding="utf-8")
    digests = [entry.submission.files[name] for name in ("episodes.jsonl.gz", "trajectories.jsonl.gz")]
    assert linked() == [f"https://example.org/mine/{digest}.jsonl.gz" for digest in digests]

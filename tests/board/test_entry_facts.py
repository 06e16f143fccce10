from __future__ import annotations

from typing import TYPE_CHECKING

from boards import make_result, submit

from ictbench.board import read_facts
from ictbench.board.entries import read_board
from ictbench.board.entry_facts import EntryFacts
from ictbench.board.finding_cache import FindingCache
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_is_remembered_of_a_result_is_found_again_and_equal(tmp_path: Path) -> None:
    facts = EntryFacts.of(make_result({"read": [("0011", "1111")] * 3, "zap": [("0000", "0101")] * 3}, "r"))
    cache = FindingCache(tmp_path)
    cache.put(facts, "key")
    assert cache.get(EntryFacts, "key") == facts


def test_a_board_that_has_not_changed_is_read_without_its_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = BoardFolder(tmp_path / "boards" / "rooms-v1")
    for number in range(2):
        submit(folder, f"entry-{number}", make_result({"read": [("0000", f"111{number}")] * 3}, f"r{number}"))
    first = read_board(folder, FindingCache(tmp_path / "cache"))
    assert [entry.slug for entry in first.entries] == ["entry-0", "entry-1"]
    read: list[str] = []
    monkeypatch.setattr(read_facts, "_read", lambda findings, one: read.append(one.slug))
    again = read_board(folder, FindingCache(tmp_path / "cache"))
    assert read == []
    assert [entry.facts for entry in again.entries] == [entry.facts for entry in first.entries]

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest
from boards import make_result, submit, with_metadata

from ictbench.board import board_log as log
from ictbench.board.board_tables import write_tables
from ictbench.board.entries import read_board
from ictbench.board.ranking import rank
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from pathlib import Path

READ = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1101")]}
OTHER = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1011")]}


@pytest.fixture
def folder(tmp_path: Path) -> BoardFolder:
    folder = BoardFolder(tmp_path / "rooms-v1")
    submit(folder, "good", make_result(READ, "rules"))
    submit(folder, "bad", make_result({"read": [("0000", "0000")] * 3}, "none"))
    submit(folder, "small", make_result(OTHER, "tiny", profile="quick", ranked=False), unranked=True)
    log.append(folder.log, "attempted", "other", by="us", reason="-1+1: forged")
    return folder


def table_texts(folder: BoardFolder) -> dict[str, str]:
    board = with_metadata(read_board(folder), "good", name='=HYPERLINK("https://example.org")')
    board = with_metadata(board, "bad", name="@everyone | <b>`x`</b> ![](https://e)", submitted_by="\t-2+3|cmd")
    write_tables(board, rank(board.entries), folder.tables)
    return {path.name: path.read_text("utf-8") for path in sorted(folder.tables.iterdir())}


def test_tables_match_the_board(folder: BoardFolder) -> None:
    files = table_texts(folder)
    assert list(files) == ["board.md", "families.csv", "log.csv", "ranking.csv", "unranked.csv"]
    good, bad = csv.DictReader(files["ranking.csv"].splitlines())
    assert (good["slug"], good["rank_low"], good["rank_high"], good["best"]) == ("good", "1", "2", "0.833333")
    assert (bad["slug"], bad["gain"], bad["badges"], bad["over_blind"]) == ("bad", "0", "replayed", "")
    (small,) = csv.DictReader(files["unranked.csv"].splitlines())
    assert (small["section"], small["why"]) == ("shown", "the quick profile is never ranked")
    assert [row["slug"] for row in csv.DictReader(files["families.csv"].splitlines())] == ["bad", "good", "small"]
    assert "| 1–2 | `=HYPERLINK" in files["board.md"]
    assert "A range of ranks is a tie" in files["board.md"]
    assert "`the quick profile is never ranked`" in files["board.md"]


def test_same_board_gives_the_same_files(folder: BoardFolder) -> None:
    assert table_texts(folder) == table_texts(folder)


def test_cells_are_neither_formulas_nor_markup(folder: BoardFolder) -> None:
    files = table_texts(folder)
    for name, text in files.items():
        cells = [cell for row in csv.reader(text.splitlines()) for cell in row] if name.endswith(".csv") else []
        assert not [cell for cell in cells if re.match(r"\s*[=@+\t\r]|\s*-\D", cell)]
    assert "'-1+1: forged" in files["log.csv"]
    text_outside_code = re.sub(r"`[^`\n]*`", "", files["board.md"])
    assert not set("<@!") & set(text_outside_code)
    assert "https" not in text_outside_code


def test_empty_board_has_tables(tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / "rooms-v1")
    folder.submissions.mkdir(parents=True)
    assert "No entry yet." in table_texts(folder)["board.md"]

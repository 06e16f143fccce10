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
from ictbench.results.schema import Interval, OnlineMeasures, ProgressMeasures, StreamMeasures
from ictbench.submissions.layout import BoardFolder
from ictbench.web.board.entry_summary import entry_summary

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


def table_texts_of(folder: BoardFolder) -> dict[str, str]:
    board = read_board(folder)
    write_tables(board, rank(board.entries), folder.tables)
    return {path.name: path.read_text("utf-8") for path in sorted(folder.tables.iterdir())}


def test_tables_match_the_board(folder: BoardFolder) -> None:
    files = table_texts(folder)
    assert list(files) == ["board.md", "families.csv", "log.csv", "ranking.csv", "transfers.csv", "unranked.csv"]
    good, bad = csv.DictReader(files["ranking.csv"].splitlines())
    assert (good["slug"], good["rank_low"], good["rank_high"], good["best"]) == ("good", "1", "2", "0.833333")
    assert (bad["slug"], bad["gain"], bad["badges"], bad["over_blind"]) == ("bad", "0", "replayed", "")
    (small,) = csv.DictReader(files["unranked.csv"].splitlines())
    assert (small["section"], small["why"]) == ("shown", "the quick profile is never ranked")
    assert [row["slug"] for row in csv.DictReader(files["families.csv"].splitlines())] == ["bad", "good", "small"]
    assert "| 1–2 | `=HYPERLINK" in files["board.md"]
    assert "A range of ranks is a tie" in files["board.md"]
    assert "`the quick profile is never ranked`" in files["board.md"]


def test_failures_stand_beside_the_gain(tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / "rooms-v1")
    result = make_result(READ, "rules")
    behaviour = result.families[0].behaviour
    assert behaviour is not None
    failing = behaviour.model_copy(update={"failed_base": 8, "failed_best": 1, "gain_unfailed": 0.25})
    family = result.families[0].model_copy(update={"behaviour": failing})
    submit(folder, "failing", result.model_copy(update={"families": (family,)}))
    board = read_board(folder)
    write_tables(board, rank(board.entries), folder.tables)
    sentence = (
        "Failed test episodes, held-out: 8 of 12 under prompt[0], 1 under the best prompts; gain +0.83 with failures "
        "as losses, +0.25 without the pairs of episodes of which one failed."
    )
    assert sentence in (folder.tables / "board.md").read_text("utf-8")
    (row,) = csv.DictReader((folder.tables / "families.csv").read_text("utf-8").splitlines())
    assert (row["failed_base"], row["failed_best"], row["gain_unfailed"]) == ("8", "1", "0.25")
    assert sentence in entry_summary(board.entries[0], None)["remarks"]


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


def test_boards_of_streams_have_forgetting_forward_transfer_and_regret(tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / "rooms-v1")
    result = make_result(READ, "rules")
    measures = result.by_role["held-out"]
    of_streams = measures.model_copy(
        update={
            "mixed": StreamMeasures(
                forgetting=Interval(value=0.25, low=0.125, high=0.5), forward_transfer=None, families={}, curves=()
            ),
            "online": OnlineMeasures(
                base=(), best=(), gain=Interval(value=0.5), regret=Interval(value=0.0625, low=-0.25, high=0.25)
            ),
        }
    )
    submit(folder, "stream", result.model_copy(update={"by_role": {"held-out": of_streams}}))
    files = table_texts_of(folder)
    (row,) = csv.DictReader(files["ranking.csv"].splitlines())
    assert (row["forgetting"], row["forgetting_low"], row["online_regret"]) == ("0.25", "0.125", "0.0625")
    assert row["forward_transfer"] == ""
    assert "| +0.06 [-0.25, +0.25] | +0.25 [+0.12, +0.50] |  |" in files["board.md"]
    (entry,) = read_board(folder).entries
    assert entry_summary(entry, None)["measures"]["forgetting"] == {"value": 0.25, "low": 0.125, "high": 0.5}


def test_other_boards_have_no_columns_of_streams(folder: BoardFolder) -> None:
    files = table_texts(folder)
    assert "forgetting" not in files["ranking.csv"] + files["board.md"]
    assert all("forgetting" not in entry_summary(entry, None)["measures"] for entry in read_board(folder).entries)


def test_progress_stands_beside_success_where_it_is_known(tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / "rooms-v1")
    result = make_result(READ, "rules")
    base, best = Interval(value=0.25, low=0.125, high=0.5), Interval(value=0.875, low=0.75, high=0.9375)
    gain = Interval(value=0.625, low=0.25, high=0.75)
    progress = ProgressMeasures(base=base, best=best, last=best, gain=gain)
    measures = result.by_role["held-out"].model_copy(update={"progress": progress})
    submit(folder, "measured", result.model_copy(update={"by_role": {"held-out": measures}}))
    submit(folder, "unmeasured", make_result(OTHER, "tiny"))
    files = table_texts_of(folder)
    rows = {row["slug"]: row for row in csv.DictReader(files["ranking.csv"].splitlines())}
    names = ("progress_base", "progress_best", "progress_best_low", "progress_gain_high")
    assert [rows["measured"][name] for name in names] == ["0.25", "0.875", "0.75", "0.75"]
    assert [rows["unmeasured"][name] for name in names] == [""] * 4
    assert "| entry | progress of best [95 %] | gain in progress [95 %] |" in files["board.md"]
    (line,) = (line for line in files["board.md"].splitlines() if "0.88 [0.75, 0.94]" in line)
    assert line == "| `measured` | 0.88 [0.75, 0.94] | +0.62 [+0.25, +0.75] |"
    shown = {entry.slug: entry_summary(entry, None)["measures"] for entry in read_board(folder).entries}
    assert shown["measured"]["progress"] == best.model_dump()
    assert "progress" not in shown["unmeasured"]


def test_other_boards_have_no_columns_of_progress(folder: BoardFolder) -> None:
    files = table_texts(folder)
    assert "progress" not in "".join(files.values())

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from boards import make_result, submit

from ictbench.board.entries import read_board
from ictbench.board.suite_gains import NO_ROWS, suite_gains, write_suite_gains
from ictbench.results.schema import Player, SuiteId
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.board.entries import Board
    from ictbench.results import Result
    from ictbench.submissions.layout import Badge

    Loops = list[tuple[str, str]]

HALF: Loops = [("0000", "1100"), ("0000", "0110"), ("0000", "0011")]
ALL: Loops = [("0000", "1111")] * 3
NONE: Loops = [("0000", "0000")] * 3
CAVES = {"suite": SuiteId(name="caves-v1", digest="c" * 64), "versions": {"gymnasium": "1"}, "max_steps": 50}


def put(folder: Path, slug: str, result: Result, badges: tuple[Badge, ...] = ("replayed",)) -> None:
    submit(BoardFolder(folder / result.suite.name), slug, result, badges=badges)


def in_rooms(loops: Loops, label: str, **changes: Any) -> Result:
    return make_result({"read": loops}, label, **changes)


def in_caves(loops: Loops, label: str, **changes: Any) -> Result:
    return make_result({"dark": loops}, label, **CAVES, **changes)


def read(folder: Path) -> list[Board]:
    return [read_board(BoardFolder(path)) for path in sorted(folder.iterdir()) if path.is_dir()]


def shown(folder: Path) -> dict[str, list[str]]:
    """Return the rows of the matrix by reflector, without the intervals."""
    suites, rows = suite_gains(read(folder))
    assert suites in ([], ["caves-v1", "rooms-v1"])
    return {row.labels[0]: [cell.partition(" [")[0] for cell in row.cells(suites)[4:]] for row in rows}


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    folder = tmp_path / "boards"
    put(folder, "rules", in_rooms(HALF, "rules"))
    put(folder, "rules", in_caves(ALL, "rules"))
    put(folder, "copy", in_caves(NONE, "own"))
    return folder


def test_a_learner_on_two_boards_is_a_row(boards: Path) -> None:
    assert shown(boards) == {"rules": ["+1.00", "+0.50"]}


def test_entries_that_are_not_ranked_have_no_cell(boards: Path) -> None:
    put(boards, "own", in_rooms(HALF[::-1], "own"), badges=())
    assert shown(boards) == {"rules": ["+1.00", "+0.50"]}
    put(boards, "own", in_rooms(HALF[::-1], "own"))
    assert shown(boards) == {"made_up:own": ["0.00", "+0.50"], "rules": ["+1.00", "+0.50"]}


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": Player(label="random", name="random")},
        {"profile": "standard"},
        {"reflector": Player(label="made_up:own", name="made_up:own", options={"experience": "tally"})},
        {"reflector_trained_on": ("rooms-v1/eat",)},
    ],
)
def test_other_learners_actors_and_profiles_are_rows_of_their_own(tmp_path: Path, changes: Any) -> None:
    put(tmp_path, "copy", in_rooms(HALF, "own"))
    put(tmp_path, "copy", in_caves(NONE, "own"))
    assert list(shown(tmp_path)) == ["made_up:own"]
    other = tmp_path / "other"
    put(other, "copy", in_rooms(HALF, "own"))
    put(other, "copy", in_caves(NONE, "own", **changes))
    assert sum(len(board.of("ranked")) for board in read(other)) == 2
    assert shown(other) == {}


def test_controls_are_shown_once_they_are_replayed(boards: Path) -> None:
    blind = Player(label="blind:rules", name="blind", options={"reflector": {"label": "rules", "name": "rules"}})
    put(boards, "blind", in_caves(HALF, "blind", reflector=blind, ranked=False))
    put(boards, "blind", in_rooms(NONE, "blind", reflector=blind, ranked=False), badges=())
    assert shown(boards) == {"rules": ["+1.00", "+0.50"]}
    put(boards, "blind", in_rooms(NONE, "blind", reflector=blind, ranked=False))
    assert list(shown(boards).items()) == [
        ("rules", ["+1.00", "+0.50"]),
        ("blind:rules (control)", ["+0.50", "0.00"]),
    ]


def test_a_learner_with_two_entries_of_a_suite_shows_both(boards: Path) -> None:
    put(boards, "again", in_rooms([*HALF[1:], HALF[0]], "rules"))
    suites, (row,) = suite_gains(read(boards))
    assert [entry.slug for entry in row.entries["rooms-v1"]] == ["again", "rules"]
    assert row.cells(suites)[-1].count("+0.50 [") == 2


def test_the_tables_have_one_row_per_entry_and_one_row_per_learner(boards: Path, tmp_path: Path) -> None:
    table, page = write_suite_gains(read(boards), tmp_path)
    caves, rooms = csv.DictReader(table.read_text("utf-8").splitlines())
    assert (caves["suite"], caves["slug"], caves["gain"], caves["best"]) == ("caves-v1", "rules", "1", "1")
    assert (rooms["suite"], rooms["gain"]) == ("rooms-v1", "0.5")
    assert float(rooms["gain_low"]) < 0.5 < float(rooms["gain_high"])
    assert "| reflector | trained on | actor | profile | caves-v1 | rooms-v1 |" in page.read_text("utf-8")
    assert "| `rules` | `nothing` | `rules` | `lite` | +1.00 [" in page.read_text("utf-8")


def test_boards_without_a_common_learner_have_no_matrix(tmp_path: Path) -> None:
    put(tmp_path / "boards", "copy", in_caves(NONE, "own"))
    _, page = write_suite_gains(read(tmp_path / "boards"), tmp_path)
    assert NO_ROWS in page.read_text("utf-8")

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ictbench.cli.console import Console
from ictbench.cli.terminal_table import Grid, add_row, grid, without_shared

HEAD = ("family", "role", "base", "best", "last", "gain [95 %]", "invalid", "failed")
NUMBERS = ("0.07", "0.70", "0.67", "+0.63 [-0.51, +1.00]", "10.0%")

NUMBER = r"[+-]?\d+(?:\.\d+)?"

names = st.text("abz-_/ 日", min_size=1, max_size=40).map(lambda text: text.strip() or "a")


def results(*families: str) -> Grid:
    table = grid(HEAD, left=("family", "role", "failed"))
    for family in families:
        add_row(table, (family, "held-out", *NUMBERS, "truncated 7, bad_request 12"))
    table.add_section()
    add_row(table, ("mean", "held-out", *NUMBERS[:-1], "", ""))
    return table


def printed(table: Grid, width: int) -> str:
    raw = io.StringIO()
    Console(file=raw, width=width).print(table)
    return raw.getvalue()


def words(text: str) -> str:
    return re.sub(r"[\s─]", "", text)


@given(st.integers(1, 300), st.lists(names, min_size=1, max_size=3))
def test_no_width_cuts_a_character(width: int, families: list[str]) -> None:
    out = printed(results(*families), width)
    for cell in ("0.07", "0.70", "0.67", "10.0%", "+0.63", "[-0.51,", "+1.00]"):
        # Whole numbers, each as often as the table has it.
        count = len(re.findall(rf"(?<![\w.+-]){re.escape(cell)}(?![\w.])", out))
        assert count == len(families) + (cell != "10.0%"), cell
    if width >= 40:
        assert out.count("+0.63 [-0.51, +1.00]") == len(families) + 1
        longest = max(cell_len(word) for family in families for word in family.split())
        assert all(cell_len(line) <= max(width, longest) for line in out.splitlines())
    for family in families:
        assert all(letter in out for letter in words(family))


def test_a_name_with_several_spaces_is_shown_as_it_is() -> None:
    table = grid(("run", "gain"), left=("run",))
    add_row(table, ("my  run", "+0.63"))
    for width in (80, 8):
        assert "my  run" in printed(table, width)


def test_a_heading_announces_intervals_only_where_there_are_some() -> None:
    table = grid(("family", "gain [95 %]"), left=("family",))
    add_row(table, ("zap", "+0.63"))
    assert [printed(table, width).split()[:2] for width in (80, 10)] == [["family", "gain"], ["zap", "gain"]]
    add_row(table, ("read", "+0.63 [-0.51, +1.00]"))
    assert "gain [95 %]" in printed(table, 80)


def test_a_narrow_table_is_shown_without_columns_whose_rows_are_the_same() -> None:
    table = grid(("run", "suite", "actor"), left=("run", "suite", "actor"))
    add_row(table, ("a", "minihack-v1", "rules"))
    add_row(table, ("b", "minihack-v1", "random"))
    assert table.fits(30)
    assert not table.fits(20)
    narrower, shared = without_shared(table, ("suite", "actor"))
    assert (narrower.head, shared) == (("run", "actor"), "suite minihack-v1")
    assert [row[0] for row in narrower.rows if row] == [("a", "rules"), ("b", "random")]


def test_every_width_shows_the_same_numbers_and_no_others() -> None:
    table = results("room-random-with-a-long-name", "zap")
    expected = sorted(
        2 * [*re.findall(NUMBER, " ".join(NUMBERS)), "7", "12"] + re.findall(NUMBER, " ".join(NUMBERS[:-1]))
    )
    for width in range(1, 301):
        # Paragraphs repeat the heading "gain [95 %]".
        assert sorted(number for number in re.findall(NUMBER, printed(table, width)) if number != "95") == expected


def test_texts_break_between_words_before_a_row_becomes_a_paragraph() -> None:
    table = results("room-random-with-a-long-name")
    assert "room-random-with-a-long-name  held-out" in printed(table, 120)
    narrow = printed(table, 80).splitlines()
    assert narrow[0].split() == ["family", "role", "base", "best", "last", "gain", "[95", "%]", "invalid", "failed"]
    assert narrow[2].startswith("room-       held-out")
    assert printed(table, 40).splitlines() == [
        "room-random-with-a-long-name",
        "  role held-out  base 0.07  best 0.70",
        "  last 0.67",
        "  gain [95 %] +0.63 [-0.51, +1.00]",
        "  invalid 10.0%",
        "  failed truncated 7, bad_request 12",
        "",
        "mean",
        "  role held-out  base 0.07  best 0.70",
        "  last 0.67",
        "  gain [95 %] +0.63 [-0.51, +1.00]",
    ]


@pytest.mark.parametrize(("columns", "width"), [("0", 80), ("", 80), ("-5", 80), ("x", 80), ("61", 61), ("1", 1)])
def test_the_width_is_what_the_environment_states_or_80(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert Console(file=io.StringIO()).width == width
    monkeypatch.setenv("TERM", "dumb")
    assert Console(file=io.StringIO(), force_terminal=True).width == width

"""The report of a run on streams, and their board, in a real browser: forgetting as a table, success as charts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from boards import submit

import ictbench
from ictbench.board.entries import read_board
from ictbench.results.formatting import signed
from ictbench.submissions.layout import BoardFolder

from .board import Site, make_site

if TYPE_CHECKING:
    from .reader import Reader

Report = Callable[..., Path]
"""A function that writes a report of runs."""

STREAMS = ("blocked", "interleaved")
NAMES = ("room-dark", "read", "puton", "zap")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    return ictbench.run(
        suite="minihack-stream-v1",
        families=list(STREAMS),
        turns=4,
        batch_size=2,
        loops=3,
        selection_size=1,
        test_size=2,
        out=tmp_path_factory.mktemp("stream") / "run",
    )


def test_each_family_of_a_stream_is_a_row_with_its_forgetting(
    run: ictbench.Run, reader: Reader, report_of: Report
) -> None:
    page = reader.open(report_of(run))
    rows = page.get_by_role("table", name="Success on the test tasks of each family").get_by_role("row").all()[1:]
    texts = [[cell.inner_text() for cell in row.locator("th, td").all()] for row in rows]
    streams = texts[: len(texts) - 1]
    assert [tuple(row[:2]) for row in streams] == [(name, part) for name in STREAMS for part in (*NAMES, "mean")]
    for family in run.result.families:
        assert family.measures is not None
        mixed = family.measures.mixed
        assert mixed is not None
        assert mixed.forgetting is not None
        cells = {row[1]: row for row in streams if row[0] == family.name}
        assert cells["mean"][5].replace("\u2212", "-") == signed(mixed.forgetting)
        for name, one in mixed.families.items():
            assert cells[name][2].startswith(f"{one.base.value:.2f}")
            assert (cells[name][5] == "\u2013") == (one.forgetting is None)


def test_sizes_are_said_to_be_those_of_each_family(run: ictbench.Run, reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(run))
    assert "1 selection and 2 test tasks per loop and family of a stream" in page.locator("body").inner_text()


def test_each_stream_has_a_chart_with_one_line_for_each_place_of_a_family(
    run: ictbench.Run, reader: Reader, report_of: Report
) -> None:
    page = reader.open(report_of(run))
    for name in STREAMS:
        chart = page.get_by_role("img", name=f"Success by family, {name}")
        assert chart.locator(".mark").count() == 4 * 5
        assert "third: from" in chart.inner_html()


def test_a_board_of_streams_has_columns_for_forgetting_and_forward_transfer(
    run: ictbench.Run, reader: Reader, site: Site, tmp_path: Path
) -> None:
    folder = BoardFolder(tmp_path / "minihack-stream-v1")
    submit(folder, "one", run.result.model_copy(update={"profile": "lite", "ranked": True, "deviations": ()}))
    streams = make_site(read_board(folder), tmp_path / "site")
    heads = reader.open(streams.page("minihack-stream-v1/index.html")).get_by_role("table", name="Ranking")
    assert {"forgetting", "forward transfer"} <= set(heads.locator("thead th").all_inner_texts())
    mixed = run.result.by_role["held-out"].mixed
    assert mixed is not None
    assert mixed.forgetting is not None
    assert f"{mixed.forgetting.value:+.2f}".replace("-", "\u2212").replace("+0.00", "0.00") in heads.inner_text()
    others = reader.open(site.page("minihack-v1/index.html")).get_by_role("table", name="Ranking")
    assert "forgetting" not in others.locator("thead th").all_inner_texts()

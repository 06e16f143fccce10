"""Progress in a real browser: a table of the report, a fact of an episode, a column of the board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from boards import submit
from progress_run import progress_run
from repeated_run import repeated_run

from ictbench.board.entries import read_board
from ictbench.results.formatting import rate, signed
from ictbench.submissions.layout import BoardFolder

from .board import make_site

if TYPE_CHECKING:
    from .reader import Reader

Report = Callable[..., Path]
"""A function that writes a report of runs."""


def test_a_report_shows_progress_beside_success(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(progress_run()))
    table = page.get_by_role("table", name="Share of a test task that is done")
    rows = [[cell.inner_text() for cell in row.locator("th, td").all()] for row in table.get_by_role("row").all()]
    assert rows[0] == ["family", "base", "best", "last", "gain"]
    (family,) = progress_run().result.families
    assert family.measures is not None
    progress = family.measures.progress
    assert progress is not None
    values = [*map(rate, (progress.base, progress.best, progress.last)), signed(progress.gain)]
    assert [text.replace("\u2212", "-") for text in rows[1]] == ["two-doors", *values]
    measures = page.get_by_role("table", name="Success rates on test tasks; AUC")
    assert "progress" not in measures.inner_text()
    assert "NaN" not in page.locator("body").inner_text()


def test_an_episode_states_its_progress(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(progress_run()))
    page.get_by_role("list", name="Episodes").get_by_role("button").first.click()
    page.locator("#episodes").get_by_text("progress 0").first.wait_for()


def test_a_report_without_progress_has_no_table_of_it(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(repeated_run()))
    assert "rogress" not in page.locator("#gains").inner_text()


def test_a_board_has_a_column_for_progress_where_it_is_known(reader: Reader, tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / "babyai-v1")
    submit(
        folder, "one", progress_run().result.model_copy(update={"profile": "lite", "ranked": True, "deviations": ()})
    )
    site = make_site(read_board(folder), tmp_path / "site")
    ranking = reader.open(site.page("babyai-v1/index.html")).get_by_role("table", name="Ranking")
    heads = ranking.locator("thead th").all_inner_texts()
    progress = progress_run().result.by_role["held-out"].progress
    assert progress is not None
    cell = ranking.locator("tbody tr").first.locator("th, td").nth(heads.index("progress"))
    assert cell.inner_text().startswith(f"{progress.best.value:.2f}")
    entry = reader.open(site.page("babyai-v1/entries/one.html"))
    assert f"{progress.best.value:.2f}" in entry.get_by_text("it ranks nothing").inner_text()

"""Prompts played by another actor, in the report and on the pages of a board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from boards import submit

import ictbench
from ictbench.board.entries import read_board
from ictbench.results.formatting import signed
from ictbench.results.prompt_transfer import PromptTransfer, prompt_transfer
from ictbench.runs.transferred_prompts import transfer_options
from ictbench.submissions.layout import BoardFolder

from .board import Site, make_site
from .layout import layout_problems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from .reader import Reader

WIDTHS = (1400, 1024, 400)


@pytest.fixture(scope="module")
def played(rules: ictbench.Run, tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    options: dict[str, Any] = transfer_options(str(rules.folder))
    return ictbench.run(actor="random", out=tmp_path_factory.mktemp("played") / "random", **options)


@pytest.fixture(scope="module")
def table(rules: ictbench.Run, played: ictbench.Run) -> PromptTransfer:
    return prompt_transfer(rules.result, played.result)


@pytest.fixture(scope="module")
def site(rules: ictbench.Run, played: ictbench.Run, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("transfers")
    board = BoardFolder(folder / "minihack-v1")
    submit(board, "learns", rules.result, unranked=True, name="Learns")
    submit(board, "plays", played.result, unranked=True, name="Plays")
    return make_site(read_board(board), folder / "site")


def shown(table: Locator) -> list[str]:
    return [row.replace("\u2212", "-") for row in table.locator("tbody tr").all_inner_texts()]


def check_families(page: Page, table: PromptTransfer) -> None:
    rows = shown(page.locator("#transfers").get_by_role("table"))
    assert len(rows) == len(table.rows)
    for text, row in zip(rows, table.rows, strict=True):
        assert (row.family or f"mean of {row.role} families") in text
        for interval in (row.gain, row.transferred_gain, row.difference):
            assert signed(interval) in text


def check_layout(page: Page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert layout_problems(page) == []


def test_a_report_of_both_runs_shows_the_gains_of_both_actors(
    reader: Reader,
    report_of: Callable[..., Path],
    rules: ictbench.Run,
    played: ictbench.Run,
    table: PromptTransfer,
) -> None:
    page = reader.open(report_of(rules, played, episodes="none"))
    assert page.get_by_role("heading", name="Prompts that rules learned with rules, played by random").count() == 1
    check_families(page, table)
    check_layout(page)
    alone = reader.open(report_of(rules, episodes="none"))
    assert alone.locator("#transfers").count() == 0


def test_a_board_leads_from_the_means_to_the_families(reader: Reader, site: Site, table: PromptTransfer) -> None:
    page = reader.open(site.page("minihack-v1/index.html"), root=site.folder)
    rows = shown(page.locator("#transfers").get_by_role("table"))
    means = [row for row in table.rows if row.family is None]
    assert len(rows) == len(means)
    for text, row in zip(rows, means, strict=True):
        assert signed(row.difference) in " ".join(text.split())
    check_layout(page)
    page.locator("#transfers").get_by_role("link", name="Plays").first.click()
    page.wait_for_url("**/plays.html#transfers")
    check_families(page, table)
    check_layout(page)
    page.locator("#transfers").get_by_role("link", name="Learns").click()
    page.wait_for_url("**/learns.html#transfers")
    check_families(page, table)

"""Divisions in a real browser: rankings of their own, and all divisions against their cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from boards import submit

from ictbench.board.entries import read_board
from ictbench.results.schema import Player
from ictbench.submissions.layout import BoardFolder

from .board import Site, make_site, reworded, spent, with_best
from .layout import layout_problems

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from ictbench import Run

    from .reader import Reader

MEMORY, OPTIMISER = "lite, rules, memory learners", "lite, rules, optimisers"


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory, submitted: Run) -> Site:
    """The site of a board with two reflectors, two memory learners and an optimiser."""
    folder = tmp_path_factory.mktemp("divided")
    board = BoardFolder(folder / "minihack-v1")
    base = submitted.result.model_copy(update={"profile": "lite", "ranked": True, "deviations": ()})
    entries: list[tuple[str, str, int, str]] = [
        ("Reflects", "1110", 20_000, "reflector"),
        ("Idle", "1000", 90_000, "reflector"),
        ("Remembers", "1111", 400_000, "memory"),
        ("Forgets", "0000", 500_000, "memory"),
        ("Searches", "1100", 300_000, "optimiser"),
    ]
    for name, solved, tokens, division in entries:
        changes = {"division": division, "reflector": Player(label=f"mine:{name}", name=f"mine:{name}")}
        result = spent(reworded(with_best(base, solved), name), tokens, tokens * 1e-6)
        submit(board, name.lower(), result.model_copy(update=changes), name=name)
    waiting = reworded(with_best(base, "0110"), "later").model_copy(update={"division": "memory"})
    player = Player(label="mine:Later", name="mine:Later")
    submit(board, "later", waiting.model_copy(update={"reflector": player}), name="Later", badges=())
    return make_site(read_board(board), folder / "site")


def open_board(reader: Reader, site: Site, track: str = "", **settings: Any) -> Page:
    query = f"?track={site.track(track)}" if track else ""
    return reader.open(site.page("minihack-v1/index.html"), query=query, **settings)


def names(page: Page) -> list[str]:
    return page.get_by_role("table", name="Ranking").locator("tbody th .entry").all_inner_texts()


def marks(page: Page, unit: str) -> Locator:
    return page.get_by_role("img", name=f"Gain against cost in {unit}").locator(".mark")


def test_each_division_has_a_ranking_of_its_own(reader: Reader, divided: Site) -> None:
    page = open_board(reader, divided)
    assert names(page) == ["Reflects", "Idle"]
    assert page.get_by_text("Division of reflectors. They rewrite the prompt once a turn.").is_visible()
    group = page.get_by_role("group", name="Memory learners, programs as actors (scripted)")
    group.get_by_role("radio", name=f"{MEMORY} 2").check()
    assert names(page) == ["Remembers", "Forgets"]
    assert page.locator(".ranking .rank").all_inner_texts() == ["1", "2"]
    assert page.get_by_text("Division of memory learners. They also keep a memory").is_visible()
    page.reload()
    assert names(page) == ["Remembers", "Forgets"]
    page.get_by_role("radio", name=f"{OPTIMISER} 1").check()
    assert names(page) == ["Searches"]


def test_all_divisions_stand_in_one_view_of_gain_and_cost(reader: Reader, divided: Site) -> None:
    page = open_board(reader, divided, MEMORY)
    costs = {float(mark.get_attribute("data-cost") or -1) for mark in marks(page, "tokens").all()}
    assert costs == {20_000, 90_000, 300_000, 400_000, 500_000}
    assert page.get_by_text(
        "Circles are reflectors, squares are memory learners, diamonds are optimisers."
    ).is_visible()
    page.get_by_text("Numbers: cost in tokens and gain").click()
    table = page.get_by_role("table", name="cost in tokens and gain")
    rows = [row.get_by_role("cell").all_inner_texts() for row in table.get_by_role("row").all()[1:]]
    rows_by_name = {
        row.get_by_role("rowheader").inner_text(): cells
        for row, cells in zip(table.get_by_role("row").all()[1:], rows, strict=True)
    }
    assert {name: (cells[0], cells[-2], cells[-1]) for name, cells in rows_by_name.items()} == {
        "Reflects": ("reflectors", "4", "yes"),
        "Idle": ("reflectors", "4", "no"),
        "Remembers": ("memory learners", "4", "yes"),
        "Forgets": ("memory learners", "4", "no"),
        "Searches": ("optimisers", "4", "no"),
    }
    page.locator("#cost select").select_option("episodes")
    assert {mark.get_attribute("data-cost") for mark in marks(page, "episodes").all()} == {"4"}
    page.locator("#cost select").select_option("dollars")
    page.get_by_label("Search").fill("searches")
    assert marks(page, "dollars").count() == 1


def test_pages_of_entries_and_unranked_rows_name_the_division(reader: Reader, divided: Site) -> None:
    page = open_board(reader, divided)
    row = page.get_by_role("table", name="Not replayed yet").get_by_role("row").nth(1)
    assert "memory learners" in row.inner_text()
    page = reader.open(divided.page("minihack-v1/entries/searches.html"))
    facts = page.locator("#overview dl.facts").inner_text().split("\n")
    assert facts[facts.index("Division") + 1] == "optimisers"
    assert page.get_by_text(f"Rank 1 of 1 in {OPTIMISER}.").is_visible()
    assert any("4 episodes of experience per loop" in line for line in facts)


def test_the_index_leads_to_each_division(reader: Reader, divided: Site) -> None:
    page = reader.open(divided.page("index.html"), root=divided.folder)
    page.get_by_role("link", name=MEMORY, exact=True).click()
    page.locator(".ranking tbody tr").first.wait_for()
    assert names(page) == ["Remembers", "Forgets"]


@pytest.mark.parametrize("width", [1400, 1024, 400])
def test_nothing_is_cut_or_inaccessible_with_divisions(reader: Reader, divided: Site, width: int) -> None:
    page = open_board(reader, divided, MEMORY, viewport={"width": width, "height": 900}, bypass_csp=True)
    assert layout_problems(page) == []
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()

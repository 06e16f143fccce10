"""The site at three widths: nothing is cut, lies outside of the page, or covers other texts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from .board import Site, make_site
from .layout import layout_problems

if TYPE_CHECKING:
    from .reader import Reader

PAGES = ["index.html", "minihack-v1/index.html", "minihack-v1/entries/learns.html"]
LONG = "An entry whose name has words enough to be as long as a name may be, Donaudampfschifffahrtsgesellschaft"


@pytest.fixture(scope="module")
def long_site(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site with long names."""
    entries = [
        replace(entry, submission=entry.submission.model_copy(update={"name": LONG, "submitted_by": LONG}))
        for entry in site.board.entries
    ]
    return make_site(replace(site.board, entries=tuple(entries)), tmp_path_factory.mktemp("long") / "site")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 1024, 400])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_cut_or_covered(reader: Reader, site: Site, path: str, width: int, scheme: Any) -> None:
    page = reader.open(site.page(path), viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert layout_problems(page) == []


@pytest.mark.parametrize("width", [1400, 1024, 400, 320])
@pytest.mark.parametrize("path", PAGES)
def test_long_names_are_not_cut(reader: Reader, long_site: Site, path: str, width: int) -> None:
    page = reader.open(long_site.page(path), viewport={"width": width, "height": 900})
    assert layout_problems(page) == []


def test_ranking_is_a_table_on_a_desk_and_cards_on_a_phone(reader: Reader, site: Site) -> None:
    page = reader.open(site.page("minihack-v1/index.html"), viewport={"width": 1400, "height": 900})
    box = page.get_by_role("region", name="Ranking, all columns")
    for width, stacked in ((1400, False), (1024, False), (400, True), (1400, False)):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)
        assert box.evaluate("box => box.classList.contains('stacked')") == stacked
        row = page.get_by_role("table", name="Ranking").get_by_role("row").nth(1)
        assert row.get_by_role("cell").count() >= 10
        assert row.get_by_role("rowheader").count() == 1


def test_layout_problems_are_found(reader: Reader, site: Site) -> None:
    page = reader.open(site.page("index.html"), viewport={"width": 400, "height": 900})
    assert layout_problems(page) == []
    page.evaluate("document.querySelector('h2').style.width = '500px'")
    assert any(problem.startswith("outside: H2") for problem in layout_problems(page))

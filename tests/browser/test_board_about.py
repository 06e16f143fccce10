"""What pages of the site say about themselves: submission, citation, licence, evidence; terms, search, links."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from ictbench.web.board.about import About
from ictbench.web.board.build_site import write_site

from .board import Site
from .test_board_page import board, query_of, rows

if TYPE_CHECKING:
    from pathlib import Path

    from .reader import Reader

PAGES = ["index.html", "minihack-v1/index.html", "minihack-v1/entries/learns.html"]
REPOSITORY = "https://example.org/boards"


@pytest.fixture(scope="module")
def stated(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site with statements of its maintainers."""
    folder = tmp_path_factory.mktemp("stated") / "site"
    about = About(repository=REPOSITORY, evidence=f"{REPOSITORY}/files/", licence="CC-BY-4.0", authors="A & B")
    write_site([site.board], folder, about=about)
    return Site(folder, site.board)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_how_to_submit_and_cite(reader: Reader, stated: Site, path: str) -> None:
    page = reader.open(stated.page(path), permissions=["clipboard-read", "clipboard-write"])
    about = page.locator("#about")
    for heading in ("Method", "How to submit", "How to cite"):
        assert about.get_by_role("article", name=heading).is_visible()
    text = about.inner_text()
    assert stated.board.log[-1].date.date().isoformat() in text
    assert "CC-BY-4.0" in text
    assert about.get_by_role("link", name=REPOSITORY).get_attribute("rel") == "nofollow noopener noreferrer"
    citation = about.get_by_label("BibTeX", exact=True).inner_text()
    assert "author = {{A \\& B}}" in citation
    assert "2605.20477" in citation
    assert ("title = {{Learns: entry of" in citation) == ("entries" in path)
    about.get_by_role("button", name="Copy: BibTeX").click()
    expect(about.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() == citation.strip()


def test_entry_links_to_its_evidence(reader: Reader, site: Site, stated: Site) -> None:
    here = reader.open(site.page(PAGES[2]), root=site.folder)
    names = here.get_by_role("table", name="Files of the entry").get_by_role("link").all_inner_texts()
    assert "submissions/learns/result.json" in names
    assert "verifications/learns/replayed.json" in names
    link = here.get_by_role("link", name="submissions/learns/episodes.jsonl.gz")
    copy = (site.page(PAGES[2]).parent / str(link.get_attribute("href"))).resolve()
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    assert digest == site.entry("learns").submission.files["episodes.jsonl.gz"]
    assert digest in here.get_by_role("table", name="Files of the entry").inner_text()
    there = reader.open(stated.page(PAGES[2]))
    link = there.get_by_role("link", name="submissions/learns/result.json")
    assert link.get_attribute("href") == f"{REPOSITORY}/files/minihack-v1/submissions/learns/result.json"
    assert not (stated.folder / "minihack-v1/evidence").exists()


def test_search_finds_names_players_and_submitters_in_all_tracks(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    search = page.get_by_role("searchbox", name="Search")
    search.fill("HALF")
    assert rows(page) == ["Learns half"]
    assert page.get_by_text("1 of 3 entries are shown; ranks are among all of them.").is_visible()
    assert page.get_by_text("No unranked entry matches the search.").is_visible()
    search.fill("blind openai")
    assert rows(page) == []
    assert rows(page, "Controls") == ["Blind"]
    search.fill("openai/actor")
    assert page.get_by_role("radio", name="lite, openai/actor 1 of 1").count() == 1
    assert page.get_by_role("radio", name="lite, rules 0 of 3").count() == 1
    page.reload()
    assert search.input_value() == query_of(page)["search"] == "openai/actor"


def test_language_models_and_programs_are_apart(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    tags = page.locator(".ranking tbody .kind-tag").all_inner_texts()
    assert tags == ["language model", "own class", "program"]
    page.get_by_label("Prompts written by").select_option("program")
    assert rows(page) == ["Learns nothing"]
    assert query_of(page)["kind"] == "program"


def test_every_column_is_explained_to_mouse_keyboard_and_screen_reader(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"), viewport={"width": 1400, "height": 900})
    heads = page.get_by_role("table", name="Ranking").get_by_role("columnheader").get_by_role("button")
    assert heads.count() == page.locator(".ranking thead th").count()
    for head in heads.all():
        described = head.evaluate("e => document.getElementById(e.getAttribute('aria-describedby')).textContent")
        assert len(described) > 15
    blind = heads.filter(has_text="over blind")
    blind.hover()
    bubble = page.locator(".tooltip")
    expect(bubble).to_contain_text("the same reflector, which is shown no trajectory")
    page.mouse.move(0, 0)
    expect(bubble).to_have_count(0)
    blind.focus()
    expect(bubble).to_be_visible()
    box = bubble.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1400
    page.keyboard.press("Escape")
    expect(bubble).to_have_count(0)
    page.locator("#ranking").get_by_text("What the columns mean").click()
    listed = page.locator("#ranking .terms dt").all_inner_texts()
    assert listed == [head.inner_text() for head in heads.all()]


def test_over_blind_names_the_arm(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    blind = site.entry("blind").submission
    assert page.locator(".ranking .arm").all_inner_texts() == [f"over {blind.name}, by {blind.submitted_by}"]


def test_every_point_of_the_cost_chart_is_named(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    texts = page.get_by_role("img", name="Gain against cost in tokens").locator("text").all_text_contents()
    assert {"Learns", "Learns half", "Learns nothing"} <= set(texts)


def test_addresses_in_a_description_are_links(reader: Reader, site: Site, tmp_path: Path) -> None:
    text = "See https://example.org/a?b=1, (http://example.org/c) and javascript:alert(1) or https://u:p@example.org/."
    entries = [
        replace(entry, submission=entry.submission.model_copy(update={"description": text}))
        for entry in site.board.entries
    ]
    write_site([replace(site.board, entries=tuple(entries))], tmp_path / "site")
    page = reader.open(tmp_path / "site" / PAGES[2])
    description = page.locator(".description")
    assert description.inner_text() == text
    links = description.get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == ["https://example.org/a?b=1", "http://example.org/c"]
    assert {link.get_attribute("rel") for link in links.all()} == {"nofollow noopener noreferrer"}

"""The site in a real browser: ranking, filters, order, costs, families, curves, log, safety, accessibility."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ictbench.board.ranking import rank

from .hostile import SCRIPT
from .test_report_safety import UNSAFE

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from .board import Site
    from .reader import Reader


def board(reader: Reader, site: Site, query: str = "", **settings: Any) -> Page:
    return reader.open(site.page("minihack-v1/index.html"), query=query, **settings)


def rows(page: Page, table: str = "Ranking") -> list[str]:
    """Return the names of the entries in the order shown."""
    entries = page.get_by_role("table", name=table).locator("tbody th .entry, tbody th.entry")
    return entries.all_inner_texts()


def query_of(page: Page) -> dict[str, str]:
    query: dict[str, str] = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    return query


def column(page: Page, head: str) -> Locator:
    return page.get_by_role("table", name="Ranking").get_by_role("button", name=head, exact=True)


def test_ranking_shows_entries_in_order_with_their_numbers(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    assert rows(page) == ["Learns", "Learns half", "Learns nothing"]
    first = page.get_by_role("row").filter(
        has=page.get_by_role("rowheader", name="Learns language model openai/learns")
    )
    measures = site.entry("learns").measures
    assert measures is not None
    text = first.inner_text()
    assert text.split()[0] == "1"
    assert f"{measures.best.value:.2f}" in text
    assert f"+{measures.gain.value:.2f}" in text
    ranks = page.locator(".ranking .rank").all_inner_texts()
    assert ranks == ["1", "2", "3"]
    assert page.get_by_text("a scripted program, not a language model").is_visible()


def test_order_is_changed_by_keyboard_and_kept_in_the_address(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    head = column(page, "tokens")
    head.focus()
    page.keyboard.press("Enter")
    assert rows(page) == ["Learns nothing", "Learns half", "Learns"]
    assert head.locator("..").get_attribute("aria-sort") == "ascending"
    assert query_of(page)["sort"] == "tokens"
    page.keyboard.press("Enter")
    assert rows(page) == ["Learns", "Learns half", "Learns nothing"]
    assert head.locator("..").get_attribute("aria-sort") == "descending"
    assert page.locator(":focus").inner_text() == "tokens"
    assert page.locator("[aria-sort]").count() == 1
    page.reload()
    assert rows(page) == ["Learns", "Learns half", "Learns nothing"]
    column(page, "gain").click()
    assert rows(page) == ["Learns", "Learns half", "Learns nothing"]
    column(page, "over blind").click()
    assert rows(page)[0] == "Learns"


@pytest.mark.parametrize(
    ("label", "choice", "names", "kept"),
    [
        ("Weights of the reflector", "open", ["Learns"], {"weights": "open"}),
        ("Weights of the reflector", "closed", ["Learns half"], {"weights": "closed"}),
        ("Reflector trained on", "minihack-v1/room-random", ["Learns half"], {"trained": "minihack-v1/room-random"}),
        ("Badge", "rerun", ["Learns"], {"badge": "rerun"}),
        ("Badge", "replayed in full", ["Learns", "Learns nothing"], {"badge": "replayed in full"}),
    ],
)
def test_filters_are_kept_in_the_address_and_do_not_change_ranks(
    reader: Reader, site: Site, label: str, choice: str, names: list[str], kept: dict[str, str]
) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    page.locator("#ranking").get_by_label(label).select_option(choice)
    assert rows(page) == names
    assert query_of(page).items() >= kept.items()
    assert page.get_by_text("ranks are among all of them").is_visible()
    assert rows(page, f"{'best'} by family") == names
    ranks = page.locator(".ranking .rank").all_inner_texts()
    page.reload()
    assert (rows(page), page.locator(".ranking .rank").all_inner_texts()) == (names, ranks)
    assert page.locator("#ranking").get_by_label(label).input_value() == choice


def test_filters_without_a_match_say_so(reader: Reader, site: Site) -> None:
    page = board(reader, site, f"?track={site.track('lite, rules')}&weights=open&trained=minihack-v1%2Froom-random")
    assert page.get_by_text("No entry passes these filters.").is_visible()
    assert page.get_by_text("0 of 3 entries are shown").is_visible()


def test_invalid_address_shows_the_whole_board(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=%3Cb%3E&weights=x&sort=constructor&cost=y&measure=__proto__&trained=z&order=%00")
    assert len(rows(page)) == len(rank(site.board.entries)[0].ranked)
    assert page.get_by_role("table", name="best by family").get_by_role("row").count() == 2


def test_every_part_shows_the_selected_track(reader: Reader, site: Site) -> None:
    page = board(reader, site)
    label = "lite, openai/actor"
    models = page.get_by_role("group", name="Language models as actors")
    assert models.get_by_role("radio").evaluate_all("all => all.map(each => each.checked)") == [True]
    programs = page.get_by_role("group", name="Programs as actors (scripted)")
    programs.get_by_role("radio", name="lite, rules 3").check()
    assert rows(page) == ["Learns", "Learns half", "Learns nothing"]
    page.get_by_role("radio", name=label).check()
    assert rows(page) == ["Of a model"]
    assert query_of(page) in ({}, {"track": site.track(label)})
    assert rows(page, "best by family") == ["Of a model"]


def test_gain_against_cost_shows_the_pareto_front(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    chart = page.get_by_role("img", name="Gain against cost in tokens")
    marks = {float(m.get_attribute("data-cost") or -1): m for m in chart.locator(".mark").all()}
    assert sorted(marks) == [0, 20_000, 400_000]
    for slug in ("learns", "half", "nothing"):
        entry = site.entry(slug)
        tokens = entry.cost.input_tokens + entry.cost.output_tokens
        assert entry.measures is not None
        assert float(marks[tokens].get_attribute("data-gain") or -9) == pytest.approx(
            entry.measures.gain.value, abs=1e-4
        )
    assert all("front" in (mark.get_attribute("class") or "") for mark in marks.values())
    assert chart.locator("polyline.front").count() == 1
    page.locator("#cost select").select_option("dollars")
    assert page.get_by_text("Not shown, prices unknown: 1 of 3.").is_visible()
    assert query_of(page)["cost"] == "dollars"
    page.get_by_text("Numbers: cost in dollars and gain").click()
    assert page.get_by_role("table", name="cost in dollars and gain").get_by_role("row").count() == 3


def test_family_table_shows_the_selected_measure(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    page.locator("#families").get_by_label("Measure").select_option("gain")
    table = page.get_by_role("table", name="gain by family")
    cells = table.get_by_role("row").nth(1).get_by_role("cell").all_inner_texts()
    families = {family.name: family.measures for family in site.entry("learns").result.families}
    heads = [head.split("\n")[0] for head in table.get_by_role("columnheader").all_inner_texts()[1:]]
    assert heads == ["read", "room-random"]
    shown = dict(zip(heads, cells, strict=True))
    for name, measures in families.items():
        assert measures is not None
        assert shown[name] == f"+{measures.gain.value:.2f}"
    assert "†" in table.get_by_role("row").nth(2).inner_text()
    assert page.get_by_text("† the reflector or the actor was trained on this family.").is_visible()


def test_selected_entries_share_a_chart(reader: Reader, site: Site) -> None:
    page = board(reader, site, "?track=" + site.track("lite, rules"))
    chart = page.get_by_role("img", name="Learning curves, read")
    chart.wait_for()
    assert chart.locator("polyline").count() == 3
    box = page.get_by_role("checkbox", name="Learns nothing")
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelectorAll('#curves .panel:first-child polyline').length === 2")
    assert query_of(page)["curves"] == "learns,half"
    assert page.locator(":focus").get_attribute("value") == "nothing"
    points = chart.locator(".mark.series-0")
    curve = next(f for f in site.entry("learns").result.families if f.name == "read").measures
    assert curve is not None
    shown = [float(mark.get_attribute("data-value") or -1) for mark in points.all()]
    assert shown == pytest.approx([point.value for point in curve.curve], abs=1e-4)
    page.reload()
    chart.wait_for()
    assert chart.locator("polyline").count() == 2


def test_unranked_entries_are_grouped_with_their_reasons(reader: Reader, site: Site) -> None:
    page = board(reader, site)
    for heading, name, reason in (
        ("Trained on held-out families", "Has seen it", "its reflector was trained on held-out read"),
        ("Not replayed yet", "Claims", "its numbers are those of the submitter"),
        ("Controls", "Blind", "it is shown no trajectory"),
        ("Shown unranked", "Quick", "the quick profile is never ranked"),
    ):
        row = page.get_by_role("table", name=heading).get_by_role("row").nth(1)
        assert name in row.inner_text()
        assert reason in row.inner_text()
    assert "Changed since it was replayed" in page.get_by_role("table", name="Not replayed yet").inner_text()


def test_log_is_shown_newest_first(reader: Reader, site: Site) -> None:
    page = board(reader, site)
    table = page.get_by_role("table", name="Log, newest first")
    events = table.locator(".event").all_inner_texts()
    assert events == ["attempted", "added"]
    assert table.get_by_role("link").all_inner_texts() == ["learns"]
    assert page.get_by_text("Not yet in the log: the present version of").is_visible()


def test_links_lead_from_the_index_to_an_entry_and_back(reader: Reader, site: Site) -> None:
    page = reader.open(site.page("index.html"), root=site.folder)
    page.get_by_role("link", name="minihack-v1", exact=True).click()
    page.get_by_role("table", name="Ranking").get_by_role("link", name="Of a model").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Of a model"
    page.get_by_role("link", name="All entries").click()
    page.get_by_role("link", name="All suites").click()
    page.get_by_role("link", name="lite, rules", exact=True).click()
    assert rows(page) == ["Learns", "Learns half", "Learns nothing"]


@pytest.mark.parametrize("path", ["index.html", "minihack-v1/index.html", "minihack-v1/entries/learns.html"])
def test_pages_fit_a_phone(reader: Reader, site: Site, path: str) -> None:
    page = reader.open(site.page(path), viewport={"width": 360, "height": 740})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_role("button", name="Sections").click()
    about = page.get_by_role("navigation", name="Sections").get_by_role("link", name="About")
    about.click()
    expect(about).to_be_hidden()
    expect(page.get_by_role("heading", name="About", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("button", name="Sections")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("path", ["index.html", "minihack-v1/index.html", "minihack-v1/entries/learns.html"])
def test_axe_finds_nothing_wrong(reader: Reader, site: Site, path: str, scheme: Any, width: int) -> None:
    viewport = {"width": width, "height": 900}
    page = reader.open(site.page(path), color_scheme=scheme, viewport=viewport, bypass_csp=True)
    page.wait_for_function("!document.querySelector('main').innerText.includes('Loading')")
    for folded in page.locator("summary").all():
        folded.click()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_until_the_reader_selects_one(reader: Reader, site: Site, scheme: Any) -> None:
    page = board(reader, site, color_scheme=scheme)
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)"
    )
    assert (page.evaluate(brightness) < 300) == (scheme == "dark")
    page.get_by_role("button", name="Light theme" if scheme == "dark" else "Dark theme").click()
    assert (page.evaluate(brightness) < 300) == (scheme != "dark")


def test_every_section_is_reached_by_keyboard_and_focus_is_visible(reader: Reader, site: Site) -> None:
    page = board(reader, site)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if not focused.count():
            break
        assert focused.evaluate("e => getComputedStyle(e).outline").endswith("solid 2px")
        reached.add(focused.evaluate("e => e.closest('section')?.id ?? 'top'"))
    assert reached >= {"top", "ranking", "cost", "families", "curves", "unranked", "log", "about"}


@pytest.mark.parametrize("path", ["index.html", "minihack-v1/index.html", "minihack-v1/entries/learns.html"])
def test_hostile_text_stays_text(reader: Reader, hostile_site: Site, path: str) -> None:
    page = reader.open(hostile_site.page(path))
    page.wait_for_function("!document.querySelector('main').innerText.includes('Loading')")
    main = page.locator("main")
    assert SCRIPT in main.inner_text()
    assert page.evaluate("window.injected") is None
    assert page.locator("main img, main b, main script, main [onmouseover], main [onerror]").count() == 0
    addresses = page.locator("main a").evaluate_all("links => links.map(link => link.protocol)")
    assert set(addresses) <= {"file:", "https:"}
    visible = page.locator("body").inner_text()
    assert not UNSAFE & set(visible)
    assert "[U+202E]" in visible
    for chart in page.locator("svg.chart > title, svg.chart > desc").all():
        assert not {"\u202e", "\u200b"} & set(chart.text_content() or "")


def test_injected_markup_can_neither_run_nor_send_anything(reader: Reader, site: Site, tmp_path: Path) -> None:
    text = site.page("minihack-v1/index.html").read_text(encoding="utf-8")
    attack = "<script>window.injected = 1</script><svg onload='window.injected = 2'></svg>"
    (tmp_path / "attacked.html").write_text(text.replace("</main>", f"</main>{attack}"), encoding="utf-8")
    page = reader.open(tmp_path / "attacked.html")
    blocked = page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'blocked')")
    assert (page.evaluate("window.injected"), blocked) == (None, "blocked")
    assert page.get_by_role("heading", name="Ranking").is_visible()
    assert [problem for problem in reader.problems if "Content Security Policy" not in problem] == []
    reader.problems.clear()

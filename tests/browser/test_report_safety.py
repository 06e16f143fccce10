"""Safety and accessibility of the report: hostile text, policy, axe, headings, focus."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from .hostile import HOSTILE, LABEL, SCRIPT

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from ictbench import Run

    from .reader import Reader

Report = Callable[..., Path]
"""A function that writes a report of runs."""

UNSAFE = {"\u202e", "\u202c", "\u2028", "\u2029", "\u200b", "\x1b", "\x00", "\x7f"}


def replay(page: Page, run: Run) -> str:
    """Replay an episode with an invalid action and return all text that the player showed."""
    page.locator("#episodes").get_by_label("Show").select_option("with invalid actions")
    page.get_by_role("list", name="Episodes").get_by_role("button").first.click()
    player = page.locator(".player")
    player.wait_for()
    text = player.text_content() or ""
    for _ in range(run.result.max_steps):
        page.keyboard.press("ArrowRight")
        text += player.text_content() or ""
    return text


def test_hostile_text_stays_text(reader: Reader, report_of: Report, hostile: Run) -> None:
    page = reader.open(report_of(hostile))
    replay_text = replay(page, hostile)
    all_text = (page.locator("body").text_content() or "") + replay_text
    # Hostile text occurs as a thought, a proposed action, an observation, a prompt, an analysis and a name.
    assert f'"{SCRIPT}" is not one of the available actions.' in replay_text
    assert SCRIPT in page.get_by_role("article", name="prompt[1]").locator("ins").first.inner_text()
    assert SCRIPT in page.get_by_role("article", name="prompt[1]").locator(".analysis").inner_text()
    assert page.get_by_role("heading", name=LABEL).is_visible()
    for character in UNSAFE & set(HOSTILE) - {"\u200b"}:
        # When a reply arrives, zero-width spaces are dropped and control characters replaced; the others are recorded,
        # and shown by their code.
        shown = "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) == "Cc" else f"[U+{ord(character):04X}]"
        assert shown in all_text
    assert page.evaluate("window.injected") is None
    assert page.locator("main img, main b, main script, main [onmouseover], main [onerror]").count() == 0
    assert page.locator("script:not([type])").count() == 1
    visible = page.locator("main").inner_text()
    assert not UNSAFE & set(visible)


def test_injected_markup_can_neither_run_nor_send_anything(
    reader: Reader, report_of: Report, rules: Run, tmp_path: Path
) -> None:
    text = report_of(rules, episodes="none").read_text(encoding="utf-8")
    attack = "<script>window.injected = 1</script><svg onload='window.injected = 2'></svg>"
    (tmp_path / "attacked.html").write_text(text.replace("</main>", f"</main>{attack}"), encoding="utf-8")
    page = reader.open(tmp_path / "attacked.html")
    page.wait_for_load_state()
    blocked = page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'blocked')")
    assert (page.evaluate("window.injected"), blocked) == (None, "blocked")
    assert page.get_by_role("heading", name="Learning curves").is_visible()
    assert [problem for problem in reader.problems if "Content Security Policy" not in problem] == []
    assert len(reader.problems) >= 3
    reader.problems.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_wrong(
    reader: Reader, report_of: Report, hostile: Run, rules: Run, scheme: Any, width: int
) -> None:
    page = reader.open(
        report_of(rules, hostile), color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page.get_by_role("list", name="Episodes").get_by_role("button").first.click()
    page.locator(".player").wait_for()
    for folded in page.locator("summary").all():
        folded.click()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_headings_landmarks_and_links_structure_the_page(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    for role in ("banner", "main"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("heading", level=1).inner_text() == "minihack-v1"
    names = page.get_by_role("heading", level=2).all_inner_texts()
    assert names == ["Overview", "Learning curves", "Gains", "Prompts, turn by turn", "Behaviour", "Cost", "Episodes"]
    links = page.get_by_role("navigation", name="Sections").get_by_role("link")
    for link in links.all():
        assert page.locator(link.get_attribute("href") or "").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"


def test_focus_is_visible(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    page.keyboard.press("Tab")
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        assert focused.evaluate("e => getComputedStyle(e).outline").endswith("solid 2px")

"""Modules of the report's page that other pages may use, each by itself."""

from __future__ import annotations

import random
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.web.report.html_shell import ASSETS
from ictbench.web.report.modules import join_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ENTRY = """
import { curveChart } from "./curve.js";
import { diffLines } from "./diff.js";
import { diffView } from "./diff-view.js";
import { estimate, signed } from "./format.js";
import { player } from "./player.js";
import { visible } from "./visible.js";
Object.assign(window, { curveChart, diffLines, diffView, estimate, signed, player, visible });
"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """An empty page with the modules' functions as globals."""

    def read(name: str) -> str:
        return ENTRY if name == "entry" else (ASSETS / f"{name}.js").read_text(encoding="utf-8")

    context = browser.new_context()
    page = context.new_page()
    page.add_script_tag(content=join_modules("entry", read))
    yield page
    context.close()


def texts(draw: random.Random) -> tuple[str, str]:
    """Two texts that share lines, and words within lines."""
    words = ["look", "walk", "onto", '">"', "", "  the", "stairs."]
    lines = [" ".join(draw.choices(words, k=draw.randrange(5))) for _ in range(draw.randrange(8))]
    after = [line if draw.random() < 0.6 else " ".join(draw.choices(words, k=3)) for line in lines]
    for _ in range(draw.randrange(3)):
        after.insert(draw.randrange(len(after) + 1), draw.choice(["", "new", "walk onto"]))
    return "\n".join(lines), "\n".join(after[draw.randrange(2) :])


def test_a_difference_holds_both_texts_whole(page: Page) -> None:
    pairs = [texts(random.Random(seed)) for seed in range(300)]
    found: list[list[dict[str, Any]]] = page.evaluate("pairs => pairs.map(([a, b]) => diffLines(a, b))", pairs)
    for (before, after), rows in zip(pairs, found, strict=True):
        lines = [(row["kind"], "".join(part["text"] for part in row["parts"])) for row in rows]
        assert "\n".join(line for kind, line in lines if kind != "added") == before
        assert "\n".join(line for kind, line in lines if kind != "removed") == after
        unchanged = before == after
        assert all(kind == "same" for kind, _ in lines) == unchanged


def test_a_difference_is_no_longer_than_it_must_be(page: Page) -> None:
    before, after = "a\nb\nwalk onto the stairs\nd", "a\nx\nb\nwalk onto the altar\nd"
    rows = page.evaluate("([a, b]) => diffLines(a, b)", [before, after])
    assert [row["kind"] for row in rows] == ["same", "added", "same", "removed", "added", "same"]
    changed = [part["text"] for row in rows for part in row["parts"] if part["changed"]]
    assert changed == ["stairs", "altar"]


def test_texts_too_long_to_compare_count_as_replaced(page: Page) -> None:
    milliseconds, rows = page.evaluate(
        """() => {
            const text = (word) => Array.from({ length: 8000 }, (_, index) => `${word}${index}`).join("\\n");
            const start = performance.now();
            const rows = diffLines(`same\\n${text("a")}`, `same\\n${text("b")}`).length;
            return [performance.now() - start, rows];
        }"""
    )
    assert rows == 16_001
    assert milliseconds < 5000


def test_characters_that_would_be_obeyed_are_written_out(page: Page) -> None:
    characters = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp")]
    shown: list[str] = page.evaluate("all => all.map(visible)", characters)
    for character, text in zip(characters, shown, strict=True):
        expected = character if character in "\n\t" else f"[U+{ord(character):04X}]"
        assert text == expected
    assert page.evaluate("visible('a\\ud800b')") == "a[U+D800]b"
    for plain in ("|..@.<|", "naïve ☃ 日本 😀", "<b>&amp;</b>"):
        assert page.evaluate("text => visible(text)", plain) == plain


def test_numbers_are_written_with_their_intervals(page: Page) -> None:
    written = page.evaluate(
        """[
            estimate({ value: 0.5, low: null, high: null }), estimate({ value: 0.5, low: 0.25, high: 1 }),
            estimate({ value: -0.5, low: -1, high: 0 }, signed), estimate(null), signed(NaN),
        ]"""
    )
    assert written == ["0.50", "0.50 [0.25, 1.00]", "−0.50 [−1.00, +0.00]", "–", "–"]


def test_a_chart_and_a_player_need_no_report(page: Page) -> None:
    page.evaluate(
        """() => {
            const points = [{ value: 0, low: null, high: null }, { value: 1, low: null, high: null }];
            const decided = { thought: "", proposed: "go", executed: "go", keys: [], reward: 0 };
            const steps = [{ observation: "here", actions: ["go"], ...decided }];
            const ended = { end: "solved", failure: null, reward: 1, usage: { calls: 0 } };
            const episode = { key: "k", seed: 1, steps, last: "there", ...ended };
            document.body.replaceChildren(
                curveChart({ title: "A curve", series: [{ name: "one", position: 0, points }] }),
                player(episode, { title: "A game" }).node,
            );
        }"""
    )
    assert page.get_by_role("img", name="A curve").locator(".mark").count() == 2
    game = page.get_by_role("region", name="A game")
    game.focus()
    page.keyboard.press("End")
    assert game.get_by_label("Screen as the actor saw it").inner_text() == "there"
    assert game.get_by_role("status").inner_text() == "End, after 1 decision: Solved"

"""Shared JavaScript modules, tested without a page around them."""

from __future__ import annotations

import itertools
import random
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.results.formatting import signed_number
from ictbench.web.bundle import WEB, bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ENTRY = """
import { chart, scatter } from "ASSETS/chart.js";
import { diffLines } from "ASSETS/diff.js";
import { estimate, fixed, number, percent, signed } from "ASSETS/format.js";
import { learningCurve } from "ASSETS/learning-curve.js";
import { player } from "ASSETS/player.js";
import { visible } from "ASSETS/visible.js";
Object.assign(window, { chart, diffLines, estimate, fixed, learningCurve, number, percent, player });
Object.assign(window, { scatter, signed, visible });
"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An empty page with functions of the modules as globals."""
    entry = tmp_path_factory.mktemp("modules") / "entry.js"
    entry.write_text(ENTRY.replace("ASSETS", (WEB / "assets").as_posix()), encoding="utf-8")
    bundle([entry], entry.parent / "out")
    context = browser.new_context()
    page = context.new_page()
    page.add_script_tag(path=entry.parent / "out" / "entry.js")
    yield page
    context.close()


def similar_texts(draw: random.Random) -> tuple[str, str]:
    """Return two texts that share lines, and words within lines."""
    words = ["look", "walk", "onto", '">"', "", "  the", "stairs."]
    lines = [" ".join(draw.choices(words, k=draw.randrange(5))) for _ in range(draw.randrange(8))]
    after = [line if draw.random() < 0.6 else " ".join(draw.choices(words, k=3)) for line in lines]
    for _ in range(draw.randrange(3)):
        after.insert(draw.randrange(len(after) + 1), draw.choice(["", "new", "walk onto"]))
    return "\n".join(lines), "\n".join(after[draw.randrange(2) :])


def test_difference_contains_both_texts_completely(page: Page) -> None:
    pairs = [similar_texts(random.Random(seed)) for seed in range(300)]
    differences: list[list[dict[str, Any]]] = page.evaluate("pairs => pairs.map(([a, b]) => diffLines(a, b))", pairs)
    for (before, after), rows in zip(pairs, differences, strict=True):
        lines = [(row["kind"], "".join(part["text"] for part in row["parts"])) for row in rows]
        assert "\n".join(line for kind, line in lines if kind != "added") == before
        assert "\n".join(line for kind, line in lines if kind != "removed") == after
        unchanged = before == after
        assert all(kind == "same" for kind, _ in lines) == unchanged


def test_difference_marks_only_what_changed(page: Page) -> None:
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


def test_control_and_invisible_characters_are_written_as_code_points(page: Page) -> None:
    characters = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp")]
    shown: list[str] = page.evaluate("all => all.map(visible)", characters)
    for character, text in zip(characters, shown, strict=True):
        expected = character if character in "\n\t" else f"[U+{ord(character):04X}]"
        assert text == expected
    assert page.evaluate("visible('a\\ud800b')") == "a[U+D800]b"
    for plain in ("|..@.<|", "naïve ☃ 日本 😀", "<b>&amp;</b>"):
        assert page.evaluate("text => visible(text)", plain) == plain


def test_numbers_are_rounded_as_in_tables_on_the_terminal(page: Page) -> None:
    random_state = random.Random(0)
    values = [0.625, 0.125, 0.375, -0.125, 0.005, 0.025, 0.5, 1.5, -0.004, *(k / 16 for k in range(-16, 17))]
    values += [round(random_state.uniform(-1, 1), digits) for digits in (3, 4, 17) for _ in range(100)]
    for digits in (0, 1, 2, 3):
        shown = page.evaluate("([values, digits]) => values.map((value) => fixed(value, digits))", [values, digits])
        assert shown == [f"{value:.{digits}f}" for value in values]
        shown = page.evaluate("([values, digits]) => values.map((value) => signed(value, digits))", [values, digits])
        assert shown == [signed_number(value, digits).replace("-", "\N{MINUS SIGN}") for value in values]
    assert page.evaluate("[0.00125, 0.625].map((value) => [number(value), percent(value)])") == [
        ["0.00", "0.1 %"],
        ["0.62", "62.5 %"],
    ]


def test_estimates_are_formatted_with_their_intervals(page: Page) -> None:
    written = page.evaluate(
        """[
            estimate({ value: 0.5, low: null, high: null }), estimate({ value: 0.5, low: 0.25, high: 1 }),
            estimate({ value: -0.5, low: -1, high: 0 }, signed), estimate(null), signed(NaN),
            estimate({ value: 0, low: -0.001, high: 0.004 }, signed), signed(-0.0004, 3), number(-0.001),
        ]"""
    )
    assert written == [
        "0.50",
        "0.50 [0.25, 1.00]",
        "−0.50 [−1.00, 0.00]",
        "–",
        "–",
        "0.00 [0.00, 0.00]",
        "0.000",
        "0.00",
    ]


def test_chart_and_player_work_without_a_report(page: Page) -> None:
    page.evaluate(
        """() => {
            const points = [{ value: 0, low: null, high: null }, { value: 1, low: null, high: null }];
            const decision = { thought: "", proposed: "go", executed: "go", keys: [], reward: 0 };
            const steps = [{ observation: "here", actions: ["go"], ...decision }];
            const ending = { end: "solved", failure: null, reward: 1, usage: { calls: 0 } };
            const episode = { key: "k", seed: 1, steps, last: "there", ...ending };
            document.body.replaceChildren(
                learningCurve({ title: "A curve", series: [{ name: "one", position: 0, points }] }),
                player(episode, { title: "A game" }).node,
            );
        }"""
    )
    assert page.get_by_role("img", name="A curve").locator(".mark").count() == 2
    replay = page.get_by_role("region", name="A game")
    replay.focus()
    page.keyboard.press("End")
    assert replay.get_by_label("Screen as the actor saw it").inner_text() == "there"
    assert replay.get_by_role("status").inner_text() == "End, after 1 decision: Solved"


def test_axes_map_values_to_pixels(page: Page) -> None:
    positions = page.evaluate(
        """() => {
            const positions = [];
            const logarithmic = { domain: [1, 100], scale: (value) => Math.log10(value) / 2, inset: 10 };
            const axes = { x: logarithmic, y: { domain: [-1, 1] } };
            chart({ kind: "test", width: 220, height: 120, margin: [10, 10, 10, 10], ...axes }, ({ x, y }) => {
                positions.push(x(1), x(10), x(100), y(-1), y(0), y(1));
                return null;
            });
            return positions;
        }"""
    )
    assert positions == [20, 110, 200, 110, 60, 10]


def test_name_labels_cover_neither_each_other_nor_marks(page: Page) -> None:
    heights = page.evaluate(
        """() => {
            const estimates = [0, 1, 2, 3, 4, 5].map((index) => ({ value: index / 90, low: null, high: null }));
            const points = estimates.map((estimate) => ({ name: "family", kind: "", position: 0, x: 0.2, estimate }));
            const axes = { x: { domain: [0, 1] }, y: { domain: [0, 1] } };
            const size = { width: 300, height: 200, margin: [10, 10, 10, 10] };
            const image = chart({ kind: "test", title: "Names", description: "", ...size, ...axes }, (plot) =>
                scatter(plot, points));
            document.body.replaceChildren(image);
            return [...image.querySelectorAll("text")].map((text) => Number(text.getAttribute("y")));
        }"""
    )
    gaps = [later - earlier for earlier, later in itertools.pairwise(sorted(heights))]
    assert len(gaps) == 5
    assert min(gaps) >= 12

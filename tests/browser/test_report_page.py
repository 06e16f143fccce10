"""The report in a real browser: numbers, charts, tables, layout."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.results.comparison import compare
from ictbench.results.formatting import signed

from .layout import layout_problems

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from ictbench import Run

    from .reader import Reader

Report = Callable[..., Path]
"""A function that writes a report of runs."""


def curve_of(page: Page, family: str) -> Locator:
    return page.get_by_role("img", name=f"Learning curve, {family} ")


def centre(mark: Locator) -> tuple[float, float]:
    x, y = mark.evaluate("e => { const b = e.getBBox(); return [b.x + b.width / 2, b.y + b.height / 2]; }")
    return x, y


def success_rate(outcomes: str) -> float:
    return outcomes.count("1") / len(outcomes)


def test_learning_curve_shows_the_selection_success_of_every_prompt(
    reader: Reader, report_of: Report, rules: Run
) -> None:
    page = reader.open(report_of(rules))
    for family in rules.result.families:
        assert family.measures is not None
        marks = curve_of(page, family.name).locator(".mark")
        points = [centre(mark) for mark in marks.all()]
        curve = [point.value for point in family.measures.curve]
        assert [float(mark.get_attribute("data-value") or 0) for mark in marks.all()] == pytest.approx(curve)
        # The lowest and the highest grid line are at 0 and 1.
        lines = curve_of(page, family.name).locator("line")
        heights = [float(line.get_attribute("y1") or 0) for line in lines.all()]
        scaled = [(max(heights) - y) / (max(heights) - min(heights)) for _, y in points]
        assert scaled == pytest.approx(curve, abs=0.001)
        steps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(points)]
        assert steps == pytest.approx([steps[0]] * len(steps), abs=0.02)
        assert curve_of(page, family.name).locator("polygon.band").count() == 1


def test_bars_show_base_best_and_last(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    for family in rules.result.families:
        assert family.measures is not None
        chart = page.get_by_role("img", name=f"Base, best and last, {family.name} ")
        for name in ("base", "best", "last"):
            value = float(chart.locator(f".bar.{name}").get_attribute("data-value") or -1)
            assert value == getattr(family.measures, name).value
        assert chart.locator("line.whisker").count() == 3


def test_gain_chart_and_best_prompt_table_match_the_result(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    marks = page.get_by_role("img", name="Gain against headroom").locator(".mark").all()
    for mark, family in zip(marks, rules.result.families, strict=True):
        assert family.measures is not None
        assert float(mark.get_attribute("data-gain") or -9) == family.measures.gain.value
        assert float(mark.get_attribute("data-headroom") or -9) == pytest.approx(1 - family.measures.base.value)
    rows = page.get_by_role("table", name="loops by the index of their best prompt").get_by_role("row").all()[1:]
    for row, family in zip(rows, rules.result.families, strict=True):
        bests = [loop.best for loop in family.loops]
        assert row.get_by_role("cell").all_inner_texts() == [str(bests.count(index)) for index in range(4)]


def test_prompts_are_shown_as_differences_with_analysis_scores_and_audit(
    reader: Reader, report_of: Report, rules: Run
) -> None:
    page = reader.open(report_of(rules))
    for family in rules.result.families:
        for loop in family.loops:
            page.locator("#prompts").get_by_label("Family").select_option(family.name)
            page.locator("#prompts").get_by_label("Loop").select_option(str(loop.index))
            for index, prompt in enumerate(loop.prompts[1:], start=1):
                shown = page.get_by_role("article", name=f"prompt[{index}], rules")
                before, after = (set(text.split("\n")) for text in (loop.prompts[index - 1].text, prompt.text))
                assert set(shown.locator("ins .sign + span").all_text_contents()) >= after - before
                assert set(shown.locator("del .sign + span").all_text_contents()) >= before - after
                assert shown.get_by_text("Unchanged.").count() == (before == after)
                assert shown.locator(".analysis p").inner_text().strip() == prompt.analysis.strip()
                assert f"selection {success_rate(loop.selection[index]):.2f}" in shown.locator(".scores").inner_text()
                audits = shown.get_by_text(f"Audit, solved under prompt[{index - 1}] → prompt[{index}]: ")
                if index == 3:
                    assert audits.count() == 0
                    continue
                audit, batch, next_batch = loop.audit[index - 1], loop.batches[index - 1], loop.batches[index]
                played = (batch.outcomes, audit.replayed, audit.fresh, next_batch.outcomes)
                solved = [outcomes.count("1") for outcomes in played]
                text = "batch of this turn {} → {} of 2, batch of the next turn {} → {} of 2.".format(*solved)
                assert audits.inner_text().endswith(text)


def test_behaviour_and_cost_tables_match_the_result(
    reader: Reader, report_of: Report, rules: Run, hostile: Run
) -> None:
    page = reader.open(report_of(hostile))
    table = page.get_by_role("table", name="Actor and reflector by family")
    for row, family in zip(table.get_by_role("row").all()[1:], hostile.result.families, strict=True):
        assert family.behaviour is not None
        cells = row.get_by_role("cell").all_inner_texts()
        for cell, share in zip(cells, (family.behaviour.invalid_base, family.behaviour.invalid_best), strict=False):
            assert share is not None
            assert cell.startswith(f"{100 * share.value:.1f} %")
        assert cells[2] == f"{family.behaviour.failed['refused']} refused"
    ends = page.get_by_role("table", name="How test episodes under the best prompts ended")
    assert ends.get_by_role("row").count() == 3
    cost = page.get_by_role("table", name="Calls, tokens and money by role")
    for role, usage in hostile.result.cost.items():
        row = cost.get_by_role("row").filter(has=page.get_by_role("rowheader", name=role, exact=True))
        cells = row.get_by_role("cell").all_inner_texts()
        assert cells[1:4] == [f"{n:,}" for n in (usage.calls, usage.input_tokens, usage.output_tokens)]
        assert cells[-1] == "unknown"
    silent = reader.open(report_of(rules))
    assert silent.get_by_text("No calls to language models.").is_visible()


def test_every_chart_has_a_name_a_description_and_a_table_of_its_numbers(
    reader: Reader, report_of: Report, rules: Run
) -> None:
    page = reader.open(report_of(rules))
    charts = page.locator("svg.chart").all()
    assert len(charts) == 2 * (2 + 2) + 1
    for chart in charts:
        assert chart.locator("> title").text_content()
        assert "rules" in (chart.locator("> desc").text_content() or "") or "gain" in (
            chart.locator("> desc").text_content() or ""
        )
    page.get_by_text("Numbers: success rate on selection tasks by prompt").click()
    table = page.get_by_role("table", name="success rate on selection tasks by prompt")
    family = rules.result.families[1]
    assert family.measures is not None
    row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="read", exact=True))
    assert re.findall(r"^\S+", row.get_by_role("cell").first.inner_text()) == [f"{family.measures.curve[0].value:.2f}"]


def test_two_runs_are_shown_side_by_side(reader: Reader, report_of: Report, rules: Run, unchanged: Run) -> None:
    page = reader.open(report_of(rules, unchanged))
    assert page.get_by_role("heading", name="Runs side by side").is_visible()
    assert page.get_by_text("These runs can be compared").is_visible()
    assert curve_of(page, "read").locator("polyline").count() == 2
    flat = curve_of(page, "read").locator(".mark.series-1").all()
    assert max(y for _, y in map(centre, flat)) == pytest.approx(min(y for _, y in map(centre, flat)))
    left, right = (page.get_by_role("article", name=f"prompt[1], {name}").bounding_box() for name in ("rules", "none"))
    assert left is not None
    assert right is not None
    assert (left["y"], left["x"] + left["width"] < right["x"]) == (right["y"], True)
    assert page.get_by_role("article", name="prompt[1], none").get_by_text("Unchanged.").is_visible()


def test_other_differences_between_runs_are_stated(reader: Reader, report_of: Report, rules: Run, hostile: Run) -> None:
    page = reader.open(report_of(rules, hostile))
    note = page.get_by_text("These runs differ in more than their reflectors").locator("..")
    assert "turns: 3 / 2" in note.inner_text()
    assert curve_of(page, "read").locator("polyline").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_until_the_reader_selects_one(
    reader: Reader, report_of: Report, rules: Run, scheme: Any
) -> None:
    page = reader.open(report_of(rules, episodes="none"), color_scheme=scheme)
    body = page.locator("body")
    brightness = "e => getComputedStyle(e).backgroundColor.match(/[0-9.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)"
    before = body.evaluate(brightness)
    assert (before < 300) == (scheme == "dark")
    page.get_by_role("button", name="Light theme" if scheme == "dark" else "Dark theme").click()
    assert (body.evaluate(brightness) < 300) == (scheme != "dark")
    page.reload()
    assert (body.evaluate(brightness) < 300) == (scheme != "dark")


def test_page_fits_a_phone(reader: Reader, report_of: Report, rules: Run, hostile: Run) -> None:
    page = reader.open(report_of(hostile, rules), viewport={"width": 360, "height": 740})
    page.get_by_role("list", name="Episodes").get_by_role("button").first.click()
    screen = page.get_by_label("Screen as the actor saw it")
    screen.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    # Eighty columns scroll in their own box, in a readable font size.
    assert screen.evaluate("e => e.scrollWidth > e.clientWidth && e.getBoundingClientRect().right <= 360")
    assert screen.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 9


def test_page_without_episodes_says_so(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules, episodes="none"))
    assert page.get_by_text("(--episodes none)").is_visible()
    tasks = page.get_by_role("list", name="Episodes").get_by_role("button")
    assert tasks.count() == 2
    assert all(task.is_disabled() and "not stored in this page" in task.inner_text() for task in tasks.all())


@pytest.mark.parametrize("width", [1400, 1024, 400, 360])
def test_nothing_is_cut_or_covered(reader: Reader, report_of: Report, rules: Run, unchanged: Run, width: int) -> None:
    page = reader.open(
        report_of(rules, unchanged, episodes="none"), viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    assert layout_problems(page) == []
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert page.locator(".top").bounding_box()["y"] == 0  # type: ignore[index]


def test_runs_side_by_side_show_paired_differences(
    reader: Reader, report_of: Report, rules: Run, unchanged: Run
) -> None:
    page = reader.open(report_of(rules, unchanged, episodes="none"))
    (arm,) = compare(rules.result, unchanged.result).arms
    table = page.get_by_role("table", name="Differences of none from rules")
    mean = table.get_by_role("row", name="mean held-out").inner_text().replace("\u2212", "-")
    assert signed(arm.means[0].difference) in mean
    assert f"{arm.means[0].p:.3f}" in mean
    assert page.locator("#comparison .remarks li").all_inner_texts() == list(arm.verdict)


def test_prompts_open_on_the_most_improved_held_out_loop(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules, episodes="none"))
    prompts = page.locator("#prompts")
    family = prompts.get_by_label("Family").evaluate("e => e.selectedOptions[0].textContent")
    shown = prompts.get_by_label("Loop").input_value()
    gains = {
        (family.name, str(loop.index)): loop.test[loop.best].count("1") - loop.test[0].count("1")
        for family in rules.result.families
        if family.role == "held-out"
        for loop in family.loops
    }
    assert gains[family, shown] == max(gains.values())

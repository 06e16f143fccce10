"""The report of a run with repeats in a real browser: every replicate is an episode of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from repeated_run import REPEATS, repeated_run

if TYPE_CHECKING:
    from .reader import Reader

Report = Callable[..., Path]
"""A function that writes a report of runs."""


def test_every_repeat_is_listed_with_its_outcome(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(repeated_run()))
    loop = repeated_run().result.families[0].loops[0]
    episodes = page.locator("#episodes")
    episodes.get_by_label("Purpose").select_option(
        "test, prompt[0] (base)" if loop.best else "test, prompt[0] (base, best)"
    )
    buttons = page.get_by_role("list", name="Episodes").get_by_role("button").all()
    digest = loop.prompts[0].digest
    assert [button.get_attribute("data-key") for button in buttons] == [
        f"{task}@{digest}{suffix}" for task in loop.test_tasks for suffix in ("", ".1", ".2")
    ]
    solved = ["good" in (button.get_attribute("class") or "").split() for button in buttons]
    assert "".join(str(int(each)) for each in solved) == loop.test[0]
    assert f"{loop.test_tasks[0]}, repeat 2" in buttons[1].inner_text()
    for button, key in ((buttons[0], loop.test_tasks[0]), (buttons[2], f"{loop.test_tasks[0]}@{digest}.2")):
        button.click()
        page.get_by_role("region", name=key).first.wait_for()


def test_experience_is_listed_once(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(repeated_run()))
    page.locator("#episodes").get_by_label("Purpose").select_option("experience, turn 1")
    buttons = page.get_by_role("list", name="Episodes").get_by_role("button").all()
    tasks = repeated_run().result.families[0].loops[0].batches[0].tasks
    assert [button.locator("strong").inner_text() for button in buttons] == [*tasks]


def test_reliability_shows_pass_k_and_noise(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(repeated_run()))
    assert f"each played {REPEATS} times" in page.locator("body").inner_text()
    rows = page.get_by_role("table", name="pass^k").get_by_role("row").all()[1:]
    texts = [[cell.inner_text() for cell in row.locator("th, td").all()] for row in rows]
    measured = [(family.name, family.measures) for family in repeated_run().result.families]
    for name, measures in measured:
        assert measures is not None
        assert measures.reliability is not None
        for prompt, repeated in measures.reliability:
            (cells,) = (row[2:] for row in texts if row[:2] == [name, prompt])
            for cell, interval in zip(cells, repeated.pass_k, strict=False):
                assert cell.startswith(f"{interval.value:.2f} [")
            assert cells[-1] == ("\u2013" if repeated.noise is None else f"{repeated.noise:.1%}".replace("%", " %"))


def test_runs_without_repeats_have_no_reliability(reader: Reader, report_of: Report, rules: object) -> None:
    page = reader.open(report_of(rules))
    assert page.get_by_role("heading", name="Reliability").count() == 0

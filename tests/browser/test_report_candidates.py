"""The report of an optimiser in a real browser: its candidates, and the episodes that it played under them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from optimised import RULES, optimised_run

if TYPE_CHECKING:
    from .reader import Reader

Report = Callable[..., Path]
"""A function that writes a report of runs."""


def test_candidates_are_shown_with_parents_scores_and_front(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(optimised_run()))
    (loop,) = optimised_run().result.families[0].loops
    table = page.locator("#prompts").get_by_role("table", name="Prompts that the optimiser tried")
    rows = [[cell.inner_text() for cell in row.locator("th, td").all()] for row in table.get_by_role("row").all()[1:]]
    assert len(rows) == len(loop.candidates)
    assert rows[0][:3] == ["candidate 0", "from the start", ""]
    assert rows[1][:3] == ["candidate 1", f"turn {loop.candidates[1].turn}", "candidate 0"]
    keys = [key for batch in loop.batches for key in zip(batch.prompts, batch.outcomes, strict=True)]
    for row, candidate in zip(rows, loop.candidates, strict=True):
        outcomes = [outcome for digest, outcome in keys if digest == candidate.digest]
        assert row[3] == (f"{outcomes.count('1')} of {len(outcomes)}" if outcomes else "not played")
        assert row[4] == (f"turn {candidate.kept}" if candidate.kept else "no")
        assert row[5] == ", ".join(f"task {position + 1}" for position in candidate.front)
    page.locator("#prompts summary", has_text="candidate 1, compared with candidate 0").click()
    assert RULES[0] in page.locator("#prompts details[open]").inner_text()


def test_the_episodes_of_each_turn_can_be_opened(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(optimised_run()))
    (loop,) = optimised_run().result.families[0].loops
    page.locator("#episodes").get_by_label("Purpose").select_option("experience, turn 2")
    buttons = page.get_by_role("list", name="Episodes").get_by_role("button").all()
    batch = loop.batches[1]
    assert [button.get_attribute("data-key") for button in buttons] == [
        f"{task}@{digest}" for task, digest in zip(batch.tasks, batch.prompts, strict=True)
    ]
    name = f"{batch.tasks[0]}, candidate 1: {'solved' if batch.outcomes[0] == '1' else 'not solved'}"
    page.locator("#prompts").get_by_role("button", name=name).click()
    page.get_by_role("region", name=f"{batch.tasks[0]}@{batch.prompts[0]}").first.wait_for()

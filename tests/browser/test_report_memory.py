"""The report of a learner with a memory in a real browser: memories by turn, and what they add to a prompt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from memory_run import memory_run

from ictbench.submissions.episode_records import memories_in
from ictbench.web.memory_chunks import readable

if TYPE_CHECKING:
    from ictbench.protocol import LoopResult

    from .reader import Reader

Report = Callable[..., Path]
"""A function that writes a report of runs."""


def test_the_memory_of_each_turn_is_shown_with_its_change(reader: Reader, report_of: Report) -> None:
    page = reader.open(report_of(memory_run()))
    loop = memory_run().result.families[0].loops[0]
    prompts = page.locator("#prompts")
    prompts.get_by_label("Family").select_option("0")
    prompts.get_by_label("Loop").select_option(str(loop.index))
    memories = memories_in(memory_run().folder / "memories.jsonl.gz")
    shown = {memory.digest: readable(memory.value)[0] for memory in memories}
    for index, prompt in enumerate(loop.prompts):
        article = prompts.get_by_role("article", name=f"prompt[{index}]")
        details = article.locator("details.memory")
        if not prompt.memory:
            assert details.count() == 0
            continue
        if prompt.memory == loop.prompts[index - 1].memory:
            assert "Memory unchanged." in article.inner_text()
            continue
        details.locator("summary").click()
        place = details.locator(".prompt-text" if index == 1 else ".diff")
        place.wait_for()
        text = place.inner_text()
        if index == 1:
            assert text == shown[prompt.memory]
        else:
            assert [line for line in shown[prompt.memory].splitlines() if line.strip() not in text] == []


def test_an_episode_shows_what_was_added_to_its_prompt(reader: Reader, report_of: Report) -> None:
    run = memory_run()
    page = reader.open(report_of(run))
    loop = run.result.families[0].loops[0]
    index = next(i for i, prompt in enumerate(loop.prompts[:-1]) if prompt.memory and run.episode(key(loop, i)).added)
    for turn, added in ((0, ""), (index, run.episode(key(loop, index)).added)):
        prompts = page.locator("#prompts")
        prompts.get_by_label("Family").select_option("0")
        prompts.get_by_label("Loop").select_option(str(loop.index))
        prompts.get_by_role("article", name=f"prompt[{turn + 1}]").locator("button.outcome").first.click()
        player = page.get_by_role("region", name=key(loop, turn))
        player.wait_for()
        assert player.locator("details.added").count() == bool(added)
        if added:
            assert player.locator("details.added .prompt-text").inner_text() == added


def key(loop: LoopResult, index: int) -> str:
    """Return the key of the first episode that was played under a prompt of a loop."""
    return f"{loop.batches[index].tasks[0]}@{loop.prompts[index].digest}"

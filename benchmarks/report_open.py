"""Time to write a report of many episodes, to open it, and to show an episode, in a real Chromium.

    python benchmarks/report_open.py [--episodes 10000] [--thoughts 60]

A small real run is played. Its loops are then copied under other task ids until there are enough episodes, and each
step gets a thought of random words, which compress worse than the thoughts of a model. Opening is measured from the
start of navigation until all sections are drawn, with a new browser profile each time.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

import ictbench
from ictbench.web.report import ReportSource, write_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from ictbench.protocol import LoopResult
    from ictbench.records import Episode, Step
    from ictbench.results import Result

REPETITIONS = 5
WORDS = ["".join(random.Random(n).choices("abcdefghijklmnoprstuvw", k=3 + n % 7)) for n in range(4000)]

RECORD_DRAWN = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("#episodes .tasks button")) return;
  observer.disconnect();
  window.drawn = new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
}).observe(document, { childList: true, subtree: true });
"""
"""Script that records the milliseconds from the start of navigation to the end of the frame with the last section."""

CLICK_LAST = """
new Promise((done) => {
  const start = performance.now();
  new MutationObserver(() => document.querySelector(".screen") && done(performance.now() - start)).observe(
    document.querySelector(".stage"), { childList: true, subtree: true });
  [...document.querySelectorAll("#episodes .tasks button")].at(-1).click();
})
"""


def copied_loop(loop: LoopResult, copy: int, loops: int) -> LoopResult:
    """Return a loop with another index and other task ids."""
    return loop.model_copy(
        update={
            "index": loop.index + loops * copy,
            "batches": tuple(b.model_copy(update={"tasks": _renamed(b.tasks, copy)}) for b in loop.batches),
            "selection_tasks": _renamed(loop.selection_tasks, copy),
            "test_tasks": _renamed(loop.test_tasks, copy),
        }
    )


def _renamed(tasks: tuple[str, ...], copy: int) -> tuple[str, ...]:
    return tuple(f"{task}-{copy}" for task in tasks)


def copied_result(result: Result, copies: int) -> Result:
    """Return a result with so many copies of each loop."""
    loops = result.sizes.loops
    families = [
        family.model_copy(
            update={"loops": tuple(copied_loop(loop, copy, loops) for copy in range(copies) for loop in family.loops)}
        )
        for family in result.families
    ]
    sizes = result.sizes.model_copy(update={"loops": loops * copies})
    return result.model_copy(update={"families": tuple(families), "sizes": sizes})


def copied_episodes(run: ictbench.Run, copies: int, words: int) -> Iterator[Episode]:
    """Yield all episodes under the task ids of all copies, in the order of their keys."""
    for key in run.episode_keys():
        episode = run.episode(key)
        for copy in range(copies):
            task, _, prompt = key.rpartition("@")
            draw = random.Random(f"{key} {copy}")
            steps = tuple(_with_thought(step, draw, words) for step in episode.trajectory.steps)
            yield episode.model_copy(
                update={
                    "key": f"{task}-{copy}@{prompt}",
                    "task": episode.task.model_copy(update={"id": f"{task}-{copy}"}),
                    "trajectory": episode.trajectory.model_copy(update={"steps": steps}),
                }
            )


def _with_thought(step: Step, draw: random.Random, words: int) -> Step:
    return step.model_copy(update={"thought": " ".join(draw.choices(WORDS, k=words))})


def open_page(browser: Browser, path: Path) -> tuple[float, float, float]:
    """Return the seconds until all sections are drawn, until the file is read, and from a click to an episode."""
    context = browser.new_context()
    context.add_init_script(RECORD_DRAWN)
    page = context.new_page()
    page.goto(path.as_uri(), wait_until="load")
    drawn = page.evaluate("window.drawn")
    read = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    shown = page.evaluate(CLICK_LAST)
    context.close()
    return drawn / 1000, read / 1000, shown / 1000


def main() -> None:
    """Play, copy, write, open."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=10_000, help="episodes in the report, at least")
    parser.add_argument("--thoughts", type=int, default=60, help="words of thought per decision")
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not on the PATH: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        run = ictbench.run(env="minihack", families="held-out", out=Path(folder) / "run")
        copies = -(-options.episodes // len(run.episode_keys()))
        result = copied_result(run.result, copies)
        source = ReportSource("copies", result, lambda: copied_episodes(run, copies, options.thoughts))
        page = Path(folder) / "report.html"
        started = time.perf_counter()
        write_page([source], "all", page)
        seconds = time.perf_counter() - started
        count = copies * len(run.episode_keys())
        print(f"{count} episodes, {page.stat().st_size / 1e6:.1f} MB, written in {seconds:.1f} s")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            timings = [open_page(browser, page) for _ in range(REPETITIONS)]
            browser.close()
    names = ("all sections drawn", "file read", "episode shown after the click")
    for name, times in zip(names, zip(*timings, strict=True), strict=True):
        print(f"{name}: median {median(times):.2f} s, maximum {max(times):.2f} s")


if __name__ == "__main__":
    main()

"""Writes the pictures of docs/report.md anew: `make screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

import ictbench
from browser.reader import Reader, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main() -> None:
    """Play two runs on the held-out families, and picture their report."""
    program = chromium()
    if program is None:
        raise SystemExit("no chromium on the PATH: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        reader = Reader(browser)
        report = ictbench.write_report(two_runs(Path(folder)), Path(folder) / "report.html")
        still = {"reduced_motion": "reduce"}
        curves(reader.open(report, color_scheme="light", **still))
        prompts(reader.open(report, color_scheme="light", viewport={"width": 1280, "height": 780}, **still))
        player(reader.open(report, color_scheme="dark", viewport={"width": 1280, "height": 960}, **still))
        browser.close()


def two_runs(folder: Path) -> list[ictbench.Run]:
    """The scripted pair, and the unchanged prompt on the same tasks."""
    return [
        ictbench.run(env="minihack", families="held-out", reflector=name, actor="rules", out=folder / name)
        for name in ("rules", "none")
    ]


def curves(page: Page) -> None:
    """Learning curves of two runs."""
    page.locator("#success").evaluate("e => e.scrollIntoView()")
    page.screenshot(path=IMAGES / "report-curves.png")


def prompts(page: Page) -> None:
    """A prompt that changed, beside one that did not."""
    page.locator("#prompts").get_by_label("Family").select_option("zap")
    page.locator("#prompts .turn").nth(1).evaluate("e => e.scrollIntoView()")
    page.screenshot(path=IMAGES / "report-prompts.png")


def player(page: Page) -> None:
    """One task under the best prompt and under the first one."""
    section = page.locator("#episodes")
    section.get_by_label("Family").select_option("zap")
    names = section.get_by_label("Played as").locator("option").all_inner_texts()
    section.get_by_label("Played as").select_option(next(name for name in names if "test" in name and "best" in name))
    section.get_by_label("Show").select_option("solved")
    page.get_by_role("list", name="Episodes").get_by_role("button").first.click()
    page.locator(".player").wait_for()
    section.get_by_label("Beside it").select_option(label="none: test, prompt[0] (base, best)")
    page.locator(".player").nth(1).wait_for()
    page.locator(".player").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".stage").evaluate("e => e.scrollIntoView()")
    page.screenshot(path=IMAGES / "report-player.png")


if __name__ == "__main__":
    main()

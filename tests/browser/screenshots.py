"""Screenshots for docs/report.md, docs/board.md and docs/campaigns.md, written by `make screenshots`."""

from __future__ import annotations

import random
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boards import submit
from playwright.sync_api import sync_playwright

import ictbench
from browser.board import Site, make_site, spent, with_tests
from browser.reader import Reader, chromium
from ictbench.board.entries import read_board
from ictbench.campaigns import campaign
from ictbench.records import ModelSpec
from ictbench.results.schema import Player
from ictbench.submissions.layout import BoardFolder
from ictbench.submissions.shown_episodes import shown_episode_keys

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
CAMPAIGN = ROOT / "examples" / "campaigns" / "controls.yaml"


def main() -> None:
    """Take screenshots of the report of two runs, and of a board of invented entries."""
    program = chromium()
    if program is None:
        raise SystemExit("chromium is not on the PATH: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        reader = Reader(browser)
        report = ictbench.write_report(two_runs(Path(folder)), Path(folder) / "report.html")
        still: dict[str, Any] = {"reduced_motion": "reduce"}
        capture_curves(reader.open(report, color_scheme="light", **still))
        capture_prompts(reader.open(report, color_scheme="light", viewport={"width": 1280, "height": 780}, **still))
        capture_player(reader.open(report, color_scheme="dark", viewport={"width": 1280, "height": 960}, **still))
        cells = campaign(CAMPAIGN, out=Path(folder) / "campaign").folder / "report.html"
        capture_campaign(reader.open(cells, color_scheme="light", viewport={"width": 1280, "height": 900}, **still))
        site = invented_site(Path(folder))
        for section, name, height in (("ranking", "board-ranking", 760), ("cost", "board-cost", 700)):
            capture_section(reader.open(site.page("minihack-v1/index.html"), **still), section, name, height)
        phone = reader.open(site.page("minihack-v1/index.html"), color_scheme="dark", device_scale_factor=2, **still)
        capture_section(phone, "ranking", "board-phone", 900, width=400)
        first = site.page("minihack-v1/entries/entry-3.html")
        capture_section(reader.open(first, color_scheme="dark", **still), "overview", "board-entry", 860)
        browser.close()


def invented_site(folder: Path) -> Site:
    """Write a board of nine entries with random outcomes and costs, and the prompts and episodes of one real run."""
    sizes: dict[str, Any] = {"turns": 5, "batch_size": 3, "loops": 10, "selection_size": 5, "test_size": 10}
    run = ictbench.run(env="minihack", families="all", out=folder / "board-run", **sizes)
    base = run.result.model_copy(update={"profile": "lite", "ranked": True, "deviations": ()})
    games = [run.episode(key) for key in shown_episode_keys(run.result)]
    board = BoardFolder(folder / "board" / "minihack-v1")
    for number in range(9):
        draw = random.Random(number)
        weights = (75 - 8 * number, 25 + 8 * number)
        result = with_tests(base, partial(_outcomes, draw, weights))
        tokens = int(10 ** (4.3 + 0.22 * number + draw.random()))
        reflector = _reflector(number)
        division = {6: "memory", 7: "memory", 8: "optimiser"}.get(number, "reflector")
        named = {"reflector": reflector, "reflector_trained_on": (), "division": division}
        submit(
            board,
            f"entry-{number}",
            spent(result, tokens, tokens * 2e-6).model_copy(update=named),
            badges=("replayed", "rerun") if number % 4 == 3 else ("replayed",),
            trajectories=games,
            name=f"Invented entry {number}",
            reflector={
                "label": reflector.label,
                "revision": reflector.fingerprint,
                "open_weights": number % 2 == 0 if reflector.model else None,
            },
            instruction="Rewrite the prompt so that the actor does better.",
        )
    return make_site(read_board(board), folder / "site")


def _reflector(number: int) -> Player:
    """Return an invented language model, or every third time an invented class."""
    if number % 3 == 1:
        return Player(label=f"maker:Rules{number}", name=f"maker:Rules{number}")
    model = ModelSpec(provider="openai", model=f"model-{number}")
    name = {6: "ace", 8: "gepa-loop"}.get(number)
    label = f"{name}:openai/model-{number}" if name else f"openai/model-{number}"
    return Player(label=label, name=name or "rewrite", model=model, fingerprint="2026-01")


def _outcomes(draw: random.Random, weights: tuple[int, int]) -> str:
    return "".join(draw.choices("01", weights, k=10))


def capture_section(page: Page, section: str, name: str, height: int, width: int = 1400) -> None:
    """Capture a page from the heading of a section on."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("!document.querySelector('main').innerText.includes('Loading')")
    page.locator(f"#{section}").evaluate("e => e.scrollIntoView()")
    page.screenshot(path=IMAGES / f"{name}.png")


def two_runs(folder: Path) -> list[ictbench.Run]:
    """Run the scripted pair, and the same tasks with the prompt unchanged."""
    return [
        ictbench.run(env="minihack", families="held-out", reflector=name, actor="rules", out=folder / name)
        for name in ("rules", "none")
    ]


def capture_curves(page: Page) -> None:
    """Capture the learning curves of two runs."""
    page.locator("#success").evaluate("e => e.scrollIntoView()")
    page.screenshot(path=IMAGES / "report-curves.png")


def capture_campaign(page: Page) -> None:
    """Capture the learning curves of the cells of a campaign."""
    page.locator("#success").evaluate("e => e.scrollIntoView()")
    page.screenshot(path=IMAGES / "campaign-report.png")


def capture_prompts(page: Page) -> None:
    """Capture a changed prompt beside an unchanged one."""
    page.locator("#prompts").get_by_label("Family").select_option("zap")
    page.locator("#prompts .turn").nth(1).evaluate("e => e.scrollIntoView()")
    page.screenshot(path=IMAGES / "report-prompts.png")


def capture_player(page: Page) -> None:
    """Capture the replay of one task under the best prompt and under the first one."""
    section = page.locator("#episodes")
    section.get_by_label("Family").select_option("zap")
    names = section.get_by_label("Purpose").locator("option").all_inner_texts()
    section.get_by_label("Purpose").select_option(next(name for name in names if "test" in name and "best" in name))
    section.get_by_label("Show").select_option("solved")
    page.get_by_role("list", name="Episodes").get_by_role("button").first.click()
    page.locator(".player").wait_for()
    section.get_by_label("Compare with").select_option(label="none: test, prompt[0] (base, best)")
    page.locator(".player").nth(1).wait_for()
    page.locator(".player").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".stage").evaluate("e => e.scrollIntoView()")
    page.screenshot(path=IMAGES / "report-player.png")


if __name__ == "__main__":
    main()

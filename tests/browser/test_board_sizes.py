"""A board of 0, 1, 50 and 1,000 entries at three widths: nothing is cut, all are listed, and a search is fast."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.board.entries import Board, Entry
from ictbench.board.ranking import rank
from ictbench.results.schema import Interval
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.web.board.about import About, about_document
from ictbench.web.board.board_chunks import add_board_chunks
from ictbench.web.board.build_site import BOARD, INDEX
from ictbench.web.board.index_page import index_document
from ictbench.web.chunks import open_chunks

from .layout import layout_problems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .board import Site
    from .reader import Reader

SIZES = [0, 1, 50, 1000]
WIDTHS = [1400, 1024, 400]
SLOW = 60_000
"""Milliseconds for a page of 1,000 entries on a busy machine."""

WORDS = ("prompt", "rules", "notes", "agent", "memory", "search", "critic", "planner", "tutor", "coach", "mentor")


@pytest.fixture(scope="module")
def pages(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A function that writes the index and the page of a suite with so many entries, once."""
    written: dict[int, Path] = {}

    def write(size: int) -> Path:
        if size not in written:
            written[size] = folder = tmp_path_factory.mktemp(f"of-{size}")
            template = site.entry("learns")
            board = Board(
                BoardFolder(folder / "minihack-v1"), tuple(entry(template, number) for number in range(size)), ()
            )
            write_pages(board, folder)
        return written[size]

    return write


def entry(template: Entry, number: int) -> Entry:
    """Return an entry with random outcomes, measures, cost and names."""
    draw = random.Random(number)
    rate = draw.uniform(0.1, 0.95)
    outcomes = {}
    for family, recorded in template.facts.outcomes.items():
        loops = recorded.values["best"]
        drawn = tuple(tuple(float(draw.random() < rate) for _ in loop) for loop in loops)
        outcomes[family] = recorded.model_copy(update={"values": {**recorded.values, "best": drawn}})
    measures = template.measures
    assert measures is not None
    level = Interval(value=rate, low=rate * 0.9, high=min(1.0, rate * 1.1))
    gain = Interval(value=rate - 0.1, low=rate - 0.2, high=rate)
    changed = measures.model_copy(update={"best": level, "last": level, "gain": gain, "headroom_gain": gain})
    tokens = int(10 ** draw.uniform(3, 8))
    cost = {"reflector": template.cost.model_copy(update={"input_tokens": tokens, "output_tokens": 0})}
    result = template.result.model_copy(update={"by_role": {"held-out": changed}, "cost": cost})
    name = f"Entry {number}: {' '.join(draw.sample(WORDS, draw.randint(1, 5)))}"
    submitted = template.submission.model_copy(update={"name": name, "submitted_by": f"Laboratory {number % 40}"})
    made = replace(
        template,
        folder=SubmissionFolder(template.folder.path.with_name(f"entry-{number}")),
        submission=submitted,
        result=result,
        facts=template.facts.model_copy(update={"outcomes": outcomes}),
    )
    vars(made)["plays"] = {}
    return made


def write_pages(board: Board, folder: Path) -> None:
    """Write the index and the page of the suite, without the pages of entries."""
    tracks = rank(board.entries)
    about = {"about": about_document(About(), [board])}
    INDEX.write(folder / "index.html", "index", index_document([(board, tracks)]) | about)
    board.folder.path.mkdir()
    with open_chunks() as chunks:
        document = add_board_chunks(board, tracks, chunks) | about
        BOARD.write(folder / "minihack-v1" / "index.html", "board", document, chunks)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["index.html", "minihack-v1/index.html"])
def test_nothing_is_cut_with_any_number_of_entries(
    reader: Reader, pages: Callable[[int], Path], path: str, size: int, width: int
) -> None:
    page = reader.open(pages(size) / path, viewport={"width": width, "height": 900}, timeout=SLOW)
    assert layout_problems(page) == []
    if path == "index.html":
        assert page.get_by_text(f"{size} ranked").is_visible()
        assert page.locator("tbody tr").count() == min(size, 3)
    else:
        rows = page.get_by_role("table", name="Ranking").locator("tbody tr")
        assert rows.count() == size
        assert page.get_by_text("No entry is ranked yet.").count() == (size == 0)
        assert page.get_by_text("No entry yet.").count() == (size == 0)


def test_charts_of_a_thousand_entries_name_what_can_be_told_apart(reader: Reader, pages: Callable[[int], Path]) -> None:
    page = reader.open(pages(1000) / "minihack-v1/index.html", timeout=SLOW)
    chart = page.get_by_role("img", name="Gain against cost in tokens")
    near = """chart => {
        const boxes = (selector) => [...chart.querySelectorAll(selector)].map((node) => node.getBoundingClientRect());
        const names = [...chart.querySelectorAll("text.label")].filter((node) => node.textContent.startsWith("Entry"));
        const marks = boxes(".mark");
        return names.map((name) => name.getBoundingClientRect()).map((name) => marks.some((mark) =>
            Math.abs(mark.y - name.y) < 45 && mark.right > name.left - 20 && mark.left < name.right + 20));
    }"""
    found = chart.evaluate(near)
    assert len(found) > 3
    assert all(found)
    curves = page.locator("#curves")
    assert curves.get_by_role("checkbox").count() == 53
    assert curves.get_by_text("53 of 1,000 entries are listed").is_visible()
    page.get_by_role("searchbox", name="Search").fill("Entry 777:")
    assert curves.get_by_role("checkbox").count() == 1


def test_a_thousand_entries_are_searched_and_sorted_within_seconds(
    reader: Reader, pages: Callable[[int], Path]
) -> None:
    page = reader.open(pages(1000) / "minihack-v1/index.html", timeout=SLOW)
    names: Any = page.get_by_role("table", name="Ranking").locator("tbody .entry")
    used = page.evaluate("performance.now()")
    started = time.process_time()
    page.get_by_role("searchbox", name="Search").fill("Entry 777:")
    assert names.count() == 1
    page.get_by_role("searchbox", name="Search").fill("")
    assert names.count() == 1000
    page.get_by_role("table", name="Ranking").get_by_role("button", name="tokens", exact=True).click()
    assert names.count() == 1000
    assert page.evaluate("performance.now()") - used < SLOW
    assert time.process_time() - started < 10

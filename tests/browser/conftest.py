"""A real Chromium, driven by Playwright and installed if possible, and the pages that the tests open in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

import ictbench
from ictbench.submissions.layout import BoardFolder

from .board import Site, make_board, make_site, with_hostile_texts
from .hostile import hostile_run
from .reader import Reader, chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

SIZES: dict[str, Any] = {"turns": 3, "batch_size": 2, "loops": 3, "selection_size": 4, "test_size": 5}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser. Without Chromium tests are skipped, or fail if ICTBENCH_REQUIRE_BROWSER is set."""
    program = chromium()
    if program is None:
        reason = "chromium is not on the PATH and could not be installed: apt-get install chromium"
        (pytest.fail if os.environ.get("ICTBENCH_REQUIRE_BROWSER") else pytest.skip)(reason)
    with sync_playwright() as playwright:
        # The sandbox is not available to root, and the tests open only their own pages.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    reader = Reader(browser)
    yield reader
    reader.close()
    assert reader.problems == []


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    """The scripted pair on two families, audited."""
    out = tmp_path_factory.mktemp("rules") / "learned"
    return ictbench.run(suite="minihack-v1", families="room-random,read", audit=True, out=out, **SIZES)


@pytest.fixture(scope="session")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    """The same tasks with the prompt unchanged."""
    out = tmp_path_factory.mktemp("none") / "unchanged"
    families = "room-random,read"
    return ictbench.run(suite="minihack-v1", families=families, reflector="none", actor="rules", out=out, **SIZES)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    """A run of a hostile language model."""
    return hostile_run(tmp_path_factory.mktemp("hostile") / "hostile")


@pytest.fixture(scope="session")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    """The scripted pair with enough loops for different ranks."""
    out = tmp_path_factory.mktemp("submitted") / "run"
    sizes: dict[str, Any] = {"turns": 2, "batch_size": 2, "loops": 8, "selection_size": 3, "test_size": 4}
    return ictbench.run(suite="minihack-v1", families="room-random,read", out=out, **sizes)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, submitted: ictbench.Run) -> Site:
    """The site of a board with every kind of entry."""
    folder = tmp_path_factory.mktemp("board")
    return make_site(make_board(BoardFolder(folder / "minihack-v1"), submitted), folder / "site")


@pytest.fixture(scope="session")
def hostile_site(site: Site) -> Site:
    """The same site with hostile text everywhere."""
    return make_site(with_hostile_texts(site.board), site.folder.with_name("hostile"))


@pytest.fixture(scope="session")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that writes the report of some runs."""

    def write(*runs: ictbench.Run, **options: Any) -> Path:
        return ictbench.write_report(runs, tmp_path_factory.mktemp("report") / "report.html", **options)

    return write

"""The code blocks of README and docs run as they are written."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
import yaml
from doc_blocks import OUTPUT, PAGES, ROOT, Block, blocks_of, needs_training, run_block, run_page

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
TESTED = [page for page in PAGES if any(block.mode for block in blocks_of(page)) and not needs_training(page)]


@pytest.mark.parametrize("page", TESTED, ids=lambda page: page.name)
def test_marked_blocks_run(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path)


def test_every_block_is_run_or_gives_a_reason() -> None:
    unmarked = [
        f"{block.page.relative_to(ROOT)}: {block.code.splitlines()[0]}"
        for block in BLOCKS
        if block.language != OUTPUT and not re.fullmatch(r"test: \w+|not run: \S.{9,}", block.marker)
    ]
    assert unmarked == []


def test_every_fence_is_parsed() -> None:
    for page in PAGES:
        fences = re.findall(r"^\s*(?:```|~~~)", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) == 2 * len(blocks_of(page)), page.name


def test_the_picture_of_the_home_page_shows_the_demo_and_loads_nothing() -> None:
    name = re.search(r"^!\[.{20,}\]\((.+\.svg)\)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert name
    picture = (ROOT / name[1]).read_text(encoding="utf-8")
    shown = html.unescape("".join(re.findall(r"<text[^>]*>(.*?)</text>", picture))).replace("\N{NO-BREAK SPACE}", " ")
    for text in ("$ ictbench demo", "turn 1", "A learned prompt: ", 'choose "zap".'):
        assert text in shown
    assert set(re.findall(r"https?://[^\s\"']+", picture)) <= {
        "http://www.w3.org/2000/svg",
        "https://www.textualize.io",
    }
    assert not re.search(r"url\(['\"]?\w+:|href=|<script", picture)


def test_links_between_pages_have_targets() -> None:
    pages = [*PAGES, ROOT / "CHANGELOG.md"]
    links = [
        (page, link) for page in pages for link in re.findall(r"\]\(([^)#:\s]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert links
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_sizes_in_the_docs_match_the_suite() -> None:
    from ictbench import load_suite

    rows = re.findall(r"^\| (quick|lite|standard) \|(.*)\|$", (ROOT / "docs/runs.md").read_text("utf-8"), re.MULTILINE)
    stated = {name: [int(cell) for cell in cells.split("|")[:5]] for name, cells in rows}
    assert stated == {
        name: list(sizes.model_dump().values()) for name, sizes in load_suite("minihack-v1").profiles.items()
    }


def test_the_commands_of_the_example_workflow_are_valid(tmp_path: Path) -> None:
    text = (ROOT / "examples/github-actions-check.yml").read_text("utf-8")
    steps = yaml.safe_load(text)["jobs"]["check"]["steps"]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("ictbench ")]
    assert [command.split()[1] for command in commands] == ["campaign", "check"]
    play, check = commands
    (tmp_path / ".github").mkdir()
    copied = ROOT / "examples/campaigns/regression.yaml"
    (tmp_path / ".github/ictbench-campaign.yaml").write_bytes(copied.read_bytes())
    # Without a campaign, `check` gets as far as reading it.
    code = f"{play} --dry-run\n{check} 2> message || grep -q 'campaign does not exist' message"
    run_block(Block(ROOT / "examples", "test: run", "sh", code), tmp_path)

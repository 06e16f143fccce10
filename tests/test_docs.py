"""The code blocks of README and docs run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(
    r"^(?:<!-- (?P<marker>.*?) -->\n)?(?P<fence>```+)(?P<info>.*)\n(?P<code>(?:.*\n)*?)(?P=fence)$", re.MULTILINE
)
BIN = Path(os.environ.get("DOCS_BIN", Path(sys.executable).parent))
"""Programs that the blocks call; `.ci/wheel` names those of an installed wheel."""

OUTPUT = "text"
"""Language of blocks that show output."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page with its marker: `test: MODE` to run it, or `not run: REASON`."""

    page: Path
    marker: str
    language: str
    code: str

    @property
    def mode(self) -> str:
        """How to run it; empty if it is not run."""
        return self.marker.partition("test: ")[2]


def blocks_of(page: Path) -> list[Block]:
    matches = FENCED.finditer(page.read_text(encoding="utf-8"))
    return [Block(page, block["marker"] or "", block["info"], block["code"]) for block in matches]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
TESTED = [page for page in PAGES if any(block.mode for block in blocks_of(page))]


@pytest.mark.parametrize("page", TESTED, ids=lambda page: page.name)
def test_marked_blocks_run(page: Path, tmp_path: Path) -> None:
    for block in blocks_of(page):
        if block.mode:
            run_block(block, tmp_path)


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


def run_block(block: Block, folder: Path) -> None:
    """Run a block in the folder of its page. A first line `# NAME` is the name of its file."""
    title = re.match(r"# (\S+\.\w+)\n", block.code)
    path = folder / (title[1] if title else f"block.{block.language}")
    path.write_text(block.code, encoding="utf-8")
    commands = {
        ("run", "python"): [str(BIN / "python"), path.name],
        ("run", "sh"): ["bash", "-euo", "pipefail", path.name],
        # As written, but with fewer tasks than the profile has.
        ("small", "sh"): ["bash", "-euo", "pipefail", path.name],
        # Runs are planned, not played: options, models and pools are checked.
        ("plan", "sh"): ["bash", "-euo", "pipefail", "-c", f"{PLAN_ONLY}\n. ./{path.name}"],
        ("config", "yaml"): ["ictbench", "run", "--dry-run", "--config", path.name],
        # Used by another block of the page.
        ("file", "yaml"): ["true"],
    }
    sizes = SMALL if block.mode == "small" else {}
    environment = {**os.environ, **sizes, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        commands[block.mode, block.language],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{block.code}\n{done.stdout}\n{done.stderr}"


SMALL = {"ICTBENCH_LOOPS": "1", "ICTBENCH_SELECTION_SIZE": "2", "ICTBENCH_TEST_SIZE": "2"}
PLAN_ONLY = 'ictbench() { [ "$1" != run ] || set -- "$@" --dry-run; command ictbench "$@"; }'


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

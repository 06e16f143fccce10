"""Code blocks of README and docs: found by their markers, and run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
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


SMALL = {"ICTBENCH_LOOPS": "1", "ICTBENCH_SELECTION_SIZE": "2", "ICTBENCH_TEST_SIZE": "2"}
PLAN_ONLY = 'ictbench() { [ "$1" != run ] || set -- "$@" --dry-run; command ictbench "$@"; }'


def needs_training(page: Path) -> bool:
    """Return whether a page has a block that needs the packages for training; `make test-train` has them."""
    return any(block.mode == "train" for block in blocks_of(page))


def run_page(page: Path, folder: Path, seconds: float = 300) -> None:
    """Run the marked blocks of a page, in their order, in one folder."""
    for block in blocks_of(page):
        if block.mode:
            run_block(block, folder, seconds)


def run_block(block: Block, folder: Path, seconds: float = 300) -> None:
    """Run a block in the folder of its page. A first line `# NAME` is the name of its file."""
    title = re.match(r"# (\S+\.\w+)\n", block.code)
    path = folder / (title[1] if title else f"block.{block.language}")
    path.write_text(block.code, encoding="utf-8")
    commands = {
        ("run", "python"): [str(BIN / "python"), path.name],
        ("run", "sh"): ["bash", "-euo", "pipefail", path.name],
        ("train", "sh"): ["bash", "-euo", "pipefail", path.name],
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
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{block.code}\n{done.stdout}\n{done.stderr}"

"""What the pages tell a reader to type works as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"<!-- test: (?P<test>\w+) -->\n```(?P<language>\w+)\n(?P<code>.*?)```", re.DOTALL)
TESTED = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", TESTED, ids=lambda page: page.name)
def test_the_marked_blocks_of_a_page_work(page: Path, tmp_path: Path) -> None:
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        run_block(block["test"], block["language"], block["code"], tmp_path)


def run_block(test: str, language: str, code: str, folder: Path) -> None:
    """Run one block in a folder that all blocks of a page share; a first line `# name` says which file it is."""
    named = re.match(r"# (\S+\.\w+)\n", code)
    path = folder / (named[1] if named else f"block.{language}")
    path.write_text(code, encoding="utf-8")
    commands = {
        ("run", "python"): [sys.executable, path.name],
        ("run", "sh"): ["bash", "-euo", "pipefail", path.name],
        ("config", "yaml"): ["ictbench", "run", "--dry-run", "--config", path.name],
    }
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        commands[test, language], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    links = [
        (page, link) for page in pages for link in re.findall(r"\]\(([^)#:\s]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert links
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_sizes_in_the_docs_are_those_of_the_suite() -> None:
    from ictbench import load_suite

    rows = re.findall(r"^\| (quick|lite|standard) \|(.*)\|$", (ROOT / "docs/runs.md").read_text("utf-8"), re.MULTILINE)
    stated = {name: [int(cell) for cell in cells.split("|")[:5]] for name, cells in rows}
    assert stated == {
        name: list(sizes.model_dump().values()) for name, sizes in load_suite("minihack-v1").profiles.items()
    }


def test_the_commands_of_the_example_workflow_are_understood(tmp_path: Path) -> None:
    text = (ROOT / "examples/github-actions-check.yml").read_text("utf-8")
    steps = yaml.safe_load(text)["jobs"]["check"]["steps"]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("ictbench ")]
    assert [command.split()[1] for command in commands] == ["run", "check"]
    play, check = commands
    # The baseline is there before anything is played; without a run, that is all that is missing.
    code = f"{play} --dry-run\n{check} 2> said || grep -q 'run cannot be read' said"
    run_block("run", "sh", code, tmp_path)

"""The guides for contributors name files, targets and functions that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ictbench.testing

ROOT = Path(__file__).parent.parent
GUIDES = ("CONTRIBUTING.md", "AGENTS.md")
NAMED = re.compile(r"`((?:ictbench|tests|docs|examples|tasks|benchmarks)/[\w./-]*|[\w.-]+\.(?:py|toml|md))`")


@pytest.mark.parametrize("guide", GUIDES)
def test_files_that_a_guide_names_exist(guide: str) -> None:
    names = NAMED.findall((ROOT / guide).read_text(encoding="utf-8"))
    assert len(names) > 8
    missing = [name for name in names if not (ROOT / name).exists() and not (ROOT / "ictbench" / name).exists()]
    assert missing == []


def test_packages_of_the_layer_table_are_all_packages() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "ictbench").glob("*/__init__.py")}
    table = text.partition("| package | contents |")[2].partition("\n\n")[0]
    assert {name.rstrip("/") for name in re.findall(r"`(\w+)/`", table)} == packages


@pytest.mark.parametrize("guide", GUIDES)
def test_make_targets_that_a_guide_names_exist(guide: str) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = (ROOT / guide).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([\w-]+)", text, re.MULTILINE))
    assert named
    assert named <= targets


def test_conformance_checks_that_the_guide_names_are_public() -> None:
    named = set(re.findall(r"`ictbench\.testing\.(\w+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert len(named) == 4
    assert named <= set(ictbench.testing.__all__)

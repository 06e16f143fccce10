"""What a release needs agrees: version, change log, citation, workflow, install instructions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

import ictbench

ROOT = Path(__file__).parent.parent
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))


def test_the_version_is_the_same_everywhere() -> None:
    version = ictbench.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == version
    assert re.search(rf"^## {re.escape(version)} \(", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert f"ictbench-{version}-py3-none-any.whl" in (ROOT / "README.md").read_text("utf-8")


def test_only_the_publishing_job_gets_a_token_and_it_runs_no_code_of_the_repository() -> None:
    build, publish = WORKFLOW["jobs"]["build"], WORKFLOW["jobs"]["publish"]
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in build
    assert (publish["needs"], publish["environment"]) == ("build", "pypi")
    assert publish["permissions"] == {"id-token": "write"}
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert not any("run" in step for step in publish["steps"])
    assert "secrets" not in yaml.safe_dump(WORKFLOW)


def test_actions_are_pinned_and_the_wheel_runs_before_it_is_published() -> None:
    steps = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    assert all(re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in steps if "uses" in step)
    commands = [step["run"] for step in WORKFLOW["jobs"]["build"]["steps"] if "run" in step]
    assert commands[1:] == ["make dist", ".ci/wheel"]
    assert re.search(r"^dist:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_the_wheel_holds_suites_pages_and_templates() -> None:
    """Nothing that the package reads lies outside what the wheel takes along."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["ictbench"], "force-include": {"tasks": "ictbench/tasks"}}
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    # An ignored name without a leading slash would be left out at any depth.
    folders = {path.name for path in (ROOT / "ictbench").rglob("*") if path.is_dir() and path.name != "__pycache__"}
    assert not folders & {name.strip("/") for name in ignored if not name.startswith("/")}

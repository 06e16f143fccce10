from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ictbench.errors import ConfigError
from ictbench.scaffold import Kind, create

if TYPE_CHECKING:
    from collections.abc import Sequence

BIN = Path(sys.executable).parent


def done(folder: Path, command: Sequence[str]) -> str:
    """What a command says, run in the folder of a plug-in that is not installed."""
    ran = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


SMALL = ["--loops", "1", "--turns", "2", "--selection-size", "3", "--test-size", "6"]
RUNS: dict[Kind, list[str]] = {
    "env": ["--suite", "tiny_thing.yaml", "--reflector", "rules"],
    "reflector": [
        *("--env", "minihack", "--families", "eat"),
        "--reflector",
        "tiny_thing:TinyThingReflector",
        "--actor",
        "rules",
    ],
    "actor": [
        *("--env", "minihack", "--families", "eat"),
        "--actor",
        "tiny_thing:TinyThingActor",
        "--reflector",
        "none",
    ],
}


@pytest.mark.parametrize("kind", RUNS)
def test_a_new_plug_in_passes_its_tests_and_runs(kind: Kind, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    files = create(kind, "tiny_thing", folder)
    assert {str(path.relative_to(folder)) for path in files} == {
        *("pyproject.toml", "README.md", "tiny_thing.py", "tests/test_tiny_thing.py"),
        *(["tiny_thing.yaml"] if kind == "env" else []),
    }
    assert not [path for path in files if "$" in path.read_text(encoding="utf-8")]
    assert "passed" in done(folder, ["pytest", "-q", "-W", "error", "-p", "no:cacheprovider"])
    assert "success on test tasks" in done(folder, ["ictbench", "run", *RUNS[kind], *SMALL, "--out", "run"])


@pytest.mark.parametrize("kind", RUNS)
def test_a_new_plug_in_is_in_the_projects_own_style(kind: Kind, tmp_path: Path) -> None:
    create(kind, "tiny_thing", tmp_path / "mine")
    settings = str(Path(__file__).parents[2] / "pyproject.toml")
    rules = ["--config", settings, "--per-file-ignores", "tests/**:D", "--ignore", "TC"]
    done(tmp_path / "mine", ["ruff", "check", *rules])
    done(tmp_path / "mine", ["ruff", "format", "--check", "--config", settings])


@pytest.mark.parametrize("kind", RUNS)
def test_it_can_be_installed_under_its_name(kind: Kind, tmp_path: Path) -> None:
    create(kind, "tiny_thing", tmp_path / "mine")
    project = tomllib.loads((tmp_path / "mine/pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"] == {f"ictbench.{kind}s": {"tiny_thing": f"tiny_thing:TinyThing{kind.capitalize()}"}}
    wheel = done(tmp_path / "mine", ["python", "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"])
    assert "tiny_thing-0.1.0-py3-none-any.whl" in wheel


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("my-env", "'my-env' is no name for a module: use small letters, digits and _ in between, e.g. my_env"),
        ("MyEnv", "'MyEnv' is no name for a module"),
        ("3d", "'3d' is no name for a module"),
        ("_mine", "'_mine' is no name for a module"),
        ("a/b", "'a/b' is no name for a module"),
        ("", "'' is no name for a module"),
        ("lambda", "'lambda' is a word of Python itself; choose another name, e.g. my_lambda"),
        ("random", "'random' would hide a module that is installed; choose another name, e.g. my_random"),
        ("ictbench", "'ictbench' would hide a module that is installed"),
        ("pytest", "'pytest' would hide a module that is installed"),
    ],
)
def test_a_name_that_cannot_be_used_is_told(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        create("env", name, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is reflector 'rules' already; choose another name, e.g. my_rules"):
        create("reflector", "rules", tmp_path / "mine")
    with pytest.raises(ConfigError, match="there is no template of 'model'; there are env, reflector, actor"):
        create("model", "mine", tmp_path / "mine")  # type: ignore[arg-type]


def test_what_is_there_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny_thing").mkdir()
    with pytest.raises(ConfigError, match="'tiny_thing' exists already; choose another name, or another folder"):
        create("env", "tiny_thing")
    assert list((tmp_path / "tiny_thing").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"'file/mine' cannot be written: .*"):
        create("env", "tiny_thing", Path("file/mine"))

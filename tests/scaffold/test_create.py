from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ictbench.errors import ConfigError
from ictbench.scaffold import Kind, create

if TYPE_CHECKING:
    from collections.abc import Sequence

BIN = Path(sys.executable).parent
PROJECT = Path(__file__).parents[2]

SIZES = ["--loops", "1", "--turns", "2", "--selection-size", "2", "--test-size", "2", "--executor", "inline"]
MINIHACK = ["--env", "minihack", "--families", "eat"]
RUNS: dict[Kind, list[str]] = {
    "env": ["--suite", "tiny_thing-v1.yaml", "--reflector", "rules"],
    "reflector": [*MINIHACK, "--reflector", "tiny_thing:TinyThingReflector", "--actor", "rules"],
    "learner": [*MINIHACK, "--reflector", "tiny_thing:TinyThingLearner", "--actor", "rules"],
    "actor": [*MINIHACK, "--actor", "tiny_thing:TinyThingActor", "--reflector", "none"],
}


def output_of(command: Sequence[str], folder: Path, python_path: Path | None = None) -> str:
    """Run a command in a folder and return its output."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(python_path or folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=RUNS)
def plug_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Kind, Path]:
    """A new plug-in: its kind and its folder."""
    folder = tmp_path_factory.mktemp("plug_in") / "mine"
    create(request.param, "tiny_thing", folder)
    return request.param, folder


def test_a_new_plug_in_has_no_placeholders_left(plug_in: tuple[Kind, Path]) -> None:
    kind, folder = plug_in
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert set(files) >= {
        *("pyproject.toml", "README.md", "tiny_thing.py", "tests/test_tiny_thing.py"),
        *(["tiny_thing-v1.yaml"] if kind == "env" else []),
    }
    assert not [name for name, path in files.items() if "$" in path.read_text(encoding="utf-8")]


def test_a_new_plug_in_runs_without_being_installed(plug_in: tuple[Kind, Path], tmp_path: Path) -> None:
    kind, folder = plug_in
    command = ["ictbench", "run", *RUNS[kind], *SIZES, "--out", str(tmp_path / "run")]
    assert "success on test tasks" in output_of(command, folder)


def test_an_installed_plug_in_has_its_name_and_passes_its_tests(plug_in: tuple[Kind, Path], tmp_path: Path) -> None:
    kind, folder = plug_in
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    group = "reflector" if kind == "learner" else kind
    points = {f"ictbench.{group}s": {"tiny_thing": f"tiny_thing:TinyThing{kind.capitalize()}"}}
    suites = {"ictbench.suites": {"tiny_thing-v1": "tiny_thing"}} if kind == "env" else {}
    assert project["entry-points"] == {**points, **suites}
    output_of(["python", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)], folder)
    with zipfile.ZipFile(tmp_path / "tiny_thing-0.1.0-py3-none-any.whl") as wheel:
        wheel.extractall(tmp_path / "installed")
    pytest_command = ["pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "tests")]
    assert "passed" in output_of(pytest_command, folder, tmp_path / "installed")
    assert not (folder / "runs").exists()
    if kind == "env":
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        command = ["ictbench", "run", "--env", "tiny_thing", "--reflector", "rules", *SIZES, "--out", "run"]
        assert "success on test tasks" in output_of(command, elsewhere, tmp_path / "installed")
        verified = output_of(["ictbench", "verify", "run", "--executor", "inline"], elsewhere, tmp_path / "installed")
        assert "Passed." in verified.splitlines()
        assert "tiny_thing-v1" in output_of(["ictbench", "tasks", "list"], elsewhere, tmp_path / "installed")
    if kind == "reflector":
        # The plug-in by its name, and another class of the module of that name.
        with (tmp_path / "installed" / "tiny_thing.py").open("a", encoding="utf-8") as module:
            module.write("class Other(TinyThingReflector): ...\n")
        for number, name in enumerate(("tiny_thing", "tiny_thing:Other")):
            command = ["ictbench", "run", *MINIHACK, "--reflector", name, "--actor", "rules", *SIZES]
            output_of([*command, "--out", str(tmp_path / f"run-{number}")], tmp_path, tmp_path / "installed")


def test_a_new_plug_in_passes_the_style_checks_of_this_project(plug_in: tuple[Kind, Path]) -> None:
    _, folder = plug_in
    settings = ["--config", str(PROJECT / "pyproject.toml")]
    output_of(["ruff", "check", *settings, "--per-file-ignores", "tests/**:D", "--ignore", "TC"], folder)
    output_of(["ruff", "format", "--check", *settings], folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-env", "'my-env' is not a valid module name: use lower-case letters, .*, e.g. my_env"),
        ("MyEnv", "'MyEnv' is not a valid module name"),
        ("3d", "'3d' is not a valid module name"),
        ("_mine", "'_mine' is not a valid module name"),
        ("a/b", "'a/b' is not a valid module name"),
        ("", "'' is not a valid module name"),
        ("lambda", "'lambda' is a keyword of Python; choose another name, e.g. my_lambda"),
        ("random", "'random' would hide an installed module; choose another name, e.g. my_random"),
        ("ictbench", "'ictbench' would hide an installed module"),
        ("pytest", "'pytest' would hide an installed module"),
    ],
)
def test_an_unusable_name_is_refused(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        create("env", name, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_a_taken_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"reflector 'rules' already exists; choose another name, e.g. my_rules"):
        create("reflector", "rules", tmp_path / "mine")
    with pytest.raises(ConfigError, match=r"learner 'rules' already exists; choose another name, e.g. my_rules"):
        create("learner", "rules", tmp_path / "mine")
    with pytest.raises(ConfigError, match=r"no template for 'model' \(templates: env, reflector, learner, actor\)"):
        create("model", "mine", tmp_path / "mine")  # type: ignore[arg-type]


def test_existing_files_are_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny_thing").mkdir()
    with pytest.raises(ConfigError, match="'tiny_thing' already exists; choose another name, or another folder"):
        create("env", "tiny_thing")
    assert list((tmp_path / "tiny_thing").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/mine cannot be written .*; choose another --out"):
        create("env", "tiny_thing", Path("file/mine"))

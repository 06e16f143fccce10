"""The public names, and the order of the floors."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ictbench
from ictbench.runner.api import OptionsDict
from ictbench.runner.plan import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(ictbench.__file__).parent
ROOT = PACKAGE.parent

FLOORS = {
    **dict.fromkeys(("errors", "records", "resolve", "slots"), 1),
    **dict.fromkeys(("suites", "envs", "models", "rulebook"), 2),
    **dict.fromkeys(("actors", "reflectors"), 3),
    "engine": 4,
    "protocol": 5,
    "results": 6,
    "runner": 7,
    **dict.fromkeys(("export", "scaffold", "testing", "leaderboard", "meta", "train"), 8),
    "cli": 9,
}
TOP = 10
"""Of the package itself, which names everything, lazily; its version may be known anywhere."""


def test_the_public_names_are_one_sorted_list() -> None:
    assert ictbench.__all__ == sorted(ictbench.__all__)
    assert set(ictbench.__all__) == {
        *("Actor", "ChatModel", "Check", "Comparison", "Context", "Decision", "Episode", "History", "IctbenchError"),
        *("MetaEnv", "Observation", "Progress"),
        *("Reflection", "Reflector", "Result", "Run", "RunError", "Suite", "Task", "TextEnv", "Trajectory"),
        *("UsageError", "__version__", "check", "compare", "dry_run", "list_suites", "load_result", "load_run"),
        *("load_suite", "run", "verify", "write_report"),
    }
    assert dir(ictbench) == ictbench.__all__


@pytest.mark.parametrize("name", sorted(set(ictbench.__all__) - {"__version__"}))
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(ictbench, name)
    assert found.__name__ == name
    assert found.__module__.startswith("ictbench.")
    assert (found.__doc__ or "").strip()
    # Written by us, not inherited or made by a dataclass.
    assert not (found.__doc__ or "").startswith(f"{name}(")
    for member, value in vars(found).items() if inspect.isclass(found) else ():
        if inspect.isfunction(value) and not member.startswith("_") and value.__module__.startswith("ictbench."):
            assert (value.__doc__ or "").strip(), f"{name}.{member}"


def test_a_name_that_is_not_public_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'ictbench' has no attribute 'nothing'"):
        ictbench.nothing  # noqa: B018


def test_the_version_is_that_of_the_installed_package() -> None:
    assert importlib.metadata.version("ictbench") == ictbench.__version__


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "Typing :: Typed" in project["classifiers"]


def test_the_options_of_a_call_are_those_that_are_checked() -> None:
    assert set(OptionsDict.__annotations__) == set(Options.model_fields)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything of this package that a file imports, at any depth and for types too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "ictbench")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            if node.module == "ictbench":
                yield from ((node.lineno, f"ictbench.{alias.name}") for alias in node.names)
            elif node.module and node.module.startswith("ictbench."):
                yield node.lineno, node.module


def floor(dotted: str) -> int:
    """The floor that `ictbench.place.module` is on; public names are as high as where they live."""
    if dotted == "ictbench":
        return TOP
    place = dotted.split(".")[1]
    if place == "__version__":
        return 0
    return FLOORS[place if place in FLOORS else ictbench._HOMES[place].partition(".")[0]]


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def test_every_file_has_a_floor() -> None:
    assert len(FILES) > 40
    assert {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES} <= set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_import_runs_up_a_floor(path: Path) -> None:
    place = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    own = FLOORS[place]
    found = list(imports(path))
    upwards = [
        f"line {line}: {name}"
        for line, name in found
        # The command line is above all, the public calls included.
        if floor(name) > own and not (place == "cli" and name == "ictbench")
    ]
    assert upwards == []
    # Neighbours on one floor know nothing of each other, but for the ground floor, which all is made of.
    sideways = [
        f"line {line}: {name}"
        for line, name in found
        if floor(name) == own > 1 and name.split(".")[1] not in (place, "resolve") and place != "cli"
    ]
    assert sideways == []

"""The public names of the package."""

from __future__ import annotations

import importlib.metadata
import inspect
import tomllib
from pathlib import Path

import pytest
from option_files import files

import ictbench

PACKAGE = Path(ictbench.__file__).parent
ROOT = PACKAGE.parent


def test_the_public_names_are_one_sorted_list() -> None:
    assert ictbench.__all__ == sorted(ictbench.__all__)
    assert set(ictbench.__all__) == {
        *(
            "Actor",
            "Campaign",
            "ChatModel",
            "Check",
            "Comparison",
            "Context",
            "Decision",
            "Episode",
            "History",
            "IctbenchError",
        ),
        *("Candidate", "MetaEnv", "Observation", "Power", "Progress"),
        *("Reflection", "Reflector", "Result", "Run", "RunError", "Suite", "Task", "TextEnv", "Trajectory"),
        *(
            "UsageError",
            "__version__",
            "check",
            "compare",
            "dry_run",
            "export",
            "list_suites",
            "load_result",
            "load_run",
        ),
        *("campaign", "load_campaign", "load_suite", "power", "run", "verify", "write_report"),
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


def test_files_derived_from_the_options_are_current() -> None:
    for path, content in files().items():
        assert path.read_text("utf-8") == content, f"{path.name} differs from its declaration: run `make options`"

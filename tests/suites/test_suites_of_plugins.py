"""Suites that installed plug-ins register under `ictbench.suites`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from ictbench import list_suites, load_suite
from ictbench.errors import SuiteError, UnknownNameError
from ictbench.plugins import all_entry_points
from ictbench.runs.find_suite import find_suite
from ictbench.runs.options import Options
from ictbench.suites import shipped_suites
from ictbench.suites.load import suites_of_env

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHIPPED = shipped_suites()["minihack-v1"].read_text(encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path, as `pip install` fills it, with an environment."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lakes.py").write_text("from flawed_envs import Cellar\n\nclass Lake(Cellar): ...\n")
    monkeypatch.delitem(sys.modules, "lakes", raising=False)
    all_entry_points.cache_clear()
    yield tmp_path
    all_entry_points.cache_clear()


def install(site: Path, package: str, suites: str, envs: str = "lake = lakes:Lake") -> None:
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ictbench.envs]\n{envs}\n\n[ictbench.suites]\n{suites}\n")
    all_entry_points.cache_clear()


def write_suite(site: Path, name: str, env: str) -> None:
    text = SHIPPED.replace("name: minihack-v1", f"name: {name}").replace("env: minihack", f"env: {env}", 1)
    (site / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("env", ["lake", "lakes:Lake"])
def test_a_suite_of_a_plug_in_is_found_by_its_name_and_its_environment(site: Path, env: str) -> None:
    install(site, "lakes", "lake-v1 = lakes\nlake-v2 = lakes")
    write_suite(site, "lake-v1", env)
    write_suite(site, "lake-v2", env)
    assert load_suite("lake-v1").env == env
    assert {"lake-v1", "lake-v2", "minihack-v1"} <= set(list_suites())
    assert "lake-v1" not in shipped_suites(), "a board is only for suites that ship with ictbench"
    assert suites_of_env("lake") == suites_of_env("lakes:Lake") == ["lake-v1", "lake-v2"]
    assert find_suite(Options.parse({"env": "lake"}))[0].name == "lake-v2"
    assert find_suite(Options.parse({"env": "lake", "suite": "lake-v1"}))[0].name == "lake-v1"


def test_a_broken_suite_of_a_plug_in_stops_only_those_who_need_it(site: Path) -> None:
    install(site, "lakes", "lake-v1 = lakes\ngone-v1 = no_such_module")
    assert suites_of_env("minihack") == ["minihack-paper-v1", "minihack-stream-v1", "minihack-v1"]
    assert "gone-v1" not in list_suites()
    with pytest.raises(SuiteError, match=r"lake-v1.yaml cannot be read: .*No such file"):
        suites_of_env("lake")
    write_suite(site, "lake-v1", "lake")
    (site / "lake-v1.yaml").write_text((site / "lake-v1.yaml").read_text().replace("name: lake-v1", "name: pond-v1"))
    with pytest.raises(SuiteError, match="has the name 'pond-v1', but is registered as 'lake-v1'"):
        load_suite("lake-v1")


def test_an_installed_environment_without_a_suite_is_told_how_to_get_one(site: Path) -> None:
    install(site, "lakes", "")
    with pytest.raises(UnknownNameError, match="'lake'; name its file with --suite, or register it as an entry point"):
        suites_of_env("lake")


def test_a_suite_that_two_packages_register_is_refused(site: Path) -> None:
    install(site, "lakes", "lake-v1 = lakes")
    install(site, "ponds", "lake-v1 = lakes\nminihack-v1 = lakes", envs="pond = lakes:Lake")
    write_suite(site, "lake-v1", "lake")
    write_suite(site, "minihack-v1", "lake")
    with pytest.raises(UnknownNameError, match=r"lakes .* and ponds|ponds .* and lakes"):
        load_suite("lake-v1")
    with pytest.raises(UnknownNameError, match="suite 'minihack-v1' ships with ictbench, and ponds registers it too"):
        load_suite("minihack-v1")

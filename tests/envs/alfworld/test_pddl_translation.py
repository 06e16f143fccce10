"""Translation of PDDL: the cache on disk, invalid problems, and side effects of the translator."""

from __future__ import annotations

import multiprocessing
import sys
from typing import TYPE_CHECKING

import pytest

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld.pddl_translation import Translation, translate
from ictbench.envs.alfworld.procgen import generate
from ictbench.envs.file_cache import cache_folder
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from pathlib import Path

PROBLEM = generate("look", 1, "train").problem


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(tmp_path))
    return cache_folder("pddl")


def _translate(_: int) -> Translation:
    return translate(package.domain(), PROBLEM)


def test_a_problem_is_translated_once_and_cached(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _translate(0)
    assert [path.suffix for path in cache.iterdir()] == [".z"]
    monkeypatch.setattr(
        "ictbench.envs.alfworld.pddl_translation._translate", lambda *_: pytest.fail("translated again")
    )
    assert _translate(0) == first
    assert {"desklamp 1", "agent1 "} <= set(first.names.values())


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_cache_file_is_replaced(cache: Path, damage: bytes | None) -> None:
    first = _translate(0)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:100] if damage is None else damage)
    assert _translate(0) == first
    assert path.read_bytes() == whole


def test_processes_can_write_the_cache_at_the_same_time(cache: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        translations = pool.map(_translate, range(4), chunksize=1)
    # The order of ground operators depends on the process's hash seed; the engine does not depend on that order.
    first = translations[0]
    assert all(len(each.sas) == len(first.sas) and each.names == first.names for each in translations)
    assert all(sorted(each.facts) == sorted(first.facts) for each in translations)
    assert len(list(cache.iterdir())) == 1
    assert _translate(0) in translations


def test_a_cache_that_cannot_be_written_is_not_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(tmp_path / "file"))
    assert _translate(0).sas.startswith("begin_version")


def test_a_translation_prints_nothing_and_keeps_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    before = list(sys.argv)
    _translate(0)
    assert capsys.readouterr() == ("", "")
    assert sys.argv == before


def test_an_unreachable_goal_is_an_error(cache: Path) -> None:
    lamp = next(line for line in PROBLEM.splitlines() if "(toggleable" in line)
    with pytest.raises(EnvError, match="cannot be solved: its goal cannot be reached"):
        translate(package.domain(), PROBLEM.replace(lamp, ""))
    assert not list(cache.glob("*"))


@pytest.mark.parametrize("text", ["", "(define (problem", PROBLEM.replace("(:init", "(:int"), "no PDDL at all"])
def test_an_invalid_problem_is_an_error(text: str) -> None:
    with pytest.raises(EnvError, match="the game's PDDL cannot be translated"):
        translate(package.domain(), text)

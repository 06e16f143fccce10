"""Translating once: the cache on disk, bad PDDL, and what the translator does to the process."""

from __future__ import annotations

import multiprocessing
import sys
from typing import TYPE_CHECKING

import pytest

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld.pddl_translation import Translation, cache_folder, translate
from ictbench.envs.alfworld.procgen import generate
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from pathlib import Path

PROBLEM = generate("look", 1, "train").problem


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(tmp_path))
    return cache_folder()


def _translate(_: int) -> Translation:
    return translate(package.domain(), PROBLEM)


def test_it_is_translated_once_and_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _translate(0)
    assert [path.suffix for path in cache.iterdir()] == [".z"]
    monkeypatch.setattr(
        "ictbench.envs.alfworld.pddl_translation._translate", lambda *_: pytest.fail("translated again")
    )
    assert _translate(0) == first
    assert {"desklamp 1", "agent1 "} <= set(first.names.values())


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_file_is_made_again(cache: Path, damage: bytes | None) -> None:
    first = _translate(0)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:100] if damage is None else damage)
    assert _translate(0) == first
    assert path.read_bytes() == whole


def test_processes_that_write_one_cache_at_once_agree(cache: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(_translate, range(4), chunksize=1)
    # The order of ground operators depends on the process's hash seed; the engine does not depend on that order.
    assert all(len(one.sas) == len(found[0].sas) and one.names == found[0].names for one in found)
    assert all(sorted(one.facts) == sorted(found[0].facts) for one in found)
    assert len(list(cache.iterdir())) == 1
    assert _translate(0) in found


def test_a_cache_that_cannot_be_written_costs_time_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(tmp_path / "file"))
    assert _translate(0).sas.startswith("begin_version")


def test_it_prints_nothing_and_leaves_the_command_line_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = list(sys.argv)
    _translate(0)
    assert capsys.readouterr() == ("", "")
    assert sys.argv == before


def test_a_goal_out_of_reach_is_told(cache: Path) -> None:
    lamp = next(line for line in PROBLEM.splitlines() if "(toggleable" in line)
    with pytest.raises(EnvError, match="cannot be solved: its goal is out of reach"):
        translate(package.domain(), PROBLEM.replace(lamp, ""))
    assert not list(cache.glob("*"))


@pytest.mark.parametrize("text", ["", "(define (problem", PROBLEM.replace("(:init", "(:int"), "no PDDL at all"])
def test_what_is_no_problem_is_told_in_one_line(text: str) -> None:
    with pytest.raises(EnvError, match="the game's PDDL cannot be translated"):
        translate(package.domain(), text)

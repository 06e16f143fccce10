from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench import list_suites, load_suite
from ictbench.errors import SuiteError, UnknownNameError
from ictbench.suites.load import suites_of_env

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = list_suites()["minihack-v1"].read_text(encoding="utf-8")


def write_suite(folder: Path, text: str | bytes, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_shipped_suites_can_be_listed_and_loaded_by_name() -> None:
    names = list_suites()
    assert "minihack-v1" in names
    assert all(load_suite(name).name == name for name in names)


@pytest.mark.parametrize("name", ["mine.yaml", "mine.yml"])
def test_a_users_own_file_can_be_loaded(tmp_path: Path, name: str) -> None:
    path = write_suite(tmp_path, SHIPPED.replace("name: minihack-v1", "name: mine-v1"), name)
    suite = load_suite(path)
    assert suite.name == "mine-v1"
    assert suite == load_suite(str(path))
    assert suite.digest != load_suite("minihack-v1").digest
    assert suite.families == load_suite("minihack-v1").families


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("families: [", "cannot be read: line 1, column "),
        (b"name: \xff\xfe", "cannot be read: it is not UTF-8 text"),
        ("just text", "not valid: the file: 'just text' is not a mapping"),
        ("", "not valid: the file: None is not a mapping"),
        (SHIPPED + "\nlimit: 3\n", "not valid: limit is not a known field"),
        (
            SHIPPED.replace("max_steps: 25", "max_stepz: 25"),
            r"not valid: limits.max_stepz is not a known field; did you mean .max_steps.\? \(and 1 more\)",
        ),
        (
            SHIPPED.replace("role: meta-train", "role: train"),
            r"room-random.role: 'train' is not one of meta-train",
        ),
        (SHIPPED.replace("suite/1", "suite/9"), "not valid: schema: 'ictbench.suite/9' is not 'ictbench.suite/1'"),
        (SHIPPED.replace("last: 9999}", "last: 10000}"), "not valid: pools.seeds: .*overlap at seed 10000"),
        (SHIPPED.replace("turns: 6", "turns: yes"), "profiles.quick.turns: True is not a whole number"),
        (SHIPPED.replace("max_steps: 25", "max_steps: true"), "limits.max_steps: True is not a whole number"),
        (SHIPPED.replace("last: 9999}", "last: true}"), "pools.seeds.experience.last: True is not a whole number"),
        (SHIPPED.replace("last: 9999}", "last: 10000}"), "pools overlap at seed 10000$"),
        (SHIPPED.replace("  quick:", "  quik:"), "not valid: profiles.quik: 'quik' is not one of .*quick"),
        (SHIPPED.replace("turns: 6", "turns: many"), "profiles.quick.turns: 'many' is not a whole number"),
    ],
)
def test_an_invalid_file_is_an_error_of_one_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = write_suite(tmp_path, text)
    with pytest.raises(SuiteError, match=message) as caught:
        load_suite(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"nothing.yaml cannot be read"):
        load_suite(tmp_path / "nothing.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(SuiteError, match=r"folder.yaml cannot be read"):
        load_suite(tmp_path / "folder.yaml")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("minihack-v2", "did you mean 'minihack-v1'"),
        ("chess", "known: alfworld-paper-v1, alfworld-procgen-v1, alfworld-v1, babyai-v1"),
    ],
)
def test_an_unknown_name_is_an_error_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown suite '{name}'; {hint}.*name a .yaml file"):
        load_suite(name)


def test_the_suites_of_an_environment_are_found() -> None:
    assert load_suite(suites_of_env("minihack")[-1]).env == "minihack"
    with pytest.raises(UnknownNameError, match="`minihack-v1` is a suite: --suite minihack-v1"):
        suites_of_env("minihack-v1")
    with pytest.raises(UnknownNameError, match="no suite has the environment 'minihak'; did you mean 'minihack'"):
        suites_of_env("minihak")

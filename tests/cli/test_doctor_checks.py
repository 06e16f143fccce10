"""What doctor says of ALFWorld: with its games, without them, with a wrong folder, without the packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from official_games import official_games_folder

from ictbench.cli import doctor_checks as health
from ictbench.envs.alfworld import alfworld_package as package

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from ictbench.cli.doctor_checks import Check


def look() -> dict[str, Check]:
    return {check.what: check for check in health.checks()}


def test_without_the_games_doctor_counts_none_and_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    found = look()
    games, official = found["ALFWorld games"], found["suite alfworld-v1"]
    assert (games.ok, games.optional) == (official.ok, official.optional) == (False, True)
    assert games.found == "train 0 of 3,553, valid_seen 0 of 140, valid_unseen 0 of 134"
    assert games.remedy == "for suite alfworld-v1: ictbench data fetch alfworld"
    assert "ictbench data fetch alfworld" in official.remedy
    assert found["suite alfworld-procgen-v1"].ok
    assert list(tmp_path.iterdir()) == []


def test_with_the_games_doctor_counts_them_by_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(official_games_folder()))
    assert "valid_seen 140 of 140, valid_unseen 134 of 134" in look()["ALFWorld games"].found


def test_a_folder_that_is_none_is_told_and_nothing_else_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "nowhere"))
    found = look()
    for what in ("ALFWorld games", "suite alfworld-v1", "suite alfworld-procgen-v1"):
        assert (found[what].ok, found[what].optional) == (False, True)
        assert found[what].remedy.endswith("which is not a folder; correct it, or unset it")
    assert found["suite minihack-v1"].ok


def test_without_the_packages_alfworld_is_an_extra_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    for module in (package, health):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    found = look()
    for what in ("suite alfworld-v1", "suite alfworld-procgen-v1", "extra alfworld"):
        assert (found[what].ok, found[what].optional) == (False, True)
        assert "pip install 'ictbench[alfworld]'" in found[what].remedy
    assert found["suite minihack-v1"].ok

"""`ictbench doctor` on ALFWorld: with its games, without them, with a wrong folder, without its packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from official_games import official_games_folder

from ictbench.cli import doctor_checks
from ictbench.envs.alfworld import alfworld_package as package

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from ictbench.cli.doctor_checks import Check


def checks_by_name() -> dict[str, Check]:
    return {check.what: check for check in doctor_checks.run_checks()}


def test_missing_games_are_counted_with_the_command_that_fetches_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    checks = checks_by_name()
    games, official = checks["ALFWorld games"], checks["suite alfworld-v1"]
    assert (games.ok, games.optional) == (official.ok, official.optional) == (False, True)
    assert games.found == "train 0 of 3,553, valid_seen 0 of 140, valid_unseen 0 of 134"
    assert games.remedy == "for suite alfworld-v1: ictbench data fetch alfworld"
    assert "ictbench data fetch alfworld" in official.remedy
    assert checks["suite alfworld-procgen-v1"].ok
    assert list(tmp_path.iterdir()) == []


def test_games_are_counted_by_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(official_games_folder()))
    assert "valid_seen 140 of 140, valid_unseen 134 of 134" in checks_by_name()["ALFWorld games"].found


def test_a_wrong_data_folder_fails_only_the_checks_of_alfworld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "nowhere"))
    checks = checks_by_name()
    for what in ("ALFWorld games", "suite alfworld-v1", "suite alfworld-paper-v1", "suite alfworld-procgen-v1"):
        assert (checks[what].ok, checks[what].optional) == (False, True)
        assert checks[what].remedy.endswith("which is not a folder; correct it, or unset it")
    assert checks["suite minihack-v1"].ok


def test_without_its_packages_alfworld_is_an_extra_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    for module in (package, doctor_checks):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    checks = checks_by_name()
    for what in ("suite alfworld-v1", "suite alfworld-procgen-v1", "extra alfworld"):
        assert (checks[what].ok, checks[what].optional) == (False, True)
        assert "pip install 'ictbench[alfworld]'" in checks[what].remedy
    assert checks["suite minihack-v1"].ok


def test_every_suite_whose_packages_are_installed_can_be_played() -> None:
    checks = checks_by_name()
    for name in ("minihack-v1", "minihack-stream-v1", "alfworld-procgen-v1"):
        assert checks[f"suite {name}"].ok, checks[f"suite {name}"].remedy

"""`ictbench data`: output and exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine

NO_GAMES = "train 0 of 3,553, valid_seen 0 of 140, valid_unseen 0 of 134"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and a downloader that fails with the name of its target."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    (programs / "alfworld-download").write_text("import sys; sys.exit(f'no network for {sys.argv[2]}')")
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("ALFWORLD_DATA", str(data))
    return data


def test_a_check_without_games_prints_the_counts_and_the_remedy(call: CommandLine, folder: Path) -> None:
    code, out, err = call("data", "check", "alfworld")
    assert (code, out) == (1, "")
    assert err.startswith(f"ictbench: alfworld: {NO_GAMES}; the first problem: the official game train/")
    assert "run `ictbench data fetch alfworld`" in err
    assert err.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_failed_fetch_is_one_line_after_the_announcement(call: CommandLine, folder: Path) -> None:
    code, out, err = call("data", "fetch", "alfworld")
    assert (code, out) == (1, "")
    before, line = err.splitlines()
    assert before == f"alfworld: {NO_GAMES}; fetching with the package's own downloader"
    assert line.startswith(
        f"ictbench: the download of alfworld failed (no network for {folder}); usable now: {NO_GAMES}"
    )


def test_the_target_folder_is_created_and_checked(call: CommandLine, folder: Path) -> None:
    new = folder / "new" / "games"
    code, _, err = call("data", "fetch", "alfworld", "--out", str(new))
    assert code == 1
    assert f"no network for {new})" in err
    assert new.is_dir()
    (folder / "file").touch()
    code, _, err = call("data", "fetch", "alfworld", "--out", str(folder / "file"))
    assert code == 2
    assert err == f"ictbench: --out {folder / 'file'} cannot be created (File exists); choose another folder\n"


def test_a_complete_data_set_is_not_fetched(call: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ictbench.envs.alfworld import data

    complete = data.DataStatus({"train": 2}, {"train": 2}, None)
    monkeypatch.setattr(data, "check_data", lambda _: complete)
    assert call("data", "fetch", "alfworld") == (0, "alfworld: train 2 of 2; nothing to fetch\n", "")
    assert call("data", "check", "alfworld") == (0, "alfworld: train 2 of 2\n", "")
    code, out, _ = call("data", "fetch", "alfworld", "--out", str(folder / "a b"))
    assert code == 0
    assert out.splitlines()[1] == f"to use it: export ALFWORLD_DATA='{folder / 'a b'}'"
    code, _, err = call("data", "fetch", "alfworld", "--force")
    assert code == 1
    assert "the download of alfworld failed" in err


def test_wrong_names_are_refused(call: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("check", "fetch"):
        assert call("data", command, "alfword") == (
            2,
            "",
            "ictbench: 'alfword' is not a data set; did you mean 'alfworld'?\n",
        )
    nowhere = folder / "nowhere"
    monkeypatch.setenv("ALFWORLD_DATA", str(nowhere))
    for command in ("check", "fetch"):
        code, out, err = call("data", command, "alfworld")
        assert (code, out) == (2, "")
        assert err == f"ictbench: ALFWORLD_DATA is {str(nowhere)!r}, which is not a folder; correct it, or unset it\n"
    assert not nowhere.exists()

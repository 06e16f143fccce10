"""`ictbench data` as it is typed: what it prints, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from ictbench.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path

Ictbench = Callable[..., tuple[int, str, str]]

NOTHING = "train 0 of 3,553, valid_seen 0 of 140, valid_unseen 0 of 134"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ictbench:
    """The command line in this process: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ictbench", "data", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        return code if isinstance(code, int) else 0, *capsys.readouterr()

    return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and a downloader that only says where it would download to."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    (programs / "alfworld-download").write_text("import sys; sys.exit(f'no network for {sys.argv[2]}')")
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("ALFWORLD_DATA", str(data))
    return data


def test_a_check_of_nothing_counts_it_and_says_what_to_do(call: Ictbench, folder: Path) -> None:
    code, out, err = call("check", "alfworld")
    assert (code, out) == (1, "")
    assert err.startswith(f"ictbench: alfworld: {NOTHING}; the first problem: the official game train/")
    assert "run `ictbench data fetch alfworld`" in err
    assert err.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_fetch_that_fails_is_one_line_after_what_it_set_out_to_do(call: Ictbench, folder: Path) -> None:
    code, out, err = call("fetch", "alfworld")
    assert (code, out) == (1, "")
    before, line = err.splitlines()
    assert before == f"alfworld: {NOTHING}; fetching with the package's own downloader"
    assert line.startswith(
        f"ictbench: the download of alfworld failed (no network for {folder}); usable now: {NOTHING}"
    )


def test_a_folder_to_fetch_to_is_made_and_checked(call: Ictbench, folder: Path) -> None:
    new = folder / "new" / "games"
    code, _, err = call("fetch", "alfworld", "--to", str(new))
    assert code == 1
    assert f"no network for {new})" in err
    assert new.is_dir()
    (folder / "file").touch()
    code, _, err = call("fetch", "alfworld", "--to", str(folder / "file"))
    assert code == 2
    assert err == f"ictbench: --to {folder / 'file'} cannot be made a folder (File exists); name another\n"


def test_what_is_complete_is_not_fetched(call: Ictbench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ictbench.envs.alfworld import data

    complete = data.DataStatus({"train": 2}, {"train": 2}, None)
    monkeypatch.setattr(data, "check_data", lambda _: complete)
    assert call("fetch", "alfworld") == (0, "alfworld: train 2 of 2; nothing to fetch\n", "")
    assert call("check", "alfworld") == (0, "alfworld: train 2 of 2\n", "")
    code, out, _ = call("fetch", "alfworld", "--to", str(folder / "a b"))
    assert code == 0
    assert out.splitlines()[1] == f"to use it: export ALFWORLD_DATA='{folder / 'a b'}'"
    code, _, err = call("fetch", "alfworld", "--force")
    assert code == 1
    assert "the download of alfworld failed" in err


def test_wrong_names_are_told(call: Ictbench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("check", "fetch"):
        assert call(command, "alfword") == (
            2,
            "",
            "ictbench: 'alfword' is not a data set; did you mean 'alfworld'?\n",
        )
    nowhere = folder / "nowhere"
    monkeypatch.setenv("ALFWORLD_DATA", str(nowhere))
    for command in ("check", "fetch"):
        code, out, err = call(command, "alfworld")
        assert (code, out) == (2, "")
        assert err == f"ictbench: ALFWORLD_DATA is {str(nowhere)!r}, which is not a folder; correct it, or unset it\n"
    assert not nowhere.exists()

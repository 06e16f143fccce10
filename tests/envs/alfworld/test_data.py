"""Download and check of the official games, with a scripted program in place of the package's downloader."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path

import pytest
from official_games import official_games_folder

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld import data
from ictbench.errors import ConfigError, RunError, UnknownNameError
from ictbench.suites import load_suite
from ictbench.suites.pools import GamePools

GAME = json.dumps({"pddl_problem": "(define)", "grammar": package.grammar("put a mug in shelf")})
PROBLEM_SHA256 = hashlib.sha256(b"(define)").hexdigest()
ALL = ("train/a", "train/b", "valid_seen/c")

DOWNLOADER = """
import sys, pathlib
arguments = sys.argv[1:]
folder, game = pathlib.Path(arguments[arguments.index("--data-dir") + 1]), {game!r}
(pathlib.Path(__file__).parent / "flags").write_text(" ".join(arguments[2:]))
print("1 files skipped (use -f to overwrite).")
print("Downloading games:  50%|#####     |", end="\\r", file=sys.stderr)
for trial in {trials!r}:
    path = folder / "json_2.1.1" / trial / "game.tw-pddl"
    path.parent.mkdir(parents=True, exist_ok=True)
    if "--force" in arguments or not path.exists():
        path.write_text(game)
if {broken!r}:
    print("Traceback: ...\\nno network", file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and a suite of three games in two splits."""
    suite = load_suite("alfworld-v1")
    assert isinstance(suite.pools, GamePools)
    entries = [
        suite.pools.games[0].model_copy(update={"split": split, "game": game, "problem_sha256": PROBLEM_SHA256})
        for game in ALL
        for split in [game.partition("/")[0]]
    ]
    small = suite.model_copy(update={"pools": suite.pools.model_copy(update={"games": tuple(entries)})})
    monkeypatch.setattr(data, "load_suite", lambda _: small)
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    return tmp_path


def install_downloader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *trials: str, broken: bool = False) -> Path:
    """Install a downloader next to a link to this Python. Return the file into which it writes its flags."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    if not (programs / "python").exists():
        (programs / "python").symlink_to(sys.executable)
    text = DOWNLOADER.format(game=GAME, broken=broken, trials=list(trials))
    (programs / "alfworld-download").write_text(text)
    (programs / "flags").unlink(missing_ok=True)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    return programs / "flags"


def game_in(folder: Path, trial: str) -> Path:
    return folder / "json_2.1.1" / trial / "game.tw-pddl"


def test_downloaded_games_are_checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = install_downloader(folder, monkeypatch, *ALL)
    assert str(data.check_data("alfworld")) == "train 0 of 2, valid_seen 0 of 1"
    status = data.fetch_data("alfworld")
    assert status.complete
    assert str(status) == "train 2 of 2, valid_seen 1 of 1"
    assert data.check_data("alfworld", read_files=False) == status
    assert flags.read_text() == "", "nothing is overwritten"


def test_complete_data_is_downloaded_only_by_force(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_downloader(folder, monkeypatch, *ALL)
    data.fetch_data("alfworld")
    flags = install_downloader(folder, monkeypatch, *ALL, broken=True)
    assert data.fetch_data("alfworld").complete
    assert not flags.exists(), "the downloader was not started"
    flags = install_downloader(folder, monkeypatch, *ALL)
    assert data.fetch_data("alfworld", force=True).complete
    assert flags.read_text() == "--force --force-download"


def test_a_failed_download_is_an_error_and_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_downloader(folder, monkeypatch, "train/a")
    with pytest.raises(
        RunError,
        match=r"only these games are usable: train 1 of 2, valid_seen 0 of 1; the first problem: .* train/b is missing",
    ):
        data.fetch_data("alfworld")
    install_downloader(folder, monkeypatch, broken=True)
    with pytest.raises(
        RunError, match=r"failed \(no network\); usable now: train 1 of 2, valid_seen 0 of 1; run the command again"
    ):
        data.fetch_data("alfworld")
    assert game_in(folder, "train/a").read_text() == GAME
    install_downloader(folder, monkeypatch, "train/b", broken=True)
    with pytest.raises(RunError, match=r"usable now: train 2 of 2, valid_seen 0 of 1"):
        data.fetch_data("alfworld")


def test_a_missing_downloader_is_an_error_of_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_downloader(folder, monkeypatch)
    (folder / "bin" / "alfworld-download").unlink()
    with pytest.raises(RunError, match=r"failed \(.*alfworld-download.*No such file") as caught:
        data.fetch_data("alfworld")
    assert "\n" not in str(caught.value)


def test_the_downloaders_progress_is_shown_and_its_other_output_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    install_downloader(folder, monkeypatch, *ALL, broken=True)
    with pytest.raises(RunError):
        data.fetch_data("alfworld")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "\rDownloading games:  50%|#####     |\n")


def test_damaged_games_count_as_missing_and_every_check_reads_the_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = install_downloader(folder, monkeypatch, *ALL)
    data.fetch_data("alfworld")
    path = game_in(folder, "valid_seen/c")
    path.write_text(GAME[:40])
    status = data.check_data("alfworld")
    assert str(status) == "train 2 of 2, valid_seen 0 of 1"
    assert status.problem is not None
    assert "is damaged" in status.problem
    assert data.check_data("alfworld", read_files=False).complete
    path.write_text(GAME)
    assert data.check_data("alfworld").complete
    path.write_text(GAME.replace("define", "another"))
    status = data.check_data("alfworld")
    assert status.problem is not None
    assert "holds another problem" in status.problem
    assert data.fetch_data("alfworld").complete, "damaged games are overwritten"
    assert flags.read_text() == "--force"


def test_an_unknown_data_set_and_a_missing_folder_are_errors(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="'alfwold' is not a data set; did you mean 'alfworld'"):
        data.check_data("alfwold")
    monkeypatch.setenv("ALFWORLD_DATA", str(folder / "nowhere"))
    with pytest.raises(ConfigError, match="which is not a folder"):
        data.fetch_data("alfworld")
    assert not (folder / "nowhere").exists()


def test_the_shipped_list_of_games_is_complete() -> None:
    path = Path(data.__file__).parents[3] / "tasks" / "alfworld-v1.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["game"] for row in rows}) == len({row["problem_sha256"] for row in rows}) == 3827


def test_the_official_games_match_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(official_games_folder()))
    status = data.check_data("alfworld")
    assert status.expected == {"train": 3553, "valid_seen": 140, "valid_unseen": 134}
    assert (status.usable["valid_seen"], status.usable["valid_unseen"]) == (140, 134)

"""Fetching and checking the official games, with a downloader of our own in the package's place."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path

import pytest
from official_games import folder_of_official_games

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld import data
from ictbench.errors import ConfigError, RunError, UnknownNameError
from ictbench.suites import load_suite
from ictbench.suites.pools import GamePools

GAME = json.dumps({"pddl_problem": "(define)", "grammar": package.grammar("put a mug in shelf")})
GOOD = hashlib.sha256(b"(define)").hexdigest()
ALL = ("train/a", "train/b", "valid_seen/c")

DOWNLOADER = """
import sys, pathlib
given = sys.argv[1:]
to, game = pathlib.Path(given[given.index("--data-dir") + 1]), {game!r}
(pathlib.Path(__file__).parent / "given").write_text(" ".join(given[2:]))
print("1 files skipped (use -f to overwrite).")
print("Downloading games:  50%|#####     |", end="\\r", file=sys.stderr)
for trial in {trials!r}:
    path = to / "json_2.1.1" / trial / "game.tw-pddl"
    path.parent.mkdir(parents=True, exist_ok=True)
    if "--force" in given or not path.exists():
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
        suite.pools.games[0].model_copy(update={"split": split, "game": game, "problem_sha256": GOOD})
        for game in ALL
        for split in [game.partition("/")[0]]
    ]
    small = suite.model_copy(update={"pools": suite.pools.model_copy(update={"games": tuple(entries)})})
    monkeypatch.setattr(data, "load_suite", lambda _: small)
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    return tmp_path


def downloader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *trials: str, broken: bool = False) -> Path:
    """Put a downloader beside a Python that is this one; where it notes the flags that it was given."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    if not (programs / "python").exists():
        (programs / "python").symlink_to(sys.executable)
    text = DOWNLOADER.format(game=GAME, broken=broken, trials=list(trials))
    (programs / "alfworld-download").write_text(text)
    (programs / "given").unlink(missing_ok=True)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    return programs / "given"


def game_in(folder: Path, trial: str) -> Path:
    return folder / "json_2.1.1" / trial / "game.tw-pddl"


def test_what_is_fetched_is_checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = downloader(folder, monkeypatch, *ALL)
    assert str(data.check_data("alfworld")) == "train 0 of 2, valid_seen 0 of 1"
    held = data.fetch_data("alfworld")
    assert held.complete
    assert str(held) == "train 2 of 2, valid_seen 1 of 1"
    assert data.glance_at_data("alfworld") == held
    assert given.read_text() == "", "nothing is overwritten unasked"


def test_what_is_complete_is_fetched_only_by_force(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloader(folder, monkeypatch, *ALL)
    data.fetch_data("alfworld")
    given = downloader(folder, monkeypatch, *ALL, broken=True)
    assert data.fetch_data("alfworld").complete
    assert not given.exists(), "the downloader was not started"
    given = downloader(folder, monkeypatch, *ALL)
    assert data.fetch_data("alfworld", force=True).complete
    assert given.read_text() == "--force --force-download"


def test_a_downloader_that_fails_is_told_and_nothing_is_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloader(folder, monkeypatch, "train/a")
    with pytest.raises(
        RunError, match=r"but there is only: train 1 of 2, valid_seen 0 of 1; the first trouble: .* train/b is not"
    ):
        data.fetch_data("alfworld")
    downloader(folder, monkeypatch, broken=True)
    with pytest.raises(
        RunError, match=r"failed \(no network\); there is now: train 1 of 2, valid_seen 0 of 1; start it"
    ):
        data.fetch_data("alfworld")
    assert game_in(folder, "train/a").read_text() == GAME
    downloader(folder, monkeypatch, "train/b", broken=True)
    with pytest.raises(RunError, match=r"there is now: train 2 of 2, valid_seen 0 of 1"):
        data.fetch_data("alfworld")


def test_without_the_downloader_one_line_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloader(folder, monkeypatch)
    (folder / "bin" / "alfworld-download").unlink()
    with pytest.raises(RunError, match=r"failed \(.*alfworld-download.*No such file") as caught:
        data.fetch_data("alfworld")
    assert "\n" not in str(caught.value)


def test_progress_is_shown_and_the_downloaders_own_advice_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    downloader(folder, monkeypatch, *ALL, broken=True)
    with pytest.raises(RunError):
        data.fetch_data("alfworld")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "\rDownloading games:  50%|#####     |\n")


def test_damage_counts_as_missing_and_every_check_looks_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = downloader(folder, monkeypatch, *ALL)
    data.fetch_data("alfworld")
    path = game_in(folder, "valid_seen/c")
    path.write_text(GAME[:40])
    held = data.check_data("alfworld")
    assert str(held) == "train 2 of 2, valid_seen 0 of 1"
    assert held.trouble is not None
    assert "is damaged" in held.trouble
    assert data.glance_at_data("alfworld").complete, "a glance sees files, not what is in them"
    path.write_text(GAME)
    assert data.check_data("alfworld").complete
    path.write_text(GAME.replace("define", "another"))
    held = data.check_data("alfworld")
    assert held.trouble is not None
    assert "holds another problem" in held.trouble
    assert data.fetch_data("alfworld").complete, "what is damaged is overwritten"
    assert given.read_text() == "--force"


def test_an_unknown_data_set_and_a_wrong_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="no data set 'alfwold'; did you mean 'alfworld'"):
        data.check_data("alfwold")
    monkeypatch.setenv("ALFWORLD_DATA", str(folder / "nowhere"))
    with pytest.raises(ConfigError, match="which is no folder"):
        data.fetch_data("alfworld")
    assert not (folder / "nowhere").exists()


def test_the_list_that_ships_is_whole() -> None:
    path = Path(data.__file__).parents[3] / "tasks" / "alfworld-v1.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["game"] for row in rows}) == len({row["problem_sha256"] for row in rows}) == 3827


def test_the_official_games_are_those_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(folder_of_official_games()))
    held = data.check_data("alfworld")
    assert held.wanted == {"train": 3553, "valid_seen": 140, "valid_unseen": 134}
    assert (held.good["valid_seen"], held.good["valid_unseen"]) == (140, 134)

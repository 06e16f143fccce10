"""Fetching and checking the official games, with a downloader of our own in the package's place."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path

import pytest

from ictbench.envs.alfworld import package
from ictbench.errors import ConfigError, RunError, UnknownNameError
from ictbench.runner import data
from ictbench.suites import load_suite
from ictbench.suites.pools import GamePools

GAME = json.dumps({"pddl_problem": "(define)", "grammar": package.grammar("put a mug in shelf")})
GOOD = hashlib.sha256(b"(define)").hexdigest()

DOWNLOADER = """
import sys, pathlib
to, game = pathlib.Path(sys.argv[sys.argv.index("--data-dir") + 1]), {game!r}
if {broken!r}:
    print("Traceback: ...\\nno network", file=sys.stderr)
    sys.exit(1)
for trial in {trials!r}:
    folder = to / "json_2.1.1" / trial
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "game.tw-pddl").write_text(game)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and a suite of three games in two splits."""
    suite = load_suite("alfworld-v1")
    assert isinstance(suite.pools, GamePools)
    entries = [
        suite.pools.games[0].model_copy(update={"split": split, "game": game, "problem_sha256": GOOD})
        for split, game in (("train", "train/a"), ("train", "train/b"), ("valid_seen", "valid_seen/c"))
    ]
    small = suite.model_copy(update={"pools": suite.pools.model_copy(update={"games": tuple(entries)})})
    monkeypatch.setattr(data, "load_suite", lambda _: small)
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    return tmp_path


def downloader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *trials: str, broken: bool = False) -> None:
    """Put a downloader beside a Python that is this one."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    if not (programs / "python").exists():
        (programs / "python").symlink_to(sys.executable)
    text = DOWNLOADER.format(game=GAME, broken=broken, trials=list(trials))
    (programs / "alfworld-download").write_text(text)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))


def test_what_is_fetched_is_checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloader(folder, monkeypatch, "train/a", "train/b", "valid_seen/c")
    assert str(data.check_data("alfworld")) == "train 0 of 2, valid_seen 0 of 1"
    held = data.fetch_data("alfworld")
    assert held.complete
    assert str(held) == "train 2 of 2, valid_seen 1 of 1"
    assert data.glance_at_data("alfworld") == held
    downloader(folder, monkeypatch, broken=True)
    assert data.fetch_data("alfworld").complete, "what is complete is not fetched again"


def test_a_downloader_that_fails_is_told_and_nothing_is_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloader(folder, monkeypatch, "train/a")
    with pytest.raises(RunError, match=r"not all games are there: train 1 of 2, valid_seen 0 of 1; the official game"):
        data.fetch_data("alfworld")
    downloader(folder, monkeypatch, broken=True)
    with pytest.raises(RunError, match=r"failed \(no network\); what was there before is kept: train 1 of 2"):
        data.fetch_data("alfworld")
    assert (folder / "json_2.1.1/train/a/game.tw-pddl").read_text() == GAME


def test_damage_counts_as_missing_and_every_check_looks_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloader(folder, monkeypatch, "train/a", "train/b", "valid_seen/c")
    data.fetch_data("alfworld")
    path = folder / "json_2.1.1/valid_seen/c/game.tw-pddl"
    path.write_text(GAME[:40])
    held = data.check_data("alfworld")
    assert str(held) == "train 2 of 2, valid_seen 0 of 1"
    assert held.trouble is not None
    assert "is damaged" in held.trouble
    assert data.glance_at_data("alfworld").complete, "a glance sees files, not what is in them"
    path.write_text(GAME)
    assert data.check_data("alfworld").complete


def test_an_unknown_data_set_and_a_wrong_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="no data set 'alfwold'; did you mean 'alfworld'"):
        data.check_data("alfwold")
    monkeypatch.setenv("ALFWORLD_DATA", str(folder / "nowhere"))
    with pytest.raises(ConfigError, match="which is no folder"):
        data.fetch_data("alfworld")


def test_the_list_that_ships_is_whole() -> None:
    path = Path(data.__file__).parents[2] / "tasks" / "alfworld-v1.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["game"] for row in rows}) == len({row["problem_sha256"] for row in rows}) == 3827

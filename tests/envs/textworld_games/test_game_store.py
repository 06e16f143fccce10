"""Cache of compiled games: shared, atomic, safe from damage, and separate for each version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.envs.textworld_games import game_store, generator
from ictbench.envs.textworld_games.game_store import game_path, load_game
from ictbench.envs.textworld_games.generator import GameFiles, generate
from ictbench.envs.textworld_games.settings import CoinSettings, settings_of
from ictbench.errors import EnvError
from ictbench.records import digest_of
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.envs.textworld_games.textworld_env import TextWorldEnv

SETTINGS = CoinSettings(challenge="coin", length=2, rooms=2, seed=1)
FILES = GameFiles(b"story", b"{}")
SUITE = load_suite("textworld-v1")


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Use an empty cache and a generator that takes no time; return the settings that it is called with."""
    calls: list[Any] = []

    def generate(settings: Any) -> GameFiles:
        calls.append(settings)
        return FILES

    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(game_store, "generate", generate)
    return calls


def test_a_game_is_generated_once(generated: list[Any]) -> None:
    assert load_game(SETTINGS) == load_game(SETTINGS) == FILES
    assert generated == [SETTINGS]
    load_game(SETTINGS.model_copy(update={"seed": 2}))
    assert len(generated) == 2
    assert [path.suffix for path in game_path(SETTINGS).parent.iterdir()] == [".zip", ".zip"]


@pytest.mark.parametrize("package", ["textworld", "networkx", "numpy"])
def test_two_versions_never_share_a_game(generated: list[Any], monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    before = game_path(SETTINGS)
    game_store._versions.cache_clear()
    monkeypatch.setattr(game_store, "version", lambda name: "9.9" if name == package else metadata.version(name))
    assert game_path(SETTINGS) != before
    game_store._versions.cache_clear()


@pytest.mark.parametrize("damage", [b"", b"PK", "flip", "cut"])
def test_a_damaged_file_is_generated_again(generated: list[Any], damage: bytes | str) -> None:
    load_game(SETTINGS)
    path = game_path(SETTINGS)
    content = path.read_bytes()
    place = content.index(b"story", 40)
    match damage:
        case "flip":
            path.write_bytes(content[: place + 6] + bytes([content[place + 6] ^ 1]) + content[place + 7 :])
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case bytes():
            path.write_bytes(damage)
    assert load_game(SETTINGS) == FILES
    assert len(generated) == 2
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_only_costs_time(
    generated: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(tmp_path / "file"))
    assert load_game(SETTINGS) == load_game(SETTINGS) == FILES
    assert len(generated) == 2


def test_a_compiler_that_does_not_run_is_an_error_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INFORM_HOME", str(tmp_path))
    with pytest.raises(EnvError, match=r"cannot be compiled: .*No such file.*supported system"):
        generate(SETTINGS)


def test_a_quest_that_is_not_found_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from textworld.generator import QuestGenerationError

    seeds: list[Any] = []

    def make(_: Any, options: Any) -> str:
        seeds.append(options.seeds)
        if len(seeds) < 3:
            raise QuestGenerationError("no quest")
        return "game"

    monkeypatch.setattr(generator, "_make_game", make)
    assert generator.make_game(SETTINGS) == "game"
    assert len({json.dumps(seed) for seed in seeds}) == 3
    monkeypatch.setattr(generator, "ATTEMPTS", 0)
    with pytest.raises(EnvError, match="no game with these settings for seed 1"):
        generator.make_game(SETTINGS)


GENERATED = """
import json, sys
from ictbench.envs.textworld_games.textworld_env import TextWorldEnv
from ictbench.suites import load_suite
suite, env = load_suite("textworld-v1"), TextWorldEnv()
shown = {}
for family in sys.argv[1:]:
    first = env.reset(suite.scoring_tasks("test", family, 0, 1)[0])
    plan = env.solve()
    shown[family] = [first.digest, plan, *(env.step(command).digest for command in plan)]
print(json.dumps(shown))
"""


def test_another_process_generates_the_same_games(tmp_path: Path, env: TextWorldEnv) -> None:
    """With another seed of hashes, its own cache, and the games in another order."""
    families = ["keys", "cook", "coin"]
    for_process = {**os.environ, "ICTBENCH_CACHE_DIR": str(tmp_path), "PYTHONHASHSEED": "4711"}
    done = subprocess.run(
        [sys.executable, "-c", GENERATED, *families], env=for_process, capture_output=True, text=True, check=True
    )
    there = json.loads(done.stdout)
    for family in sorted(families):
        first = env.reset(SUITE.scoring_tasks("test", family, 0, 1)[0])
        plan = env.solve()
        assert there[family] == [first.digest, plan, *(env.step(command).digest for command in plan)]


@pytest.mark.parametrize("family", SUITE.families)
def test_a_family_has_the_games_of_its_version(env: TextWorldEnv, family: str) -> None:
    """A change of the generator, here or in a package, needs a new version of the suite."""
    first = env.reset(SUITE.scoring_tasks("test", family, 0, 1)[0])
    assert digest_of([first.text, first.actions, list(env.solve())], 8) == GAMES[family]


GAMES: dict[str, str] = {
    "coin": "e58676b3",
    "treasure": "b4b0de21",
    "ingredients": "7a4406df",
    "cut": "8f405c7b",
    "maze": "c6d6b451",
    "keys": "ac247439",
    "cook": "c2a5605f",
    "house": "ac63f930",
}


def test_a_task_of_each_family_has_valid_settings() -> None:
    for family in SUITE.families:
        tasks = [*SUITE.scoring_tasks("selection", family, 0, 1), *SUITE.first_tasks(family, 1)]
        assert [settings_of(task).split for task in tasks] == ["valid", "train"]

"""Game files that a suite file names: TextWorld's games, those that do not say enough, and files that changed."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import textworld
from external_suites import external_suite
from textworld.challenges import coin_collector
from textworld.generator import compile_game

from ictbench.envs import checked_versions, env_class, env_maker
from ictbench.errors import ConfigError
from ictbench.testing import check_env

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.envs.external.game_env import GameEnv
    from ictbench.records import Task
    from ictbench.suites.suite import Suite


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two games."""
    folder = tmp_path_factory.mktemp("games")
    for level in (1, 2):
        options = textworld.GameOptions()
        options.seeds = level
        options.path = str(folder / f"coin-{level}.z8")
        compile_game(coin_collector.make({"level": level}, options), options)
    return folder


def tasks_of(suite: Suite, size: int = 2) -> list[Task]:
    return [task for family in suite.families for task in suite.scoring_tasks("test", family, 0, size)]


def refusal(env: str, **params: Any) -> str:
    suite = external_suite(env, **params)
    with pytest.raises(ConfigError) as caught:
        checked_versions(suite.env, tasks_of(suite))
    return str(caught.value)


def test_a_game_is_played_with_its_admissible_commands_score_and_end(games: Path) -> None:
    suite = external_suite(f"game:{games / 'coin-1.z8'}")
    versions = checked_versions(suite.env, tasks_of(suite))
    assert set(versions) == {"textworld", "jericho", "coin-1.z8", "coin-1.json"}
    assert versions["coin-1.z8"] == hashlib.sha256((games / "coin-1.z8").read_bytes()).hexdigest()
    with closing(env_maker(suite.env)()) as env:
        first = env.reset(tasks_of(suite)[0])
        assert "look" in first.actions
        assert first.actions == tuple(sorted(first.actions))
        assert (first.progress, first.end) == (0.0, None)
        last = env.step("take coin")
        assert (last.end, last.reward, last.progress) == ("solved", 1.0, 1.0)
        assert not last.text.endswith(">")
        assert env.reset(tasks_of(suite)[0]) == first


def test_a_game_that_is_won_without_all_points_is_done(games: Path) -> None:
    suite = external_suite(f"game:{games / 'coin-1.z8'}")
    with closing(env_maker(suite.env)()) as env:
        env.reset(tasks_of(suite)[0])
        state = SimpleNamespace(
            score=25, max_score=350, won=True, lost=False, admissible_commands=["look"], feedback="You have won."
        )
        last = cast("GameEnv", env)._observe(state)
    assert (last.end, last.progress) == ("solved", 1.0)


def test_a_file_that_changes_is_opened_again(games: Path, tmp_path: Path) -> None:
    suite = external_suite(f"game:{tmp_path / 'coin.z8'}")
    shown = {}
    with closing(env_maker(suite.env)()) as env:
        for level in (1, 2):
            for suffix in (".z8", ".json"):
                shutil.copy(games / f"coin-{level}{suffix}", tmp_path / f"coin{suffix}")
            first = env.reset(tasks_of(suite)[0])
            shown[env.versions()["coin.z8"]] = first.text
    digests = [hashlib.sha256((games / f"coin-{level}.z8").read_bytes()).hexdigest() for level in (1, 2)]
    assert list(shown) == digests
    assert len(set(shown.values())) == 2


def test_a_folder_of_games_keeps_the_contract(games: Path) -> None:
    suites = [external_suite(f"game:{games}", game=f"coin-{level}.z8") for level in (1, 2)]
    tasks = [
        suite.scoring_tasks("test", family, 0, 1)[0] for suite, family in zip(suites, suites[0].families, strict=True)
    ]
    check_env(env_class(suites[0].env), tasks, max_steps=6)
    with closing(env_maker(suites[0].env)()) as env:
        digests = []
        for task in tasks:
            env.reset(task)
            digests.append(set(env.versions()))
    assert [sorted(digest - {"textworld", "jericho"}) for digest in digests] == [
        ["coin-1.json", "coin-1.z8"],
        ["coin-2.json", "coin-2.z8"],
    ]


def test_actions_of_the_suite_go_before_those_of_the_game(games: Path) -> None:
    suite = external_suite(f"game:{games / 'coin-1.z8'}", interface={"actions": ["look", "go north"]})
    with closing(env_maker(suite.env)()) as env:
        assert env.reset(tasks_of(suite)[0]).actions == ("look", "go north")


def test_a_game_that_does_not_say_when_it_is_won_is_refused(games: Path, tmp_path: Path) -> None:
    alone = shutil.copy(games / "coin-1.z8", tmp_path / "alone.z8")
    assert "does not say when it is won" in refusal(f"game:{alone}", interface={"actions": ["look"]})


def test_files_that_are_missing_changed_or_no_games_are_refused(games: Path) -> None:
    coin = f"game:{games / 'coin-1.z8'}"
    assert "coin-9.z8 is not found (a relative path starts" in refusal(f"game:{games / 'coin-9.z8'}")
    assert "is not a compiled game: name one that ends in .z1" in refusal(f"game:{games / 'coin-1.json'}")
    assert "is a folder: params need `game`" in refusal(f"game:{games}")
    assert "is a folder: params need `game`" in refusal(f"game:{games}", game="../coin-1.z8")
    assert "it is another version of the game" in refusal(coin, problem_sha256="0" * 64)
    assert "a list of `actions` and nothing else" in refusal(coin, interface={"solved_reward": 1})
    assert "params of family 'one': " in refusal(coin, seeds=1)

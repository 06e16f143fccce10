"""ALFWorld as an environment: official and generated games, missing and damaged files."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import official_games
import pytest

from ictbench import load_suite
from ictbench.envs.alfworld.alfworld_env import AlfworldEnv
from ictbench.errors import ConfigError, EnvError, UsageError
from ictbench.records import Observation, Task

OFFICIAL, GENERATED = load_suite("alfworld-v1"), load_suite("alfworld-procgen-v1")


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = official_games.official_games_folder()
    monkeypatch.setenv("ALFWORLD_DATA", str(folder))
    return folder


@pytest.fixture
def single_game(official: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Task, Path]:
    """A task and its game file, in a data folder without other games."""
    task = OFFICIAL.scoring_tasks("test", "cool", 0, 1)[0]
    inside = Path("json_2.1.1", str(task.params["game"]))
    shutil.copytree(official / inside, tmp_path / inside)
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    return task, tmp_path / inside / "game.tw-pddl"


def play_randomly(env: AlfworldEnv, task: Task, steps: int) -> list[Observation]:
    observations, rng = [env.reset(task)], random.Random(task.id)
    for _ in range(steps):
        observations.append(env.step(rng.choice(observations[-1].actions)))
    return observations


@pytest.mark.parametrize("family", OFFICIAL.families)
def test_the_solver_wins_an_official_game_of_each_family(official: Path, family: str) -> None:
    env = AlfworldEnv()
    for pool in ("selection", "test"):
        task = OFFICIAL.scoring_tasks(pool, family, 0, 1)[0]
        observation = env.reset(task)
        assert "Your task is to: " in observation.text
        assert str(task.params["game"]).rsplit("/", 1)[1] not in observation.text
        for command in env.solve():
            assert (observation.end, observation.reward) == (None, 0.0)
            assert command in observation.actions
            observation = env.step(command)
        assert (observation.end, observation.reward) == ("solved", 1.0)
    env.close()


def test_texts_and_commands_equal_those_of_textworld(official: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Play two games at random; `benchmarks/alfworld_speed.py --identity` compares all 274, solved and at random."""
    monkeypatch.setattr(sys, "argv", sys.argv)  # importing Fast Downward overwrites it
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
    from textworld.core import EnvInfos
    from textworld.envs import PddlEnv

    env = AlfworldEnv()
    for family in ("look", "heat"):
        task = OFFICIAL.scoring_tasks("test", family, 0, 1)[0]
        stock = AlfredDemangler(PddlEnv(EnvInfos(admissible_commands=True, won=True)))
        file = official / "json_2.1.1" / str(task.params["game"]) / "game.tw-pddl"
        stock.load(json.loads(file.read_text()))  # given the path, TextWorld leaves the file open
        state, observation, rng = stock.reset(), env.reset(task), random.Random(task.id)
        for _ in range(12):
            assert (state.feedback, tuple(state.admissible_commands)) == (observation.text, observation.actions)
            assert bool(state.won) == (observation.end == "solved")
            no_effect = ("go", "help", "look", "inventory")
            useful = [action for action in observation.actions if not action.startswith(no_effect)]
            command = rng.choice(useful if useful and rng.random() < 0.6 else observation.actions)
            (state, *_), observation = stock.step(command), env.step(command)


def test_a_new_a_used_environment_and_another_process_play_the_same_episode() -> None:
    first, second = (GENERATED.scoring_tasks("test", family, 0, 1)[0] for family in ("clean", "look"))
    env = AlfworldEnv()
    fresh = [observation.digest for observation in play_randomly(env, first, 12)]
    play_randomly(env, second, 5)
    assert [observation.digest for observation in play_randomly(env, first, 12)] == fresh
    env.close()
    assert [observation.digest for observation in play_randomly(AlfworldEnv(), first, 12)] == fresh
    program = (
        "import sys, json; sys.path[:0] = sys.argv[2:]\n"
        "from test_alfworld_env import AlfworldEnv, Task, play_randomly\n"
        "task = Task.model_validate_json(sys.argv[1])\n"
        "print(json.dumps([observation.digest for observation in play_randomly(AlfworldEnv(), task, 12)]))"
    )
    folders = [str(Path(__file__).parent), str(Path(official_games.__file__).parent)]
    command = [sys.executable, "-c", program, first.model_dump_json(), *folders]
    process = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "7"}, check=True, capture_output=True, text=True
    )
    assert json.loads(process.stdout) == fresh


def test_several_closed_environments_do_not_crash_the_process() -> None:
    task = GENERATED.scoring_tasks("test", "look", 0, 1)[0]
    program = (
        "import sys; from ictbench.envs.alfworld.alfworld_env import AlfworldEnv; from ictbench import Task\n"
        "envs = [AlfworldEnv() for _ in range(3)]\n"
        "for env in envs: env.reset(Task.model_validate_json(sys.argv[1]))\n"
        "for env in envs: env.close(); env.close()\n"
    )
    assert subprocess.run([sys.executable, "-c", program, task.model_dump_json()], check=False).returncode == 0


def test_versions_and_params_have_the_digests_of_the_file_and_its_problem(single_game: tuple[Task, Path]) -> None:
    task, path = single_game
    env = AlfworldEnv()
    assert "game.tw-pddl" not in env.versions()
    env.reset(task)
    content = path.read_bytes()
    assert env.versions()["game.tw-pddl"] == hashlib.sha256(content).hexdigest()
    assert task.params["problem_sha256"] == hashlib.sha256(json.loads(content)["pddl_problem"].encode()).hexdigest()


def test_the_grammar_in_a_game_file_is_ignored(single_game: tuple[Task, Path]) -> None:
    task, path = single_game
    env = AlfworldEnv()
    before, data = env.reset(task), json.loads(path.read_text())
    data["grammar"] = data["grammar"].replace("You are in the middle of a room", "You wake up")
    path.write_text(json.dumps(data))
    assert env.reset(task) == before


def test_a_goal_in_a_game_file_runs_no_code(single_game: tuple[Task, Path]) -> None:
    task, path = single_game
    data = json.loads(path.read_text())
    for code in (
        "{().__class__.__base__.__subclasses__()}",
        "[{o.name | holds(a:agent, o:object)}]",
        "#look.feedback#",
    ):
        data["grammar"] = re.sub(r"Your task is to: [^\"]*", f"Your task is to: put it {code}.", data["grammar"])
        path.write_text(json.dumps(data))
        with pytest.raises(EnvError, match="a goal is a sentence"):
            AlfworldEnv().reset(task)
        assert "a goal is a sentence" in str(AlfworldEnv.unplayable([task]))


def test_missing_damaged_and_changed_games_are_reported(single_game: tuple[Task, Path]) -> None:
    task, path = single_game
    other = OFFICIAL.scoring_tasks("test", "cool", 0, 2)[1]
    assert AlfworldEnv.unplayable([task]) is None
    message = AlfworldEnv.unplayable([task, other])
    assert message is not None
    assert message.startswith("1 of 2 ALFWorld games cannot be used; the first: the official game")
    assert "ictbench data fetch alfworld" in message
    whole = path.read_text()
    data = json.loads(whole)
    for content, problem in (
        (whole[: len(whole) // 2], "is damaged"),
        (json.dumps({**data, "pddl_problem": data["pddl_problem"] + " "}), "holds another problem"),
        (json.dumps({**data, "grammar": "none"}), "is damaged"),
        (json.dumps([1]), "is damaged"),
    ):
        path.write_text(content)
        with pytest.raises(EnvError, match=problem) as caught:
            AlfworldEnv().reset(task)
        assert "\n" not in str(caught.value)


def test_a_missing_data_folder_is_an_error_and_is_not_created(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    monkeypatch.setenv("ALFWORLD_DATA", str(wrong))
    with pytest.raises(ConfigError, match=r"ALFWORLD_DATA is .*wrong', which is not a folder; correct it, or unset it"):
        AlfworldEnv()
    assert not wrong.exists()


def test_params_that_are_not_a_game_are_an_error() -> None:
    task = Task(id="x", family="pick", env="alfworld", params={"family": "pick", "seed": 1, "rooms": "cellar"})
    with pytest.raises(UsageError, match=r"task 'x': params need `game` and `problem_sha256`, or"):
        AlfworldEnv().reset(task)

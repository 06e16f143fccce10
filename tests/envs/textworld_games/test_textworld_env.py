"""TextWorld's games as text: what is shown, what is offered, when a task is solved, and progress."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.envs.textworld_games import textworld_env
from ictbench.envs.textworld_games.generator import GameFiles
from ictbench.envs.textworld_games.textworld_env import TextWorldEnv
from ictbench.errors import EnvError, MissingExtraError, UsageError
from ictbench.records import Task
from ictbench.suites import load_suite
from ictbench.testing import check_env

if TYPE_CHECKING:
    from ictbench.records import Observation

SUITE = load_suite("textworld-v1")
COOK = {"challenge": "cooking", "cook": True, "split": "test"}
RAW = {"challenge": "cooking", "ingredients": 2}


def scored_task(family: str, number: int = 0) -> Task:
    return SUITE.scoring_tasks("test", family, 0, number + 1)[number]


def task(**params: Any) -> Task:
    return Task(id="game-1", family="game", env="textworld", params={"seed": 1, **params})


def play(env: TextWorldEnv, *commands: str) -> Observation:
    for command in commands:
        observation = env.step(command)
    return observation


def test_the_first_observation_has_the_task_the_room_and_what_is_carried(env: TextWorldEnv) -> None:
    first = env.reset(scored_task("cook"))
    lines = first.text.splitlines()
    assert lines[:3] == [
        "Your task: Prepare the meal of the cookbook, which is in the kitchen, and eat it.",
        "",
        "-= Kitchen =-",
    ]
    assert lines[-3:] == ["", "You are in the kitchen.", "You carry nothing."]
    assert "cookbook" in first.text
    assert "\n\n\n" not in first.text
    assert all(line == line.strip() for line in lines)
    assert not [part for part in ("$$$", "TextWorld!", "\n>") if part in first.text]


def test_a_reply_is_the_games_own_without_prompt_and_status_line(env: TextWorldEnv) -> None:
    env.reset(scored_task("cook"))
    took = env.step(next(command for command in env.solve() if command.startswith("take")))
    first, blank, score, *situation = took.text.splitlines()
    assert first.startswith("You take the ")
    assert (blank, score) == ("", "Your score has just gone up by one point.")
    assert situation[:2] == ["", "You are in the kitchen."]
    assert situation[2].startswith("You carry: ")


@pytest.mark.parametrize("family", SUITE.families)
def test_the_walkthrough_wins_within_the_decisions_of_the_suite(env: TextWorldEnv, family: str) -> None:
    first = env.reset(scored_task(family))
    observations = [env.step(command) for command in env.solve()]
    assert len(observations) <= SUITE.limits.max_steps
    assert observations[-1].end == "solved"
    assert {observation.end for observation in observations[:-1]} == {None}
    progress = [observation.progress or 0 for observation in (first, *observations)]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0, 1)
    assert "*** The End ***" in observations[-1].text
    assert "RESTART" not in observations[-1].text
    # The reward is the score of the game, and progress its share of the maximum.
    total = sum(observation.reward for observation in observations)
    assert observations[0].reward == (progress[1] - progress[0]) * total


def test_progress_is_the_score_divided_by_the_maximum(env: TextWorldEnv) -> None:
    env.reset(task(**COOK))
    plan = env.solve()
    points = [env.step(command) for command in plan if command != plan[-1]]
    assert sum(observation.reward for observation in points) == 3
    assert points[-1].progress == 0.75


@pytest.mark.parametrize("family", ["coin", "maze", "treasure", "keys"])
def test_the_task_names_the_goal_and_not_the_way(env: TextWorldEnv, family: str) -> None:
    first = env.reset(scored_task(family))
    goal = env.solve()[-1]
    thing = goal.removeprefix("take ").partition(" from ")[0]
    assert first.text.splitlines()[0] == f"Your task: Find the {thing} and take it."


def test_taking_the_other_thing_loses_the_game(env: TextWorldEnv) -> None:
    for seed in range(20):
        first = env.reset(task(challenge="treasure", mode="easy", length=1, rooms=2, seed=seed))
        (wanted,) = env.solve()
        if other := [command for command in first.actions if command.startswith("take ") and command != wanted]:
            break
    lost = env.step(other[0])
    assert (lost.end, lost.reward, lost.progress) == ("env_ended", 0.0, 0.0)
    assert lost.text.count("*** You lost! ***") == 1
    assert "RESTART" not in lost.text


def test_burned_food_loses_the_game(env: TextWorldEnv) -> None:
    env.reset(task(**COOK))
    plan = list(env.solve())
    cook = next(command for command in plan if command.startswith("cook "))
    play(env, *plan[: plan.index(cook) + 1])
    burned = env.step(cook)
    assert burned.text.startswith("You burned the ")
    assert (burned.end, burned.reward, burned.progress) == ("env_ended", 0.0, 0.5)


def test_the_meal_can_be_prepared_in_the_kitchen_only_and_its_offer_tells_nothing(env: TextWorldEnv) -> None:
    first = env.reset(task(**RAW))
    assert "prepare meal" in first.actions
    refused = env.step("prepare meal")
    assert refused.text.startswith("You still miss something.")
    assert (refused.end, refused.progress) == (None, 0.0)
    house = env.reset(scored_task("house", 1))
    seen = {"kitchen" in house.text.splitlines()[-2]: "prepare meal" in house.actions}
    for command in env.solve():
        observation = env.step(command)
        if observation.end is None:
            seen[observation.text.splitlines()[-2] == "You are in the kitchen."] = "prepare meal" in observation.actions
    assert seen.get(True) is True
    assert not seen.get(False)


def test_commands_are_sorted_and_nothing_else_is_left_out(env: TextWorldEnv) -> None:
    first = env.reset(task(**RAW))
    assert list(first.actions) == sorted({*first.actions})
    assert {"look", "inventory", "examine cookbook", "examine table"} < {*first.actions}
    assert {*env._state.admissible_commands} == {*first.actions} - {"prepare meal"}


def test_nothing_that_is_shown_names_the_settings_or_the_seed(env: TextWorldEnv) -> None:
    for family in ("treasure", "cook"):
        shown = env.reset(scored_task(family)).text
        assert not [word for word in ("20000", "medium", "challenge", "split", "test") if word in shown]


def test_the_class_keeps_the_contract_of_environments() -> None:
    check_env(TextWorldEnv, [scored_task("coin"), scored_task("keys"), scored_task("cook"), scored_task("cook", 1)])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "challenge"),
        ({"challenge": "chess"}, "challenge"),
        ({"challenge": "coin", "length": 5}, "rooms"),
        ({"challenge": "coin", "length": 5, "rooms": 5, "seed": -1}, "seed"),
        ({"challenge": "coin", "length": 5, "rooms": 5, "seed": True}, "seed"),
        ({"challenge": "coin", "length": 5, "rooms": 5, "dead_ends": "many"}, "dead_ends"),
        ({"challenge": "coin", "length": 5, "rooms": 4}, "4 rooms"),
        ({"challenge": "treasure", "mode": "medium", "length": 99, "rooms": 6}, "length"),
        ({"challenge": "cooking", "rooms": 2}, "rooms"),
        ({"challenge": "cooking", "split": "all"}, "split"),
        ({"challenge": "cooking", "boil": True}, "boil"),
        ({"challenge": "cooking", "cut": True, "rooms": 9}, "9 rooms"),
    ],
)
def test_params_that_are_not_those_of_a_game_are_an_error(
    env: TextWorldEnv, params: dict[str, Any], message: str
) -> None:
    wrong = task(**params)
    with pytest.raises(UsageError, match=f"task 'game-1': .*{message}"):
        env.reset(wrong)
    assert message in str(TextWorldEnv.unplayable([scored_task("coin"), wrong]))
    assert TextWorldEnv.unplayable([scored_task("coin")]) is None


def test_a_walkthrough_that_does_not_win_is_an_error(env: TextWorldEnv) -> None:
    env.reset(task(**RAW))
    assert env._files
    env._files = GameFiles(env._files.story, env._files.facts.replace(b'"eat meal"', b'"look"'))
    with pytest.raises(EnvError, match=r"walkthrough does not win the game: \[.*'prepare meal', 'look'\]"):
        env.solve()


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textworld", None)
    with pytest.raises(MissingExtraError, match=r"ictbench\[textworld\]"):
        TextWorldEnv()
    assert textworld_env._versions().keys() == {"textworld", "jericho"}

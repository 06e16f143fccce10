"""Gymnasium environments that a suite file names: what is shown, offered and solved, and what is refused."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from external_suites import external_suite

from ictbench import load_suite
from ictbench.envs import checked_versions, env_class, env_maker
from ictbench.envs.external.gym_env import GymEnv, plain_text
from ictbench.errors import ConfigError, MissingExtraError, PluginError
from ictbench.testing import check_env

if TYPE_CHECKING:
    from ictbench.records import Task
    from ictbench.suites.suite import Suite

LISTED = {"actions_from": "commands", "solved_from": "won"}
NUMBERED = {"wrappers": ["text_gym:Wordy"]}
TAXI = "examples/taxi.yaml"


def tasks_of(suite: Suite, size: int = 2) -> list[Task]:
    return [task for family in suite.families for task in suite.scoring_tasks("test", family, 0, size)]


def versions_of(suite: Suite) -> dict[str, str]:
    return checked_versions(suite.env, tasks_of(suite), deterministic=suite.deterministic)


def refusal(suite: Suite, error: type[Exception] = ConfigError) -> str:
    with pytest.raises(error) as caught:
        versions_of(suite)
    return str(caught.value)


def test_a_text_environment_is_played_with_the_actions_and_the_success_that_it_states() -> None:
    suite = external_suite("gym:text_gym:Doors-v0", interface=LISTED)
    with closing(env_maker(suite.env)()) as env:
        first = env.reset(tasks_of(suite)[0])
        assert first.text == "You are in a hall with many doors."
        assert first.actions == ("door 1", "door 2", "door 3")
        ends = set()
        for task in tasks_of(suite, 8):
            env.reset(task)
            last = [env.step(door) for door in first.actions[:1]][-1]
            ends.add((last.end, last.reward))
        assert ends == {("solved", 1.0), (None, 0.0)}


def test_the_contract_is_kept_by_taxis_and_by_text_environments() -> None:
    for suite in (load_suite(TAXI), external_suite("gym:text_gym:Doors-v0", interface=LISTED)):
        check_env(env_class(suite.env), tasks_of(suite), max_steps=8)


def test_the_limit_of_the_environment_ends_an_episode_without_success() -> None:
    suite = external_suite("gym:text_gym:Doors-v0", interface=LISTED, make={"doors": 500})
    with closing(env_maker(suite.env)()) as env:
        first = env.reset(tasks_of(suite)[0])
        assert [env.step(first.actions[0]).end for _ in range(20)] == [None] * 19 + ["env_ended"]


def test_versions_are_those_of_the_package_or_the_digest_of_the_users_module() -> None:
    assert set(versions_of(load_suite(TAXI))) == {"gymnasium"}
    versions = versions_of(external_suite("gym:text_gym:Doors-v0", interface=LISTED))
    assert set(versions) == {"gymnasium", "text_gym"}
    assert versions["text_gym"].startswith("sha256:")
    minigrid = env_maker("gym:minigrid:BabyAI-GoToLocal-v0")()
    assert set(minigrid.versions()) == {"gymnasium", "minigrid"}


def test_fields_and_wrappers_make_a_text() -> None:
    shown = {}
    given: dict[str, dict[str, Any]] = {
        "Lists-v0": {"interface": {"text_from": "words", **LISTED}},
        "Numbers-v0": {"interface": {"actions": ["a", "b", "c"], "solved_reward": 1}, "wrappers": ["text_gym:Wordy"]},
    }
    for id_, params in given.items():
        suite = external_suite(f"gym:text_gym:{id_}", **params)
        versions_of(suite)
        with closing(env_maker(suite.env)()) as env:
            shown[id_] = env.reset(tasks_of(suite)[0]).text
    assert shown == {"Lists-v0": "You are in a hall with many doors.", "Numbers-v0": "It has 34 letters."}


def test_named_actions_stand_for_numbers_in_their_order_or_for_what_they_are_mapped_to() -> None:
    ends = []
    for actions in (["one", "two", "three"], {"three": 3, "two": 2, "one": 1}):
        suite = external_suite(
            "gym:text_gym:Numbers-v0",
            interface={"actions": actions, "solved_reward": 1},
            wrappers=["text_gym:Wordy"],
        )
        with closing(env_maker(suite.env)()) as env:
            assert env.reset(tasks_of(suite)[0]).actions == tuple(actions)
            for task in tasks_of(suite, 6):
                env.reset(task)
                ends.append(env.step("three").end)
    assert ends[:12] == ends[12:]
    assert set(ends) == {"solved", None}


@pytest.mark.parametrize(
    ("env", "params", "words"),
    [
        ("Doors-v0", {}, ["which actions are available", "`actions_from: FIELD` (lists: commands)"]),
        ("Doors-v0", {"interface": {"actions_from": "commands"}}, ["when a task is solved", "`solved_reward: NUMBER`"]),
        ("Lists-v0", {"interface": LISTED}, ["gives no text", "words, hint, numbers", "text_from: FIELD"]),
        ("Numbers-v0", {"interface": LISTED}, ["gives no text", "of type int", "wrappers: [package.module:Class]"]),
        (
            "Numbers-v0",
            {"interface": {"actions": ["a"], "solved_reward": 1}, "wrappers": ["text_gym:Wordy"]},
            ["names 1 actions", "has 3, numbered from 1"],
        ),
        ("Closing-v0", {}, ["which actions are available", "(lists: commands)"]),
        ("Numbers-v0", {**NUMBERED, "interface": {"actions": ["a", "b", "a"], "solved_reward": 1}}, ["'a' twice"]),
        ("Numbers-v0", {**NUMBERED, "interface": {"actions": ["a", "b", " "], "solved_reward": 1}}, ["' ' is empty"]),
        (
            "Numbers-v0",
            {**NUMBERED, "interface": {"actions": {"a": 1, "b": 4}, "solved_reward": 1}},
            ["has no action 4 (b): its actions are Discrete(3, start=1)"],
        ),
        ("Absent-v0", {"interface": LISTED}, ["gym:Absent-v0 cannot be imported", "text_gym_absent"]),
        ("Doors-v0", {"interface": LISTED, "make": {"rooms": 3}}, ["cannot be made with {'rooms': 3}"]),
        ("Doors-v0", {"interface": LISTED, "wrapers": []}, ["params of family 'one'", "wrapers"]),
        ("Doors-v0", {"interface": {"solved_when": "won"}}, ["interface.solved_when"]),
        ("Doors-v0", {"interface": {**LISTED, "actions": ["a"]}}, ["`actions` and `actions_from` exclude each other"]),
        (
            "Doors-v0",
            {"interface": LISTED, "wrappers": ["text_gym:Nothing"]},
            ["'text_gym:Nothing' cannot be imported"],
        ),
        ("Dice-v0", {"interface": LISTED}, ["is not deterministic: task 'one-2001', at the start: text is"]),
        ("Nowhere-v0", {}, ["gym:text_gym:Nowhere-v0: ", "correct the id", "gym:MODULE:ID"]),
    ],
)
def test_what_the_environment_does_not_say_is_refused_with_the_remedy(
    env: str, params: dict[str, Any], words: list[str]
) -> None:
    message = refusal(external_suite(f"gym:text_gym:{env}", **params))
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize(
    ("interface", "words"),
    [
        ({**LISTED, "solved_from": "is_won"}, "`solved_from: is_won`: the environment gave no such field"),
        ({**LISTED, "actions_from": "orders"}, "`actions_from: orders`: the environment gave no such field"),
        ({**LISTED, "text_from": "words"}, "`text_from`: the observation has no field 'words'"),
        ({**LISTED, "actions_from": "mask"}, "`actions_from: mask` is [1, 1, 0], not a list of different texts"),
        ({**LISTED, "solved_from": "score"}, "`solved_from: score` is 0.5, neither true nor false"),
        ({**LISTED, "solved_from": "verdict"}, "`solved_from: verdict` is 'lost', neither true nor false"),
    ],
)
def test_a_field_that_is_missing_or_wrong_stops_the_run_and_is_no_failure(
    interface: dict[str, Any], words: str
) -> None:
    assert words in refusal(external_suite("gym:text_gym:Closing-v0", interface=interface), PluginError)


def test_an_environment_need_not_list_actions_once_the_episode_has_ended() -> None:
    suite = external_suite("gym:text_gym:Closing-v0", interface=LISTED)
    with closing(env_maker(suite.env)()) as env:
        ends = set()
        for task in tasks_of(suite, 8):
            env.reset(task)
            ends.add(env.step("door 1").end)
    assert ends == {"solved", None}


@pytest.mark.parametrize(
    ("env", "module", "extra"), [("gym:Taxi-v3", "gymnasium", "meta"), ("game:a.z8", "textworld", "textworld")]
)
def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(
    env: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert f"pip install 'ictbench[{extra}]'" in refusal(external_suite(env), MissingExtraError)


def test_a_module_that_is_not_installed_is_named() -> None:
    assert "module 'nowhere' cannot be found" in refusal(external_suite("gym:nowhere:Doors-v0"))
    with pytest.raises(ConfigError, match="environment 'gym' needs an address"):
        env_class("gym")


def test_what_is_not_deterministic_is_played_if_the_suite_says_so() -> None:
    suite = external_suite("gym:text_gym:Dice-v0", interface=LISTED).model_copy(update={"deterministic": False})
    assert versions_of(suite)


def test_colors_become_tags_and_other_escapes_go() -> None:
    assert (
        plain_text("a\x1b[41mS\x1b[0mb \x1b[1;34mT\x1b[0m\x1b[2J\x1b[1mc\x1b[0m\n") == "a<red>S</red>b <blue>T</blue>c"
    )


def test_the_class_is_found_by_any_address() -> None:
    assert env_class("gym:Taxi-v3") is GymEnv

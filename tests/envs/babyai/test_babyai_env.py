"""BabyAI's levels as text: what is shown, when a task is solved, and that a seed gives the same episode everywhere."""

from __future__ import annotations

import random
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from minigrid.core.constants import COLOR_TO_IDX, OBJECT_TO_IDX
from minigrid.envs.babyai.core import roomgrid_level

from ictbench.envs.babyai import babyai_env
from ictbench.envs.babyai.babyai_env import ACTIONS, BabyAIEnv
from ictbench.errors import EnvError, MissingExtraError, UsageError
from ictbench.records import Task
from ictbench.suites import load_suite
from ictbench.testing import check_env

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = load_suite("babyai-v1")


@pytest.fixture
def env() -> Iterator[BabyAIEnv]:
    with closing(BabyAIEnv()) as env:
        yield env


def task(env_id: str = "BabyAI-GoToLocal-v0", seed: int = 1) -> Task:
    return Task(id=f"thing-{seed}", family="thing", env="babyai", params={"env_id": env_id, "seed": seed})


def test_an_observation_tells_the_mission_what_is_carried_and_what_is_seen(env: BabyAIEnv) -> None:
    first = env.reset(task("BabyAI-PutNextLocalS6N4-v0"))
    assert first.text == (
        "Mission: put the green ball next to the grey key\n"
        "You carry nothing.\n"
        "You see a green ball 1 ahead and 1 to the left.\n"
        "You see a yellow key 2 ahead.\n"
        "You see a grey key 2 ahead and 2 to the right.\n"
        "The square in front of you is free.\n"
        "\n"
        "???????\n???????\n???????\n?######\n?#.K.K#\n?#B...#\n?#.^..#"
    )
    assert first.actions == ("turn left", "turn right", "move forward", "pick up", "drop", "toggle") == ACTIONS
    env.step("move forward")
    ahead = env.step("turn left")
    assert "You see a green ball right in front of you." in ahead.text.splitlines()
    carrying = env.step("pick up")
    assert carrying.text.splitlines()[1] == "You carry a green ball."
    assert carrying.end is None
    assert "green ball" not in "\n".join(carrying.text.splitlines()[2:])


def test_doors_have_a_state_and_things_an_article(env: BabyAIEnv) -> None:
    lines = env.reset(task("BabyAI-KeyCorridorS3R1-v0")).text.splitlines()
    assert lines[2:5] == [
        "You see a closed red door 1 to the left.",
        "You see a locked grey door 1 to the right.",
        "A wall is right in front of you.",
    ]
    env.step("turn left")
    opened = env.step("toggle")
    assert "You see an open red door right in front of you." in opened.text


def test_nothing_that_is_shown_names_the_level_or_the_seed(env: BabyAIEnv) -> None:
    for family, rows in SUITE.families.items():
        shown = env.reset(SUITE.scoring_tasks("test", family, 0, 1)[0]).text
        assert "BabyAI" not in shown
        assert str(rows.params["env_id"]).split("-")[1] not in shown
        assert "20000" not in shown


def test_an_accomplished_mission_is_solved_with_reward_1_and_nothing_else_has_a_reward(env: BabyAIEnv) -> None:
    for family in SUITE.families:
        env.reset(SUITE.scoring_tasks("test", family, 0, 1)[0])
        *before, last = [env.step(action) for action in env.solve()]
        assert (last.end, last.reward) == ("solved", 1.0)
        assert {(observation.end, observation.reward) for observation in before} <= {(None, 0.0)}


def test_a_wrong_door_first_ends_a_mission_in_order_only_where_the_level_says_so(env: BabyAIEnv) -> None:
    env.reset(task("BabyAI-OpenDoorsOrderN4Debug-v0", 3))
    rng, ends = random.Random(1), set()
    for seed in range(40):
        observation = env.reset(task("BabyAI-OpenDoorsOrderN4Debug-v0", seed))
        for _ in range(60):
            observation = env.step(rng.choice(("turn left", "move forward", "move forward", "toggle")))
            if observation.end:
                ends.add((observation.end, observation.reward))
                break
    assert ("env_ended", 0.0) in ends


def test_the_step_limit_of_minigrid_does_not_end_an_episode(env: BabyAIEnv) -> None:
    env.reset(task())
    assert {env.step("turn left").end for _ in range(300)} == {None}


def test_the_bot_solves_99_of_100_tasks_within_the_decisions_of_the_suite(env: BabyAIEnv) -> None:
    for family in SUITE.families:
        lengths = []
        for start in SUITE.scoring_tasks("test", family, 0, 20):
            env.reset(start)
            lengths.append(len(env.solve()))
        assert sum(length <= SUITE.limits.max_steps for length in lengths) >= 19, (family, lengths)


def test_a_mission_that_the_bot_does_not_accomplish_is_an_error(
    env: BabyAIEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    env.reset(task())
    monkeypatch.setattr(babyai_env, "MAX_PLAN", 0)
    with pytest.raises(EnvError, match="does not solve BabyAI-GoToLocal-v0 with seed 1"):
        env.solve()


def test_the_class_keeps_the_contract_of_environments() -> None:
    tasks = [SUITE.scoring_tasks("test", family, 0, 1)[0] for family in ("go-to", "corridor")]
    check_env(BabyAIEnv, [*tasks, *SUITE.scoring_tasks("test", "two-doors", 0, 2)])


def test_rejected_draws_of_a_level_are_not_printed(env: BabyAIEnv, capfd: pytest.CaptureFixture[str]) -> None:
    for seed in range(30):
        env.reset(task("BabyAI-PutNextLocalS6N4-v0", seed))
        env.reset(task("BabyAI-GoToObjMazeS4R2-v0", seed))
    assert capfd.readouterr() == ("", "")
    assert "print" in vars(roomgrid_level)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"env_id": "BabyAI-GoToLocal-v0"},
        {"env_id": "BabyAI-GoToLocal-v0", "seed": -1},
        {"env_id": "BabyAI-GoToLocal-v0", "seed": True},
        {"env_id": "BabyAI-Nowhere-v0", "seed": 1},
        {"env_id": "CartPole-v1", "seed": 1},
    ],
)
def test_params_that_are_not_a_level_are_an_error(env: BabyAIEnv, params: dict[str, object]) -> None:
    wrong = Task.model_validate({"id": "x", "family": "x", "env": "babyai", "params": params})
    with pytest.raises(UsageError, match=r"params need an `env_id` and a `seed`|is not a BabyAI environment"):
        env.reset(wrong)


def test_a_param_that_is_unknown_is_an_error(env: BabyAIEnv) -> None:
    wrong = Task.model_validate({**task().model_dump(), "params": {**task().params, "splitat": [10]}})
    with pytest.raises(UsageError, match=r"'splitat' is not a param \(params: env_id, seed, split_at\)"):
        env.reset(wrong)


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "minigrid.utils", None)
    with pytest.raises(MissingExtraError, match=r"ictbench\[babyai\]"):
        BabyAIEnv()


def test_every_object_of_a_view_has_a_symbol_and_a_name() -> None:
    names, colors = babyai_env._names()
    assert {names[number] for number in OBJECT_TO_IDX.values()} >= babyai_env.SYMBOLS.keys()
    assert len(colors) == len(COLOR_TO_IDX)


def test_split_pools_share_no_level_and_a_level_of_its_own_pool_is_kept(env: BabyAIEnv) -> None:
    def level(seed: int, **params: object) -> str:
        plain = task("BabyAI-KeyCorridorS3R1-v0", seed)
        env.reset(Task.model_validate({**plain.model_dump(), "params": {**plain.params, **params}}))
        return env.content_key()

    seeds = range(400)
    plain = [level(seed) for seed in seeds]
    split = [level(seed, split_at=[200]) for seed in seeds]
    assert {*plain[:200]} & {*plain[200:]}
    assert not {*split[:200]} & {*split[200:]}
    assert 100 < sum(map(str.__eq__, plain, split)) < 300


def test_the_bot_solves_the_level_that_was_drawn_for_a_split_pool(env: BabyAIEnv) -> None:
    for start in SUITE.scoring_tasks("test", "corridor", 3, 8):
        env.reset(start)
        assert [env.step(action).end for action in env.solve()][-1] == "solved"


@pytest.mark.parametrize("split_at", [10, "10", [20, 10], [10, 10], [1.5], [True], None])
def test_a_split_that_is_not_a_list_of_seeds_is_an_error(env: BabyAIEnv, split_at: object) -> None:
    wrong = Task.model_validate({**task().model_dump(), "params": {**task().params, "split_at": split_at}})
    with pytest.raises(
        UsageError, match=f"`split_at` must list seeds in ascending order, not {re.escape(repr(split_at))}"
    ):
        env.reset(wrong)


def test_an_id_with_too_few_levels_for_its_pools_is_an_error(env: BabyAIEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(babyai_env, "MAX_DRAWS", 0)
    with pytest.raises(UsageError, match="BabyAI-GoToLocal-v0 has too few levels for 1 pools"):
        env.reset(task())

"""Progress of a BabyAI mission: the share of its parts that are done."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise

import pytest

from ictbench.envs.babyai.babyai_env import BabyAIEnv
from ictbench.records import Task
from ictbench.suites import load_suite

SUITE = load_suite("babyai-v1")


def progress_of_the_bot(env_id: str, seed: int) -> tuple[str, list[float]]:
    """Return the mission, and the progress at the start and after each action of the bot."""
    with closing(BabyAIEnv()) as env:
        first = env.reset(Task(id="thing", family="thing", env="babyai", params={"env_id": env_id, "seed": seed}))
        observations = [first, *(env.step(action) for action in env.solve())]
    assert observations[-1].end == "solved"
    return first.text.splitlines()[0], [observation.progress or 0.0 for observation in observations]


@pytest.mark.parametrize("seed", range(8))
def test_each_door_of_a_mission_in_order_is_a_part(seed: int) -> None:
    mission, progress = progress_of_the_bot("BabyAI-OpenDoorsOrderN4-v0", seed)
    two = ", then " in mission or " after you " in mission
    assert set(progress) == ({0.0, 0.5, 1.0} if two else {0.0, 1.0})
    assert all(before <= after for before, after in pairwise(progress))
    assert progress.index(1.0) == len(progress) - 1


def test_the_missions_of_the_family_with_two_doors_have_one_part_or_two() -> None:
    highest = set()
    for task in SUITE.scoring_tasks("test", "two-doors", 0, 20):
        _, progress = progress_of_the_bot(str(task.params["env_id"]), int(str(task.params["seed"])))
        highest.add(max(value for value in progress if value < 1))
    assert highest == {0.0, 0.5}


def test_a_sequence_of_conjunctions_counts_all_its_actions() -> None:
    seen: dict[int, set[float]] = {0: set(), 1: set(), 2: set()}
    for seed in range(40):
        mission, progress = progress_of_the_bot("BabyAI-GoToSeqS5R2-v0", seed)
        seen[mission.count(" and ")].update(progress)
    assert seen[1] <= {0, 1 / 3, 1 / 2, 2 / 3, 1}  # two actions, or three in an order
    assert seen[2] == {0, 0.25, 0.5, 0.75, 1}


@pytest.mark.parametrize("family", [family for family in SUITE.families if family != "two-doors"])
def test_a_mission_of_one_part_has_progress_when_it_is_accomplished(family: str) -> None:
    params = SUITE.scoring_tasks("test", family, 0, 1)[0].params
    _, progress = progress_of_the_bot(str(params["env_id"]), int(str(params["seed"])))
    assert progress == [0.0] * (len(progress) - 1) + [1.0]


def test_a_part_that_is_done_stays_done() -> None:
    with closing(BabyAIEnv()) as env:
        params = {"env_id": "BabyAI-OpenDoorsOrderN4-v0", "seed": 0}
        first = env.reset(Task(id="thing", family="thing", env="babyai", params=params))
        assert ", then " in first.text or " after you " in first.text
        solution = env.solve()
        observation = first
        for action in solution:
            observation = env.step(action)
            if observation.progress:
                break
        assert [env.step(action).progress for action in ("toggle", "turn left", "toggle")] == [0.5] * 3

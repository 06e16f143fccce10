"""The suite `babyai-v1`: roles, pools and whole levels."""

from __future__ import annotations

from contextlib import closing

import pytest

from ictbench.envs.babyai.babyai_env import BabyAIEnv
from ictbench.protocol import loop_plan
from ictbench.suites import load_suite

SUITE = load_suite("babyai-v1")


def test_four_families_are_held_out() -> None:
    assert SUITE.select_families(["held-out"]) == ("put-next", "maze", "two-doors", "corridor")
    assert SUITE.select_families(["meta-train"]) == ("go-to", "pick-up", "act", "unlock")


@pytest.mark.parametrize("family", [family for family in SUITE.families if family != "corridor"])
def test_no_test_level_of_a_loop_is_a_level_of_its_experience(family: str) -> None:
    plan = loop_plan(SUITE, family, 0, SUITE.profiles["standard"])
    with closing(BabyAIEnv()) as env:

        def level(task_number: int) -> object:
            env.reset(plan.tasks[task_number])
            world = env._env
            position = (*map(int, world.agent_pos), int(world.agent_dir))
            return world.grid.encode().tobytes(), position, world.mission

        levels = [level(number) for number in range(len(plan.tasks))]
    experience, test = levels[: 10 * 3], levels[-len(plan.test) :]
    assert not {*experience} & {*test}
    assert len({*test}) == len(test)

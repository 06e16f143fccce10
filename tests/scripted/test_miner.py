from __future__ import annotations

import asyncio
import json
import random
from statistics import mean
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from ictbench.envs import TextEnv
from ictbench.envs.minihack.minihack_env import MiniHackEnv
from ictbench.protocol import sampling_seed
from ictbench.records import EpisodeSpec, Observation, PluginSpec, Reflection, Task, Trajectory
from ictbench.reflectors.reflector import Context
from ictbench.rollout.episode import play_episode
from ictbench.rules_text.rules import HEADING, Choose, Walk, parse_rules
from ictbench.scripted.miner import RulesReflector
from ictbench.scripted.policy import RulesActor
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import JsonValue

T = TypeVar("T")

PROMPT = 'A belfry, seen from above. You are the "&".\nBe quick.'
COMPASS = {
    "north": (-1, 0),
    "northeast": (-1, 1),
    "east": (0, 1),
    "southeast": (1, 1),
    "south": (1, 0),
    "southwest": (1, -1),
    "west": (0, -1),
    "northwest": (-1, -1),
}
SIZE = 4


class Belfry(TextEnv):
    """World without NetHack: solved by walking onto the rope, pulling it, and bowing after the bell has rung.

    There may be a barrel, which has no use.
    """

    ACTIONS = (*(f"go {direction}" for direction in COMPASS), "pull", "bow", "whistle")

    def __init__(self, *, barrel: bool) -> None:
        self.has_barrel = barrel

    def reset(self, task: Task) -> Observation:
        rng = random.Random(f"belfry {task.params['seed']}")
        cells = [(row, column) for row in range(SIZE) for column in range(SIZE)]
        self.player, self.rope, barrel = rng.sample(cells, 3)
        self.barrel = barrel if self.has_barrel else None
        self.rung = False
        return self.look("The wind howls outside.")

    def step(self, action: str) -> Observation:
        if action.startswith("go "):
            down, right = COMPASS[action.removeprefix("go ")]
            row, column = self.player[0] + down, self.player[1] + right
            if not (0 <= row < SIZE and 0 <= column < SIZE):
                return self.look("A wall stops you.")
            self.player = row, column
            return self.look(
                {self.rope: "A frayed rope hangs here.", self.barrel: "An old barrel."}.get(self.player, "")
            )
        if action == "pull" and self.player == self.rope:
            self.rung = True
            return self.look("The great bell booms.")
        if action == "bow" and self.rung:
            return self.look("The crowd below cheers.", solved=True)
        return self.look({"pull": "Nothing to pull.", "bow": "Nobody sees it.", "whistle": "An echo answers."}[action])

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {}

    def look(self, message: str, *, solved: bool = False) -> Observation:
        drawn = {self.barrel: "0", self.rope: "~", self.player: "&"}
        grid = ["".join(drawn.get((row, column), ",") for column in range(SIZE)) for row in range(SIZE)]
        return Observation(
            text="\n".join([message, *grid]),
            actions=self.ACTIONS,
            reward=float(solved),
            end="solved" if solved else None,
        )


def belfry(seed: int) -> Task:
    return Task(id=f"belfry-{seed}", family="belfry", env="belfry", params={"seed": seed})


def play(env: TextEnv, task: Task, prompt: str) -> Trajectory:
    async def call(function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    spec = EpisodeSpec(
        task=task,
        prompt=prompt,
        actor=PluginSpec(label="rules", name="rules"),
        max_steps=25,
        seed=sampling_seed("a suite", task.id),
    )
    return asyncio.run(play_episode(spec, env, RulesActor(), call)).trajectory


def reflect(prompt: str, batch: Sequence[Trajectory], state: JsonValue = None) -> Reflection:
    return asyncio.run(RulesReflector().reflect(prompt, batch, state, Context(seed=1, prompt_cap=8000)))


def learn(env: TextEnv, prompt: str, batches: Sequence[Sequence[Task]]) -> str:
    state: JsonValue = None
    for tasks in batches:
        reflection = reflect(prompt, [play(env, task, prompt) for task in tasks], state)
        assert reflection.prompt is not None
        prompt, state = reflection.prompt, reflection.state
    return prompt


def success(env: TextEnv, prompt: str, tasks: Sequence[Task]) -> float:
    return sum(play(env, task, prompt).solved for task in tasks) / len(tasks)


@pytest.mark.parametrize("loop", range(3))
def test_it_learns_to_solve_an_unknown_world(loop: int) -> None:
    env, first = Belfry(barrel=False), 1000 * loop
    batches = [[belfry(first + 3 * turn + number) for number in range(3)] for turn in range(20)]
    prompt = learn(env, PROMPT, batches)
    rules = parse_rules(prompt)
    assert Walk("~") in rules
    chosen = {rule.action: rule.phrase for rule in rules if isinstance(rule, Choose)}
    assert chosen["pull"] in "A frayed rope hangs here."
    assert chosen["bow"] in "The great bell booms."
    fresh = [belfry(100_000 + seed) for seed in range(40)]
    assert success(env, PROMPT, fresh) < 0.3
    assert success(env, prompt, fresh) > 0.9


@pytest.fixture(scope="module")
def batches() -> list[list[Trajectory]]:
    """Batches with some wins: the prompt has some of the rules."""
    prompt = f'{PROMPT}\nWalk onto "~".\nWhen you see "rope hangs here.", choose "pull".'
    env = Belfry(barrel=True)
    return [[play(env, belfry(10 * batch + number), prompt) for number in range(5)] for batch in range(3)]


def test_the_prompts_own_text_stays_and_old_rules_are_replaced(batches: list[list[Trajectory]]) -> None:
    own = f'{PROMPT}\n\nSecond paragraph, with a rule: Walk onto "0".'
    prompt, state, seen = own, None, set()
    for batch in batches:
        reflection = reflect(prompt, batch, state)
        assert reflection.prompt is not None
        prompt, state = reflection.prompt, reflection.state
        seen.add(prompt)
        assert prompt.startswith(f"{own}\n\n{HEADING}\n- ")
        assert prompt.count(HEADING) == 1
        assert prompt.count(own) == 1
        below = prompt.split(HEADING)[1].strip().splitlines()
        assert all(line.startswith("- ") and len(parse_rules(line)) == 1 for line in below)
        assert len(set(below)) == len(below)
    assert len(seen) > 1


def test_the_analysis_states_the_evidence_of_each_rule(batches: list[list[Trajectory]]) -> None:
    reflection = reflect(PROMPT, batches[0])
    wins = sum(trajectory.solved for trajectory in batches[0])
    assert reflection.prompt is not None
    count, *reasons = reflection.analysis.splitlines()
    assert count == f"{wins} of 5 episodes were won."
    rules = [line.removeprefix("- ") for line in reflection.prompt.split(HEADING)[1].strip().splitlines()]
    assert rules
    assert all(reason.startswith(f"{rule} Of ") for rule, reason in zip(rules, reasons, strict=True))


def test_the_state_is_json_and_can_be_restored(batches: list[list[Trajectory]]) -> None:
    first = reflect(PROMPT, batches[0])
    assert first.prompt is not None
    second = reflect(first.prompt, batches[1], first.state)
    resumed = reflect(first.prompt, batches[1], json.loads(json.dumps(first.state)))
    assert second == resumed
    assert second != reflect(first.prompt, batches[1])


def test_equal_experience_gives_equal_prompts(batches: list[list[Trajectory]]) -> None:
    assert reflect(PROMPT, batches[2]) == reflect(PROMPT, batches[2])


def test_rules_that_do_not_fit_are_left_out(batches: list[list[Trajectory]]) -> None:
    full = reflect(PROMPT, batches[0]).prompt
    assert full is not None
    cap = len(full.encode()) - 1
    reflection = asyncio.run(RulesReflector().reflect(PROMPT, batches[0], None, Context(seed=0, prompt_cap=cap)))
    assert reflection.prompt == full.rpartition("\n")[0]
    assert len(reflection.analysis.splitlines()) == full.count("\n- ")


def test_without_experience_there_are_no_rules() -> None:
    assert reflect(PROMPT, []).prompt == PROMPT
    idle = Trajectory(steps=(), last_observation="", last_digest="", end="failed", failure="refused")
    reflection = reflect(f'{PROMPT}\n\n{HEADING}\n- Walk onto "0".', [idle])
    assert (reflection.prompt, reflection.analysis) == (PROMPT, "0 of 1 episodes were won.")


def test_choose_rules_are_learned_under_a_prompt_without_a_player_symbol() -> None:
    prompt = "Two buttons."
    trajectories = [play(Belfry(barrel=True), belfry(seed), f'{PROMPT}\nWalk onto "~".') for seed in range(20)]
    reflection = reflect(prompt, trajectories)
    assert reflection.prompt is not None
    assert all(isinstance(rule, Choose) for rule in parse_rules(reflection.prompt))
    assert any(isinstance(rule, Choose) and rule.action == "pull" for rule in parse_rules(reflection.prompt))


def test_the_pair_improves_on_minihack() -> None:
    suite, env = load_suite("minihack-v1"), MiniHackEnv()
    before, after = [], []
    for loop in range(3):
        order = suite.experience_order("eat", loop, 30)
        prompt = learn(env, suite.prompt, [order[at : at + 3] for at in range(0, 30, 3)])
        fresh = suite.scoring_tasks("test", "eat", loop, 20)
        before.append(success(env, suite.prompt, fresh))
        after.append(success(env, prompt, fresh))
    env.close()
    assert mean(before) < 0.3
    assert mean(after) > 0.6

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import WorkerLostError
from ictbench.runs import EpisodePlayer
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan
from ictbench.train.reward import Gains, RewardFunction
from ictbench.train.states import ReflectionState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.records import Episode, EpisodeSpec
    from ictbench.train.settings import RewardName

PLAN = make_plan(Options.parse({"families": "eat", "reflector": "none", "actor": "rules", "executor": "inline"}))
OWN = PLAN.suite.prompt
GOOD = f'{OWN}\nWalk onto "%".\nWhen you see "You see here", choose "eat".'
IDLE = f'{OWN}\nWalk onto "Q".\nWhen you see "Dlvl:1", choose "read".'
STATE = ReflectionState(
    family="eat",
    loop=0,
    turn=1,
    prompt=IDLE,
    task_ids=tuple(task.id for task in PLAN.batches("eat", 0)[0]),
    solved=(False,) * 3,
    trajectories=(),
)


class RecordingPlayer:
    """Plays real episodes, records the requests, and can fail on demand."""

    def __init__(self, plan: RunPlan) -> None:
        self._player = EpisodePlayer(plan)
        self.requests: list[list[EpisodeSpec]] = []
        self.failures = 0

    def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        self.requests.append(list(specs))
        if self.failures:
            self.failures -= 1
            raise WorkerLostError("a worker died")
        return self._player.play(specs)

    def close(self) -> None:
        self._player.close()


@pytest.fixture
def player() -> Iterator[RecordingPlayer]:
    player = RecordingPlayer(PLAN)
    yield player
    player.close()


def reward_function(player: Any, name: RewardName = "replay", replicates: int = 1) -> RewardFunction:
    return RewardFunction(PLAN, player, name, replicates)


def test_replay_is_the_success_rate_on_the_batch(player: RecordingPlayer) -> None:
    good, idle = reward_function(player).rewards([STATE, STATE], [GOOD, IDLE], 0)
    assert good == 1.0
    assert idle == 0.0
    assert {spec.task.id for spec in player.requests[0]} == set(STATE.task_ids)
    assert all(spec == PLAN.episode(spec.task, spec.prompt) for spec in player.requests[0])


def test_an_unusable_reply_gets_zero_without_playing(player: RecordingPlayer) -> None:
    assert reward_function(player).rewards([STATE], [None], 0) == [0.0]
    assert player.requests == [[]]


def test_gain_is_the_difference_to_the_previous_prompt(player: RecordingPlayer) -> None:
    lucky = STATE.model_copy(update={"prompt": GOOD})
    assert reward_function(player, "gain").rewards([STATE, lucky, lucky], [GOOD, IDLE, None], 0) == [1.0, -1.0, -1.0]


def test_fresh_tasks_are_new_tasks_of_the_family_and_equal_within_a_group(player: RecordingPlayer) -> None:
    function = reward_function(player, "fresh")
    assert function.rewards([STATE, STATE], [GOOD, IDLE], 7) == [1.0, 0.0]
    tasks = [{spec.task.id for spec in player.requests[0] if spec.prompt == prompt} for prompt in (GOOD, IDLE)]
    assert tasks[0] == tasks[1]
    assert len(tasks[0]) == 3
    assert not tasks[0] & set(STATE.task_ids)
    function.rewards([STATE], [GOOD], 8)
    assert tasks[0] != {spec.task.id for spec in player.requests[1]}
    seeds = PLAN.suite.pools.experience.seeds  # type: ignore[union-attr]
    assert all(int(task.partition("-")[2]) in seeds for task in tasks[0])


def test_loop_is_the_mean_over_the_remaining_turns_on_fresh_tasks(player: RecordingPlayer) -> None:
    function = RewardFunction(PLAN, player, "loop", 2, turns=4)
    asked: list[list[ReflectionState]] = []

    def policy(states: Sequence[ReflectionState]) -> list[str | None]:
        asked.append(list(states))
        return [GOOD if state.turn == 3 else None for state in states]

    second = STATE.model_copy(update={"turn": 2})
    last = STATE.model_copy(update={"turn": 4})
    # Turn 2 of 4: its prompt, that of turn 3 (GOOD), that of turn 4 (unusable: GOOD stays). Turn 4: its prompt alone.
    assert function.rewards([second, last, second], [IDLE, GOOD, None], 7, policy) == [2 / 3, 1.0, 0.0]
    assert [[state.turn for state in states] for states in asked] == [[3], [4]]
    assert [state.prompt for states in asked for state in states] == [IDLE, GOOD]
    assert asked[0][0].solved == (False,) * 3
    assert asked[1][0].solved == (True,) * 3
    assert [trajectory.solved for trajectory in asked[1][0].experience] == [True] * 3
    blocks = [{spec.task.id for spec in request} for request in player.requests]
    assert [len(block) for block in blocks] == [3, 3, 3]
    assert not set.intersection(*blocks)
    assert not any(set(STATE.task_ids) & block for block in blocks)
    assert len(player.requests[0]) == 12


def test_equal_episodes_are_played_once(player: RecordingPlayer) -> None:
    function = reward_function(player)
    function.rewards([STATE, STATE], [GOOD, GOOD], 0)
    function.rewards([STATE], [GOOD], 1)
    assert function.episodes == 3
    assert player.requests[1] == []


def test_replicates_use_different_sampling_seeds(player: RecordingPlayer) -> None:
    chance = f'{OWN}\nWalk onto "%".'
    once, often = (reward_function(player, replicates=count) for count in (1, 8))
    assert round(3 * once.rewards([STATE], [chance], 0)[0], 9).is_integer()
    share = often.rewards([STATE], [chance], 0)[0]
    assert often.episodes == 24
    assert round(24 * share, 9).is_integer()
    assert 0 < share < 1


def test_the_overfitting_gap_is_replayed_gain_minus_fresh_gain(player: RecordingPlayer) -> None:
    assert reward_function(player).gains([STATE, STATE], [GOOD, None], 0) == Gains(replayed=0.5, fresh=0.5)
    assert Gains(replayed=0.75, fresh=0.5).overfitting_gap == 0.25


def test_a_lost_episode_is_tried_once_more(player: RecordingPlayer) -> None:
    player.failures = 1
    assert reward_function(player).rewards([STATE], [GOOD], 0) == [1.0]
    player.failures = 2
    with pytest.raises(WorkerLostError):
        reward_function(player).rewards([STATE], [GOOD], 0)

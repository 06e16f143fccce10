from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import WorkerLostError
from ictbench.runs import EpisodePlayer
from ictbench.runs.plan import Options, RunPlan, make_plan
from ictbench.train.reward import Gains, Rewards
from ictbench.train.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.records import Episode, EpisodeSpec
    from ictbench.train.settings import RewardName

PLAN = make_plan(Options.parse({"families": "eat", "reflector": "none", "actor": "rules", "executor": "inline"}))
OWN = PLAN.suite.prompt
GOOD = f'{OWN}\nWalk onto "%".\nWhen you see "You see here", choose "eat".'
IDLE = f'{OWN}\nWalk onto "Q".\nWhen you see "Dlvl:1", choose "read".'
STATE = State(
    family="eat",
    loop=0,
    turn=1,
    prompt=IDLE,
    task_ids=tuple(task.id for task in PLAN.batches("eat", 0)[0]),
    solved=(False,) * 3,
    trajectories=(),
)


class Counting:
    """Plays for real, and notes what it is asked for."""

    def __init__(self, plan: RunPlan) -> None:
        self._player = EpisodePlayer(plan)
        self.asked: list[list[EpisodeSpec]] = []
        self.troubles = 0

    def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        self.asked.append(list(specs))
        if self.troubles:
            self.troubles -= 1
            raise WorkerLostError("a worker died")
        return self._player.play(specs)

    def close(self) -> None:
        self._player.close()


@pytest.fixture
def player() -> Iterator[Counting]:
    made = Counting(PLAN)
    yield made
    made.close()


def rewards(player: Any, name: RewardName = "replay", replicates: int = 1) -> Rewards:
    return Rewards(PLAN, player, name, replicates)


def test_replay_is_the_share_of_the_batch_that_the_new_prompt_solves(player: Counting) -> None:
    good, idle = rewards(player).of([STATE, STATE], [GOOD, IDLE], 0)
    assert good == 1.0
    assert idle == 0.0
    assert {spec.task.id for spec in player.asked[0]} == set(STATE.task_ids)
    assert all(spec == PLAN.episode(spec.task, spec.prompt) for spec in player.asked[0])


def test_an_unusable_reply_solves_nothing_and_plays_nothing(player: Counting) -> None:
    assert rewards(player).of([STATE], [None], 0) == [0.0]
    assert player.asked == [[]]


def test_gain_is_what_the_new_prompt_solves_more_than_the_previous_one(player: Counting) -> None:
    lucky = STATE.model_copy(update={"prompt": GOOD})
    assert rewards(player, "gain").of([STATE, lucky, lucky], [GOOD, IDLE, None], 0) == [1.0, -1.0, -1.0]


def test_fresh_tasks_are_of_the_family_and_not_of_the_batch_and_alike_for_a_whole_group(player: Counting) -> None:
    made = rewards(player, "fresh")
    assert made.of([STATE, STATE], [GOOD, IDLE], 7) == [1.0, 0.0]
    tasks = [{spec.task.id for spec in player.asked[0] if spec.prompt == prompt} for prompt in (GOOD, IDLE)]
    assert tasks[0] == tasks[1]
    assert len(tasks[0]) == 3
    assert not tasks[0] & set(STATE.task_ids)
    made.of([STATE], [GOOD], 8)
    assert tasks[0] != {spec.task.id for spec in player.asked[1]}
    seeds = PLAN.suite.pools.experience.seeds  # type: ignore[union-attr]
    assert all(int(task.partition("-")[2]) in seeds for task in tasks[0])


def test_an_episode_is_played_once_whoever_asks_for_it(player: Counting) -> None:
    made = rewards(player)
    made.of([STATE, STATE], [GOOD, GOOD], 0)
    made.of([STATE], [GOOD], 1)
    assert made.episodes == 3
    assert player.asked[1] == []


def test_replicates_sample_anew_so_that_chance_is_averaged_out(player: Counting) -> None:
    chance = f'{OWN}\nWalk onto "%".'
    once, often = (rewards(player, replicates=count) for count in (1, 8))
    assert round(3 * once.of([STATE], [chance], 0)[0], 9).is_integer()
    share = often.of([STATE], [chance], 0)[0]
    assert often.episodes == 24
    assert round(24 * share, 9).is_integer()
    assert 0 < share < 1


def test_the_overfitting_gap_is_the_gain_on_the_batch_less_that_on_fresh_tasks(player: Counting) -> None:
    assert rewards(player).gains([STATE, STATE], [GOOD, None], 0) == Gains(replayed=0.5, fresh=0.5)
    assert Gains(replayed=0.75, fresh=0.5).overfitting_gap == 0.25


def test_an_episode_that_is_lost_is_asked_for_once_more(player: Counting) -> None:
    player.troubles = 1
    assert rewards(player).of([STATE], [GOOD], 0) == [1.0]
    player.troubles = 2
    with pytest.raises(WorkerLostError):
        rewards(player).of([STATE], [GOOD], 0)

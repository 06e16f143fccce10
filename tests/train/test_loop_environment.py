"""The environment that TRL's trainers drive; a training with it is in tests/train_real."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EnvError, UsageError
from ictbench.runs import EpisodePlayer, LoopPlayer
from ictbench.train.loop_environment import OVER, LoopEnvironment, LoopReward, loop_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.records import Episode, EpisodeSpec

SIZES: dict[str, Any] = {"turns": 2, "batch_size": 2, "selection_size": 4, "test_size": 6}
GOOD = 'Walk onto "%"\nWhen you see "You see here", choose "pickup"\nWhen you see "f -", choose "eat"'


@pytest.fixture(scope="module")
def player() -> Iterator[LoopPlayer]:
    with LoopPlayer(families="eat", reflector="lessons", **SIZES) as loop_player:
        yield loop_player


def test_a_loop_by_its_tool(player: LoopPlayer) -> None:
    (row,) = loop_rows(player, [3])
    environment = LoopEnvironment(player, "best")
    question = environment.reset(**row)
    rollout = player.start("eat", 3)
    assert [*row["prompt"][:-1], {"role": "user", "content": question}] == rollout.messages()
    assert row["prompt"][-1] == {"role": "user", "content": ""}
    rollout.answer(GOOD)
    assert environment.write_prompt(reply=GOOD) == rollout.messages()[-1]["content"]
    rollout.answer(GOOD)
    assert environment.write_prompt(reply=GOOD) == OVER
    assert environment.get_reward() == rollout.rewards().best > 0
    with pytest.raises(UsageError, match="the loop is over"):
        environment.write_prompt(reply=GOOD)
    # What the model tries after the end changes nothing.
    assert environment.get_reward() == rollout.rewards().best


@pytest.mark.parametrize("reward", ["gain", "best", "fresh"])
def test_turns_without_a_call_keep_the_prompt(player: LoopPlayer, reward: LoopReward) -> None:
    environment = LoopEnvironment(player, reward)
    environment.reset(family="eat", loop=0)
    environment.write_prompt(reply=GOOD)
    rollout = player.start("eat", 0)
    rollout.answer(GOOD)
    rollout.stop()
    assert environment.get_reward() == getattr(rollout.rewards(), reward) > 0
    environment.reset(family="eat", loop=0)
    assert environment.get_reward() < getattr(rollout.rewards(), reward)


def test_an_episode_that_cannot_be_played_gives_no_reward(player: LoopPlayer, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = LoopEnvironment(player, "fresh")
    environment.reset(family="eat", loop=0)

    def failing(self: EpisodePlayer, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        raise EnvError("the game hangs")

    with monkeypatch.context() as patch:
        patch.setattr(EpisodePlayer, "play", failing)
        # TRL shows this error to the model and goes on.
        with pytest.raises(EnvError):
            environment.write_prompt(reply=GOOD)
    with pytest.raises(EnvError, match="the game hangs"):
        environment.get_reward()
    environment.reset(family="eat", loop=0)
    assert environment.get_reward() >= 0


def test_the_reward_fresh_scores_nothing(player: LoopPlayer, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = LoopEnvironment(player, "fresh")
    environment.reset(family="eat", loop=0)
    monkeypatch.setattr(LoopPlayer, "outcomes", None)
    assert 0 <= environment.get_reward() <= 1


def test_an_environment_that_was_not_reset_is_refused(player: LoopPlayer) -> None:
    environment = LoopEnvironment(player)
    for call in (environment.get_reward, lambda: environment.write_prompt("")):
        with pytest.raises(UsageError, match="call reset first"):
            call()


def test_public_methods_are_the_tool_and_what_trl_calls() -> None:
    methods = {name for name, _ in inspect.getmembers(LoopEnvironment, inspect.isfunction) if not name.startswith("_")}
    assert methods == {"reset", "write_prompt", "get_reward"}


@pytest.mark.parametrize("reflector", ["lessons", "one-action", "one-rule", "rewrite"])
def test_the_first_messages_of_a_row_are_those_of_every_turn(reflector: str) -> None:
    with LoopPlayer(families="eat", reflector=reflector, **SIZES) as loop_player:
        (row,) = loop_rows(loop_player, [0])
        rollout = loop_player.start("eat", 0)
        for reply in (f"ANALYSIS:\nnone\nIMPROVED PROMPT:\n{GOOD}", ""):
            assert row["prompt"][:-1] == rollout.messages()[:-1]
            rollout.answer(reply)

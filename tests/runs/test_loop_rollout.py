from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.errors import ConfigError, InfrastructureError, LimitReachedError, PoolTooSmallError, UsageError
from ictbench.runs import EpisodePlayer, LoopPlayer
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ictbench.records import Episode, EpisodeSpec

SIZES: dict[str, Any] = {"turns": 3, "batch_size": 2, "selection_size": 4, "test_size": 6}
REPLIES = (
    "I have no idea.",
    'Walk onto "%"\nWhen you see "You see here", choose "pickup"\nWhen you see "f -", choose "eat"',
    'Walk onto "<"',
)
UNUSABLE, GOOD, POOR = REPLIES


@pytest.fixture(scope="module")
def player() -> Iterator[LoopPlayer]:
    with LoopPlayer(families="eat", reflector="lessons", **SIZES) as loop_player:
        yield loop_player


def test_a_rollout_gives_the_loop_and_the_measures_of_a_run(player: LoopPlayer, tmp_path: Path) -> None:
    rollout = player.start("eat", 0)
    answers, failures = {}, []
    for reply in REPLIES:
        answers[rollout.messages()[-1]["content"]] = reply
        failures.append(rollout.answer(reply).failure)
    assert failures == ["unparseable", None, None]
    # A run that asks other questions gets no prompt.
    with ScriptedServer(lambda body: Reply(answers.get(body["messages"][-1]["content"], "?"))) as server:
        result = ictbench.run(
            families="eat",
            loops=1,
            reflector="lessons:openai/scripted",
            reflector_base_url=server.url,
            actor="rules",
            executor="inline",
            out=tmp_path / "run",
            **SIZES,
        ).result
    (loop,) = result.families[0].loops
    assert rollout.result() == loop
    assert not loop.progress
    measures, rewards = result.families[0].measures, rollout.rewards()
    assert measures
    assert (rewards.best, rewards.gain) == (measures.best.value, measures.gain.value)
    assert loop.best == 2
    assert rewards.gain > 0
    success = [batch.outcomes.count("1") / 2 for batch in loop.batches]
    assert rollout.success[:3] == tuple(success)
    assert rewards.fresh == fmean([*success[1:], rollout.success[3]])


def test_tasks_of_the_batch_after_the_last_are_those_of_a_longer_loop(player: LoopPlayer) -> None:
    with LoopPlayer(families="eat", reflector="lessons", **{**SIZES, "turns": 4}) as longer:
        short, long = player.start("eat", 1), longer.start("eat", 1)
        for reply in (GOOD, POOR, GOOD):
            for rollout in (short, long):
                rollout.messages()
                rollout.answer(reply)
        long.messages()
        short.fresh()
    assert short.success == long.success


def test_a_start_prompt_is_the_first_prompt_and_is_played(player: LoopPlayer, tmp_path: Path) -> None:
    start = 'You are the "@".\nWalk onto "%".\nWhen you see "You see here", choose "pickup".'
    (tmp_path / "start.txt").write_text(start, encoding="utf-8")
    options: dict[str, Any] = {**SIZES, "start_prompt": str(tmp_path / "start.txt")}
    with LoopPlayer(families="eat", reflector="one-action", **options) as started:
        rollout = started.start("eat", 0)
        rollout.messages()
        rollout.answer("Solved: eat.")
        assert rollout.prompts[0] == start
        assert rollout.prompts[1].startswith(start)
        rollout.stop()
        assert rollout.result().prompts[0].text == start
        assert rollout.rewards().gain > 0
    assert player.start("eat", 0).prompts != (start,)


def test_turns_without_a_reply_keep_the_prompt_and_are_counted(player: LoopPlayer) -> None:
    rollout = player.start("eat", 0)
    rollout.answer(GOOD)
    rollout.stop("truncated")
    assert rollout.finished
    assert rollout.prompts[1:] == (rollout.prompts[1],) * 3
    assert [prompt.failure for prompt in rollout.result().prompts] == [None, None, "truncated", "truncated"]
    with pytest.raises(UsageError, match="the loop is over after 3 turns"):
        rollout.answer(GOOD)


def test_a_cut_reply_without_a_rule_is_truncated(player: LoopPlayer) -> None:
    assert player.start("eat", 0).answer(UNUSABLE, cut=True).failure == "truncated"


def test_rewards_need_all_prompts(player: LoopPlayer) -> None:
    rollout = player.start("eat", 0)
    rollout.answer(GOOD)
    for reward in (rollout.fresh, rollout.result, rollout.rewards):
        with pytest.raises(UsageError, match="only 1 of 3 prompts are written"):
            reward()


def test_prompt_0_is_scored_once_for_all_rollouts_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[str] = []
    play = EpisodePlayer.play

    def counting(self: EpisodePlayer, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        played.extend(spec.key for spec in specs)
        return play(self, specs)

    with LoopPlayer(families="eat", reflector="lessons", **SIZES) as loop_player:
        first, second = loop_player.start("eat", 0), loop_player.start("eat", 0)
        first.stop()
        rewards = first.rewards()
        monkeypatch.setattr(EpisodePlayer, "play", counting)
        second.stop()
        assert second.rewards() == rewards
    # Its experience, and nothing else: all prompts are prompt[0].
    assert len(played) == 4 * SIZES["batch_size"]


def test_an_episode_that_cannot_be_played_is_no_outcome(player: LoopPlayer, monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = player.start("eat", 2)
    attempts: list[int] = []

    def failing(self: EpisodePlayer, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        attempts.append(len(specs))
        raise InfrastructureError("the game hangs")

    with monkeypatch.context() as patch:
        patch.setattr(EpisodePlayer, "play", failing)
        for call in (rollout.messages, rollout.stop):
            with pytest.raises(InfrastructureError, match="the game hangs"):
                call()
    assert attempts == [2, 2, 2, 2]
    assert rollout.turn == 0
    rollout.answer(GOOD)
    rollout.stop()
    with monkeypatch.context() as patch:
        patch.setattr(EpisodePlayer, "play", failing)
        for reward in (rollout.fresh, rollout.rewards):
            with pytest.raises(InfrastructureError, match="the game hangs"):
                reward()
    other = player.start("eat", 2)
    other.answer(GOOD)
    other.stop()
    assert rollout.rewards() == other.rewards()


def test_limits_hold_for_all_loops_together() -> None:
    options: dict[str, Any] = {**SIZES, "max_steps": 2, "max_tokens": 1}
    with (
        ScriptedServer([Reply("Action: step n")]) as server,
        LoopPlayer(families="eat", actor="openai/scripted", actor_base_url=server.url, **options) as loop_player,
    ):
        first, second = loop_player.start("eat", 0), loop_player.start("eat", 1)
        with pytest.raises(LimitReachedError):
            first.stop()
        with pytest.raises(LimitReachedError):
            second.messages()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reflector": "ace"}, "reflector 'ace' cannot be trained.*use lessons, one-action, one-rule or rewrite"),
        ({"reflector": "lessons", "experience": "raw"}, "does not support experience 'raw'"),
        ({"loops": 3}, "a meta-environment does not take the option 'loops'"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LoopPlayer(families="eat", **options)


def test_streams_are_refused() -> None:
    suite = ictbench.load_suite("minihack-stream-v1")
    with pytest.raises(ConfigError, match=r"is a stream.*name one of its families"):
        LoopPlayer(suite.name, families=suite.streams[0])


def test_unknown_families_and_loops_are_refused(player: LoopPlayer) -> None:
    with pytest.raises(ConfigError, match="'read' is not among the families: eat"):
        player.start("read", 0)
    with pytest.raises(PoolTooSmallError, match="loop 50"):
        player.start("eat", 50)


def test_families_are_those_of_the_suite_for_training_unless_others_are_named() -> None:
    with LoopPlayer(**SIZES) as loop_player:
        suite = ictbench.load_suite("minihack-v1")
        assert loop_player.families == suite.select_families(["meta-train"])
        assert LoopPlayer(families="eat,zap").families == LoopPlayer(families=["eat", "zap"]).families == ("eat", "zap")
        assert loop_player.trained_on == tuple(f"minihack-v1/{family}" for family in loop_player.families)

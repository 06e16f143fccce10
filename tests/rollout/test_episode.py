from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ictbench.actors import Actor, History
from ictbench.envs import TextEnv
from ictbench.errors import EnvError, ModelFailure, ModelUnavailableError, PluginError
from ictbench.records import (
    UNREPORTED,
    Decision,
    EnvEnd,
    Episode,
    EpisodeSpec,
    Observation,
    PluginSpec,
    Step,
    Task,
    Usage,
    prompt_digest,
)
from ictbench.rollout.episode import match_action, play_episode

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

ENDS: dict[int, EnvEnd] = {3: "solved", -2: "died", -1: "env_ended"}
WAYS = {"Walk East": 1, "jump back": -2, "walk west": -1}


class CorridorEnv(TextEnv):
    """Solved at 3 (east). A pit at -2 and an exit at -1 end it unsolved."""

    def __init__(self) -> None:
        self.at = 0
        self.executed: list[str] = []

    def reset(self, task: Task) -> Observation:
        self.at = 0
        return self.look()

    def step(self, action: str) -> Observation:
        self.executed.append(action)
        if action == "knock":
            raise EnvError("the corridor fell in")
        self.at += WAYS[action]
        return self.look(reward=0.5, keys=("k", " "))

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {"corridor": "2.0"}

    def look(self, reward: float = 0.0, keys: tuple[str, ...] = ()) -> Observation:
        return Observation(
            text=f"You stand at {self.at}.",
            actions=(*WAYS, "knock"),
            reward=reward,
            end=ENDS.get(self.at),
            keys=keys,
        )


class Scripted(Actor):
    """Proposes the given actions, raises the given errors, and records its inputs."""

    def __init__(self, *proposals: str | Exception | None) -> None:
        super().__init__()
        self.proposals = iter(proposals)
        self.inputs: list[tuple[str, tuple[Step, ...], str, tuple[str, ...], int, int]] = []

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        past = tuple(history.steps)
        self.inputs.append((prompt, past, history.observation, history.actions, history.max_steps, seed))
        proposal = next(self.proposals)
        if isinstance(proposal, Exception):
            raise proposal
        return Decision(action=proposal, thought=f"thought {len(past)}", usage=Usage(calls=1, input_tokens=10))


def spec(max_steps: int = 10) -> EpisodeSpec:
    start = Task(id="corridor-1", family="corridor", env="corridor", params={"seed": 1})
    actor = PluginSpec(label="scripted", name="scripted")
    return EpisodeSpec(task=start, prompt="Walk well.", actor=actor, max_steps=max_steps, seed=99)


def play(actor: Actor, env: TextEnv | None = None, max_steps: int = 10) -> Episode:
    async def call(function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    return asyncio.run(play_episode(spec(max_steps), env or CorridorEnv(), actor, call))


def test_solved_episode_is_recorded_in_full() -> None:
    episode = play(Scripted("Walk East", "Walk East", "Walk East", "not reached"))
    assert episode.key == f"corridor-1@{prompt_digest('Walk well.')}"
    assert (episode.task, episode.prompt, episode.seed) == (spec().task, prompt_digest("Walk well."), 99)
    assert episode.versions == {"corridor": "2.0"}
    assert episode.usage == Usage(calls=3, input_tokens=30)
    trajectory = episode.trajectory
    assert (trajectory.end, trajectory.failure, trajectory.solved, trajectory.total_reward) == (
        "solved",
        None,
        True,
        1.5,
    )
    assert trajectory.last_observation == "You stand at 3."
    assert [step.observation for step in trajectory.steps] == [f"You stand at {at}." for at in range(3)]
    assert [step.thought for step in trajectory.steps] == ["thought 0", "thought 1", "thought 2"]
    assert [(step.keys, step.reward) for step in trajectory.steps] == [(("k", " "), 0.5)] * 3
    looks = [Observation(text=f"You stand at {at}.", actions=(*WAYS, "knock")).digest for at in range(4)]
    assert [step.digest for step in trajectory.steps] + [trajectory.last_digest] == looks


@pytest.mark.parametrize(
    ("proposals", "end"),
    [
        (["walk west", "walk west"], "env_ended"),
        (["jump back"], "died"),
        (["Walk East", "walk west"] * 5, "step_limit"),
        (["Walk East", "Walk East", "Walk East"], "solved"),
    ],
)
def test_end_of_an_episode_is_named(proposals: list[str], end: str) -> None:
    assert play(Scripted(*proposals)).trajectory.end == end


def test_episode_solved_by_its_last_decision_is_solved() -> None:
    assert play(Scripted("Walk East", "Walk East", "Walk East"), max_steps=3).trajectory.end == "solved"
    assert play(Scripted("Walk East", "Walk East", "Walk East"), max_steps=2).trajectory.end == "step_limit"


def test_actor_receives_prompt_seed_and_history() -> None:
    actor = Scripted("Walk East", "fly", "Walk East", "Walk East")
    steps = play(actor, max_steps=7).trajectory.steps
    assert [len(past) for _, past, *_ in actor.inputs] == [0, 1, 2, 3]
    assert all(past == steps[: len(past)] for _, past, *_ in actor.inputs)
    assert [shown for _, _, shown, *_ in actor.inputs] == [step.observation for step in steps]
    assert {(prompt, actions, limit, seed) for prompt, _, _, actions, limit, seed in actor.inputs} == {
        ("Walk well.", (*WAYS, "knock"), 7, 99)
    }


def test_invalid_action_uses_a_decision_changes_nothing_and_is_reported_to_the_actor() -> None:
    env, actor = CorridorEnv(), Scripted("Walk East", "fly", None, "Walk East", "Walk East")
    trajectory = play(actor, env).trajectory
    assert env.executed == ["Walk East"] * 3
    assert (trajectory.end, trajectory.invalid, len(trajectory.steps)) == ("solved", 2, 5)
    _, invalid, empty, valid, _ = trajectory.steps
    assert (invalid.proposed, invalid.executed, invalid.keys, invalid.reward) == ("fly", None, (), 0.0)
    assert (empty.proposed, empty.executed, empty.keys, empty.reward) == (None, None, (), 0.0)
    assert invalid.observation == "You stand at 1."
    notice = '"fly" is not one of the available actions. Nothing happened.\n\n'
    assert empty.observation == f"{notice}You stand at 1."
    assert valid.observation == "Your reply named no action. Nothing happened.\n\nYou stand at 1."
    assert invalid.digest == empty.digest == valid.digest
    assert trajectory.total_reward == 1.5


def test_invalid_actions_count_towards_the_step_limit() -> None:
    env = CorridorEnv()
    trajectory = play(Scripted(*["fly"] * 4), env, max_steps=4).trajectory
    assert (trajectory.end, trajectory.invalid, env.executed) == ("step_limit", 4, [])
    assert trajectory.last_observation.endswith("Nothing happened.\n\nYou stand at 0.")
    assert trajectory.last_digest == trajectory.steps[0].digest


@pytest.mark.parametrize(
    ("proposed", "actions"),
    [
        ("north", ("eat", "read")),
        ("kick", ("pickup",)),
        ("northeast", ("step n", "ne")),
        ("step", ("step n",)),
        ("step n.", ("step n",)),
        ("stepn", ("step n",)),
        ("step n step n", ("step n",)),
        ("step-n", ("step n",)),
        ('"step n"', ("step n",)),
        ("1", ("step n",)),
        ("", ("step n",)),
        ("pick up", ("pickup",)),
    ],
)
def test_similar_action_does_not_match(proposed: str, actions: tuple[str, ...]) -> None:
    assert match_action(proposed, actions) is None


@given(st.lists(st.sampled_from(["step n", "step ne", "Put On", "eat"]), unique=True, min_size=1), st.data())
def test_action_matches_despite_case_and_white_space(actions: list[str], data: st.DataObject) -> None:
    expected = data.draw(st.sampled_from(actions))
    gap = st.text(" \t\n", min_size=1)
    written = "".join(data.draw(gap) if letter == " " else letter for letter in expected)
    written = "".join(data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in written)
    written = data.draw(st.text(" \t\n")) + written + data.draw(st.text(" \t\n"))
    assert match_action(written, actions) == expected


@given(st.none() | st.text(), st.lists(st.text()))
def test_matched_action_is_available(proposed: str | None, actions: list[str]) -> None:
    matched = match_action(proposed, actions)
    if matched is None:
        assert proposed is None or proposed not in actions
    else:
        assert proposed is not None
        assert matched in actions
        assert "".join(matched.split()).casefold() == "".join(proposed.split()).casefold()


def test_executed_action_has_the_spelling_of_the_environment() -> None:
    env = CorridorEnv()
    steps = play(Scripted("  walk   EAST\n"), env, max_steps=1).trajectory.steps
    assert env.executed == ["Walk East"]
    assert (steps[0].proposed, steps[0].executed) == ("  walk   EAST\n", "Walk East")


def test_model_failure_fails_the_episode_with_its_kind_and_usage() -> None:
    spent = Usage(calls=1, input_tokens=900, cost=0.25)
    episode = play(Scripted("Walk East", ModelFailure("context_overflow", "too long", usage=spent)))
    assert (episode.trajectory.end, episode.trajectory.failure) == ("failed", "context_overflow")
    assert len(episode.trajectory.steps) == 1
    assert episode.trajectory.last_observation == "You stand at 1."
    assert episode.usage == Usage(calls=2, input_tokens=910, cost=0.25)


def test_failed_call_of_unknown_usage_counts_as_a_call() -> None:
    episode = play(Scripted(ModelFailure("refused")))
    assert (episode.trajectory.end, episode.trajectory.failure, episode.trajectory.steps) == ("failed", "refused", ())
    assert episode.usage == UNREPORTED


def test_infrastructure_errors_are_raised() -> None:
    with pytest.raises(ModelUnavailableError, match="no answer"):
        play(Scripted("Walk East", ModelUnavailableError("no answer")))
    with pytest.raises(EnvError, match="fell in"):
        play(Scripted("knock"))


def test_texts_can_be_left_out_of_the_trajectory() -> None:
    async def call(function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    proposals = ["Walk East", "fly", "walk west"]
    full = play(Scripted(*proposals), max_steps=3).trajectory
    lean_spec = spec(max_steps=3).model_copy(update={"keep_texts": False})
    lean = asyncio.run(play_episode(lean_spec, CorridorEnv(), Scripted(*proposals), call)).trajectory
    assert lean.last_observation == ""
    assert lean.steps[0] == full.steps[0]
    assert {(step.observation, step.actions) for step in lean.steps[1:]} == {("", ())}
    assert [step.digest for step in lean.steps] == [step.digest for step in full.steps]
    assert [(step.executed, step.reward, step.keys) for step in lean.steps] == [
        (step.executed, step.reward, step.keys) for step in full.steps
    ]
    assert (lean.last_digest, lean.end) == (full.last_digest, full.end)


class MeasuredCorridorEnv(CorridorEnv):
    """Reports progress: steps towards the end at 3."""

    def look(self, reward: float = 0.0, keys: tuple[str, ...] = ()) -> Observation:
        return super().look(reward, keys).model_copy(update={"progress": max(self.at, 0) / 3})


@pytest.mark.parametrize(
    ("proposals", "progress"),
    [
        (("Walk East", "Walk East", "Walk East"), 1.0),
        (("Walk East", "Walk East", "walk west", "fly"), 1 / 3),
        (("Walk East", "Walk East", ModelFailure("refused", "no")), 2 / 3),
        (("Walk East", "jump back", "walk west"), 0.0),
    ],
)
def test_progress_of_an_episode_is_that_of_its_last_observation(proposals: Any, progress: float) -> None:
    episode = play(Scripted(*proposals), MeasuredCorridorEnv(), max_steps=4)
    assert episode.progress == episode.summary().progress == progress
    assert Episode.model_validate_json(episode.model_dump_json()) == episode


def test_progress_of_a_world_that_does_not_measure_it_is_not_recorded() -> None:
    episode = play(Scripted("Walk East"), max_steps=1)
    assert episode.progress is None
    assert "progress" not in episode.model_dump()
    assert "progress" not in episode.summary().model_dump()


def test_a_solved_task_without_full_progress_is_an_error_of_the_environment() -> None:
    class Unfinished(CorridorEnv):
        def look(self, reward: float = 0.0, keys: tuple[str, ...] = ()) -> Observation:
            return super().look(reward, keys).model_copy(update={"progress": 0.9})

    with pytest.raises(PluginError, match=r"step of task corridor-1: the task is solved, and its progress is 0\.9"):
        play(Scripted(*["Walk East"] * 3), Unfinished())
    assert play(Scripted("Walk East"), Unfinished(), max_steps=1).progress == 0.9


@pytest.mark.parametrize("reward", [float("nan"), float("-inf")])
def test_a_reward_that_no_record_can_hold_is_an_error_of_the_environment(reward: float) -> None:
    class Endless(CorridorEnv):
        def step(self, action: str) -> Observation:
            return super().step(action).model_copy(update={"reward": reward})

    with pytest.raises(PluginError, match=r"step of task corridor-1: its reward is .*; return a finite number"):
        play(Scripted("Walk East"), Endless())


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_progress_is_a_number_from_0_to_1(value: float) -> None:
    with pytest.raises(ValidationError, match="progress"):
        Observation(text="A corridor.", actions=("wait",), progress=value)

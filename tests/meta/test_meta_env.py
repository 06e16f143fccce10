from __future__ import annotations

import asyncio
import pickle
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import gymnasium
import pytest
from bell_env import write_bell_suite
from gymnasium.utils.env_checker import check_env

import ictbench
from ictbench import Context, MetaEnv, load_suite
from ictbench.errors import ConfigError, EnvError, IctbenchError, PoolTooSmallError, UnknownNameError, UsageError
from ictbench.reflectors.trajectory_text import format_trajectories
from ictbench.scripted.miner import RulesReflector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ictbench import Result

SIZES: dict[str, Any] = {"turns": 3, "selection_size": 4, "test_size": 6}
GOOD = """\
You are the "@".
Walk onto "%".
When you see "see here", choose "pickup".
After you have seen "f -", choose "eat"."""


@pytest.fixture
def env() -> Iterator[MetaEnv]:
    with MetaEnv("minihack-v1", "eat", **SIZES) as meta_env:
        assert isinstance(meta_env, MetaEnv)
        yield meta_env


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    out = tmp_path_factory.mktemp("run") / "run"
    return ictbench.run(families="eat", loops=2, executor="inline", out=out, **SIZES).result


@pytest.mark.parametrize("env_id", ["ictbench/MiniHack-Eat-v1", "ictbench/ALFWorld-Procgen-Pick-v1"])
def test_gymnasiums_environment_checker_passes(env_id: str) -> None:
    with gymnasium.make(env_id, actor="rules") as env:
        # Warnings are errors in tests.
        check_env(env.unwrapped)


def test_a_loop_plays_the_same_tasks_as_a_run_and_gives_the_same_result(env: MetaEnv, result: Result) -> None:
    for loop in result.families[0].loops:
        reflector, state = RulesReflector(), None
        _, info = env.reset(seed=loop.index)
        prompts, experience, tasks, truncated = [info["prompt"]], [], [], False
        while not truncated:
            text, reward, terminated, truncated, info = env.step(prompts[-1])
            assert text == format_trajectories(info["trajectories"])
            assert (reward, terminated) == (sum(info["solved"]) / 3, False)
            experience.append(outcomes(info["solved"]))
            tasks.append(info["task_ids"])
            reflection = asyncio.run(reflector.reflect(prompts[-1], info["trajectories"], state, Context(0, 8000)))
            prompts.append(reflection.prompt or prompts[-1])
            state = reflection.state
        assert (info["loop"], info["turn"]) == (loop.index, 3)
        assert prompts == [prompt.text for prompt in loop.prompts]
        assert experience == [batch.outcomes for batch in loop.batches]
        assert tasks == [batch.tasks for batch in loop.batches]
        # Scoring uses the tasks of the loop, whatever is played in between.
        assert outcomes(env.evaluate(prompts[-1]).solved) == loop.selection[-1]
        assert outcomes(env.evaluate(prompts[0], "test").solved) == loop.test[0]
        assert env.evaluate(prompts[0], "test").task_ids == loop.test_tasks


def outcomes(solved: tuple[bool, ...]) -> str:
    return "".join("01"[flag] for flag in solved)


def test_the_first_observation_contains_the_prompt_and_no_task_name(env: MetaEnv) -> None:
    text, info = env.reset(seed=0)
    assert info["prompt"] == load_suite("minihack-v1").prompt
    assert text.endswith(info["prompt"])
    assert "at most 8000 bytes" in text
    assert "3 episodes" in text
    shown = text + env.step(info["prompt"])[0]
    assert not any(word in shown for word in ("MiniHack", "eat-", "Eat-v", "minihack"))


def test_observations_and_actions_are_in_their_spaces(env: MetaEnv) -> None:
    text, info = env.reset(seed=0)
    assert text in env.observation_space
    assert env.step(info["prompt"])[0] in env.observation_space
    assert GOOD in env.action_space
    assert "é" * 4000 in env.action_space
    assert "é" * 4001 not in env.action_space
    assert "\ud800" not in env.action_space


def test_a_reset_without_a_seed_draws_a_loop_that_can_be_scored(env: MetaEnv) -> None:
    env.reset(seed=3)
    drawn = [env.reset()[1]["loop"] for _ in range(4)]
    env.reset(seed=3)
    assert [env.reset()[1]["loop"] for _ in range(4)] == drawn
    assert len(set(drawn)) > 1
    assert len(env.evaluate(GOOD, size=2).task_ids) == 2


def test_any_loop_index_can_be_played_but_only_some_can_be_scored(env: MetaEnv) -> None:
    _, info = env.reset(seed=10**9)
    assert env.step(info["prompt"])[4]["loop"] == 10**9
    with pytest.raises(PoolTooSmallError, match="loop 1000000000 requested, there are blocks for 50 loops"):
        env.evaluate(GOOD)


def test_replay_plays_tasks_by_their_ids(env: MetaEnv) -> None:
    _, info = env.reset(seed=0)
    _, _, _, _, first = env.step(info["prompt"])
    again = env.replay(info["prompt"], first["task_ids"])
    assert (again.task_ids, again.trajectories) == (first["task_ids"], first["trajectories"])
    assert env.replay(GOOD, first["task_ids"]).success_rate > again.success_rate
    # The loop continues where it was.
    assert env.step(info["prompt"])[4]["turn"] == 2


def test_reset_with_task_ids_plays_the_same_tasks_in_every_turn(env: MetaEnv) -> None:
    env.reset(options={"task_ids": ["eat-7", "eat-20007"]})
    turns = [env.step(GOOD) for _ in range(3)]
    assert [turn[4]["task_ids"] for turn in turns] == [("eat-7", "eat-20007")] * 3
    assert turns[0][0] == turns[2][0]
    assert [turn[3] for turn in turns] == [False, False, True]


def test_a_step_reports_the_usage_of_the_model() -> None:
    from ictbench.testing import ScriptedServer, react_policy

    answer = react_policy(lambda prompt, observation, actions: actions[0])
    with ScriptedServer(answer) as server:
        options: dict[str, Any] = {"actor": "openai/scripted", "actor_base_url": server.url, "max_steps": 2}
        with MetaEnv("minihack-v1", "eat", turns=2, **options) as env:
            _, info = env.reset(seed=0)
            usage = env.step(info["prompt"])[4]["usage"]
            assert usage.calls == 6
            assert usage.input_tokens > 1000


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (7, "must be a string, not 7"),
        ("x" * 8001, "8001 bytes of UTF-8, but minihack-v1 allows 8000"),
        ("é" * 4001, "the prompt has 8002 bytes"),
        ("half a pair: \ud800", "lone surrogate"),
    ],
)
def test_an_invalid_prompt_is_an_error_and_uses_no_turn(env: MetaEnv, prompt: Any, message: str) -> None:
    env.reset(seed=0)
    for play in (env.step, env.evaluate, lambda prompt: env.replay(prompt, ["eat-1"])):
        with pytest.raises(UsageError, match=message) as caught:
            play(prompt)
        assert "\n" not in str(caught.value)
    assert env.step(GOOD)[4]["turn"] == 1


def test_a_step_without_a_loop_in_progress_is_an_error(env: MetaEnv) -> None:
    with pytest.raises(UsageError, match="no loop is in progress; call reset"):
        env.step(GOOD)
    with pytest.raises(UsageError, match="no loop is in progress; call reset"):
        env.evaluate(GOOD)
    env.reset(seed=0)
    for _ in range(3):
        env.step(GOOD)
    with pytest.raises(UsageError, match="the loop is over after 3 turns; call reset"):
        env.step(GOOD)
    env.close()
    env.reset(seed=0)
    with pytest.raises(UsageError, match="closed"):
        env.step(GOOD)


def test_unknown_tasks_sizes_pools_and_options_are_errors(env: MetaEnv) -> None:
    env.reset(seed=0)
    for wrong in ("eat-20000000", "read-1", "eat-01", "eat--1", "eat-", "eat-٣", "eat-" + "9" * 5000):
        with pytest.raises(UnknownNameError, match="family 'eat' of suite minihack-v1 has no task"):
            env.replay(GOOD, [wrong])
    for invalid in ((), "eat-1", [3], ["eat-1", None]):
        with pytest.raises(ConfigError, match="task ids must be a non-empty list"):
            env.replay(GOOD, invalid)  # type: ignore[arg-type]
    for size in (0, -1):
        with pytest.raises(ConfigError, match=f"size must be at least 1, not {size}"):
            env.evaluate(GOOD, size=size)
    with pytest.raises(ConfigError, match=r"'valid' is not a scoring pool \(pools: selection, test\)"):
        env.evaluate(GOOD, "valid")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="reset has no option 'tasks'"):
        env.reset(options={"tasks": []})


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("minihack-v1", "eats"), {}, UnknownNameError, "no family 'eats'; did you mean 'eat'"),
        (("minihack-v2", "eat"), {}, UnknownNameError, "unknown suite 'minihack-v2'"),
        (("minihack-v1", "held-out"), {}, ConfigError, "one family, but 'held-out' stands for room-dark, read"),
        (("minihack-v1", "eat"), {"actor": "ruler"}, UnknownNameError, "unknown actor 'ruler'; did you mean 'rules'"),
        (("minihack-v1", "eat"), {"actor": "solver"}, ConfigError, "needs a solver"),
        (("minihack-v1", "eat"), {"turn": 3}, ConfigError, "unknown option 'turn'; did you mean 'turns'"),
        (("minihack-v1", "eat"), {"turns": 0}, ConfigError, "option turns"),
        (("minihack-v1", "eat"), {"reflector": "rules"}, ConfigError, "does not take the option 'reflector'"),
    ],
)
def test_an_invalid_option_is_an_error_before_anything_is_played(
    arguments: tuple[str, str], options: dict[str, Any], error: type[IctbenchError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        MetaEnv(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_missing_games_are_an_error_at_reset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    with MetaEnv("alfworld-v1", "pick", turns=2) as env, pytest.raises(ConfigError, match="ictbench data fetch"):
        env.reset(seed=0)


def test_an_environment_error_uses_no_turn_and_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with MetaEnv(write_bell_suite(tmp_path), "bell", actor="bell_env:ObedientActor", turns=2) as env:
        env.reset(seed=0)
        with pytest.raises(EnvError, match="the environment broke: OSError: the bell broke"):
            env.step("crack")
        text, reward, _, _, info = env.step("ring")
        assert (reward, info["turn"]) == (1.0, 1)
        assert "A bell. 鐘" in text
    assert set(threading.enumerate()) == before


def test_ctrl_c_cancels_a_step_and_the_environment_stays_usable(tmp_path: Path) -> None:
    with MetaEnv(write_bell_suite(tmp_path), "bell", actor="bell_env:ObedientActor", turns=2) as env:
        env.reset(seed=0)
        env.replay("ring", ["bell-1"])
        main = threading.main_thread().ident or 0
        threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            env.step("sleep")
        assert sys.modules["bell_env"].ObedientActor.active == 0
        assert env.step("ring")[4]["turn"] == 1


def test_a_long_observation_is_cut_to_the_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ictbench.meta.meta_env.STEP_BYTES", 100)
    with MetaEnv("minihack-v1", "eat", turns=2, batch_size=1) as env:
        _, info = env.reset(seed=0)
        text = env.step(info["prompt"])[0]
        assert text in env.observation_space
        assert text.endswith("\n[cut here]")


def test_an_unpickled_environment_has_the_same_options_and_no_loop(env: MetaEnv) -> None:
    env.reset(seed=0)
    env.step(GOOD)
    with pickle.loads(pickle.dumps(env)) as copy:
        with pytest.raises(UsageError, match="call reset first"):
            copy.step(GOOD)
        copy.reset(seed=1)
        env.reset(seed=1)
        assert copy.step(GOOD)[0] == env.step(GOOD)[0]
        assert copy.observation_space == env.observation_space


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_work(mode: str) -> None:
    # Gymnasium does not read changed texts from shared memory, and forking is unsafe while threads run.
    options = {"context": "spawn", "shared_memory": False} if mode == "async" else {}
    envs = gymnasium.make_vec(
        "ictbench/MiniHack-Eat-v1", 2, mode, vector_kwargs=options, actor="rules", turns=2, batch_size=2
    )
    try:
        _, info = envs.reset(seed=0)
        texts, rewards, _, _, info = envs.step(tuple(info["prompt"]))
        assert [list(info["loop"]), list(info["turn"])] == [[0, 1], [1, 1]]
        assert [text == format_trajectories(info["trajectories"][i]) for i, text in enumerate(texts)] == [True, True]
        assert list(rewards) == [sum(solved) / 2 for solved in info["solved"]]
        assert info["task_ids"][0] != info["task_ids"][1]
    finally:
        envs.close()

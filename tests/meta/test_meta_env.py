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
    with MetaEnv("minihack-v1", "eat", **SIZES) as made:
        assert isinstance(made, MetaEnv)
        yield made


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    out = tmp_path_factory.mktemp("run") / "run"
    return ictbench.run(families="eat", loops=2, executor="inline", out=out, **SIZES).result


@pytest.mark.parametrize("env_id", ["ictbench/MiniHack-Eat-v1", "ictbench/ALFWorld-Procgen-Pick-v1"])
def test_gymnasiums_own_check_finds_nothing(env_id: str) -> None:
    with gymnasium.make(env_id, actor="rules") as made:
        # Warnings are errors.
        check_env(made.unwrapped)


def test_a_loop_meets_what_a_run_meets_and_gives_the_same(env: MetaEnv, result: Result) -> None:
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
        # The loop's own tasks for scoring, whatever is played in between.
        assert outcomes(env.evaluate(prompts[-1]).solved) == loop.selection[-1]
        assert outcomes(env.evaluate(prompts[0], "test").solved) == loop.test[0]
        assert env.evaluate(prompts[0], "test").task_ids == loop.test_tasks


def outcomes(solved: tuple[bool, ...]) -> str:
    return "".join("01"[one] for one in solved)


def test_the_first_observation_holds_the_prompt_and_names_no_task(env: MetaEnv) -> None:
    text, info = env.reset(seed=0)
    assert info["prompt"] == load_suite("minihack-v1").prompt
    assert text.endswith(info["prompt"])
    assert "at most 8000 bytes" in text
    assert "3 episodes" in text
    told = text + env.step(info["prompt"])[0]
    assert not any(word in told for word in ("MiniHack", "eat-", "Eat-v", "minihack"))


def test_what_is_shown_and_what_is_done_are_in_the_spaces(env: MetaEnv) -> None:
    text, info = env.reset(seed=0)
    assert text in env.observation_space
    assert env.step(info["prompt"])[0] in env.observation_space
    assert GOOD in env.action_space
    assert "é" * 4000 in env.action_space
    assert "é" * 4001 not in env.action_space
    assert "\ud800" not in env.action_space


def test_an_unseeded_reset_draws_a_loop_that_can_be_scored(env: MetaEnv) -> None:
    env.reset(seed=3)
    drawn = [env.reset()[1]["loop"] for _ in range(4)]
    env.reset(seed=3)
    assert [env.reset()[1]["loop"] for _ in range(4)] == drawn
    assert len(set(drawn)) > 1
    assert len(env.evaluate(GOOD, size=2).task_ids) == 2


def test_a_loop_may_have_any_index_but_only_so_many_have_blocks(env: MetaEnv) -> None:
    _, info = env.reset(seed=10**9)
    assert env.step(info["prompt"])[4]["loop"] == 10**9
    with pytest.raises(PoolTooSmallError, match="loop 1000000000 requested, there are blocks for 50 loops"):
        env.evaluate(GOOD)


def test_tasks_are_played_again_by_their_ids(env: MetaEnv) -> None:
    _, info = env.reset(seed=0)
    _, _, _, _, first = env.step(info["prompt"])
    again = env.replay(info["prompt"], first["task_ids"])
    assert (again.task_ids, again.trajectories) == (first["task_ids"], first["trajectories"])
    assert env.replay(GOOD, first["task_ids"]).success_rate > again.success_rate
    # The loop goes on where it was.
    assert env.step(info["prompt"])[4]["turn"] == 2


def test_by_an_option_every_turn_plays_the_same_tasks(env: MetaEnv) -> None:
    env.reset(options={"task_ids": ["eat-7", "eat-20007"]})
    turns = [env.step(GOOD) for _ in range(3)]
    assert [turn[4]["task_ids"] for turn in turns] == [("eat-7", "eat-20007")] * 3
    assert turns[0][0] == turns[2][0]
    assert [turn[3] for turn in turns] == [False, False, True]


def test_what_the_model_cost_is_told() -> None:
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
    ("prompt", "said"),
    [
        (7, "a prompt is a text, not 7"),
        ("x" * 8001, "the prompt has 8001 bytes of UTF-8, and minihack-v1 allows 8000"),
        ("é" * 4001, "the prompt has 8002 bytes"),
        ("half a pair: \ud800", "half a surrogate pair"),
    ],
)
def test_what_is_no_prompt_is_refused_and_costs_no_turn(env: MetaEnv, prompt: Any, said: str) -> None:
    env.reset(seed=0)
    for play in (env.step, env.evaluate, lambda prompt: env.replay(prompt, ["eat-1"])):
        with pytest.raises(UsageError, match=said) as caught:
            play(prompt)
        assert "\n" not in str(caught.value)
    assert env.step(GOOD)[4]["turn"] == 1


def test_a_step_needs_a_loop_under_way(env: MetaEnv) -> None:
    with pytest.raises(UsageError, match="no loop is under way; call reset first"):
        env.step(GOOD)
    with pytest.raises(UsageError, match="no loop is under way; call reset first"):
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


def test_what_does_not_exist_is_told_in_a_line(env: MetaEnv) -> None:
    env.reset(seed=0)
    for wrong in ("eat-20000000", "read-1", "eat-01", "eat--1", "eat-", "eat-٣", "eat-" + "9" * 5000):
        with pytest.raises(UnknownNameError, match="family 'eat' of suite minihack-v1 has no task"):
            env.replay(GOOD, [wrong])
    for no_list in ((), "eat-1", [3], ["eat-1", None]):
        with pytest.raises(ConfigError, match="task ids are a list of texts"):
            env.replay(GOOD, no_list)  # type: ignore[arg-type]
    for size in (0, -1):
        with pytest.raises(ConfigError, match=f"size {size} is no number of tasks"):
            env.evaluate(GOOD, size=size)
    with pytest.raises(ConfigError, match="there is no pool 'valid'"):
        env.evaluate(GOOD, "valid")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="reset has no option 'tasks'"):
        env.reset(options={"tasks": []})


@pytest.mark.parametrize(
    ("arguments", "options", "error", "said"),
    [
        (("minihack-v1", "eats"), {}, UnknownNameError, "no family 'eats'; did you mean 'eat'"),
        (("minihack-v2", "eat"), {}, UnknownNameError, "unknown suite 'minihack-v2'"),
        (("minihack-v1", "held-out"), {}, ConfigError, "of one family, and 'held-out' means room-dark, read"),
        (("minihack-v1", "eat"), {"actor": "ruler"}, UnknownNameError, "unknown actor 'ruler'; did you mean 'rules'"),
        (("minihack-v1", "eat"), {"actor": "solver"}, ConfigError, "needs a solver"),
        (("minihack-v1", "eat"), {"turn": 3}, ConfigError, "unknown option 'turn'; did you mean 'turns'"),
        (("minihack-v1", "eat"), {"turns": 0}, ConfigError, "option turns"),
        (("minihack-v1", "eat"), {"reflector": "rules"}, ConfigError, "does not take the option 'reflector'"),
    ],
)
def test_what_cannot_be_made_is_told_before_anything_is_played(
    arguments: tuple[str, str], options: dict[str, Any], error: type[IctbenchError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        MetaEnv(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_games_that_are_not_here_are_told_at_the_reset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    with MetaEnv("alfworld-v1", "pick", turns=2) as env, pytest.raises(ConfigError, match="ictbench data fetch"):
        env.reset(seed=0)


def test_an_environment_that_breaks_costs_no_turn_and_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with MetaEnv(write_bell_suite(tmp_path), "bell", actor="bell_env:ObedientActor", turns=2) as env:
        env.reset(seed=0)
        with pytest.raises(EnvError, match="the environment broke: OSError: the bell broke"):
            env.step("crack")
        text, reward, _, _, info = env.step("ring")
        assert (reward, info["turn"]) == (1.0, 1)
        assert "A bell. 鐘" in text
    assert set(threading.enumerate()) == before


def test_ctrl_c_gives_a_step_up_and_the_environment_stays_usable(tmp_path: Path) -> None:
    with MetaEnv(write_bell_suite(tmp_path), "bell", actor="bell_env:ObedientActor", turns=2) as env:
        env.reset(seed=0)
        env.replay("ring", ["bell-1"])
        main = threading.main_thread().ident or 0
        threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            env.step("sleep")
        assert sys.modules["bell_env"].ObedientActor.active == 0
        assert env.step("ring")[4]["turn"] == 1


def test_a_long_text_is_cut_to_the_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ictbench.meta.meta_env.STEP_BYTES", 100)
    with MetaEnv("minihack-v1", "eat", turns=2, batch_size=1) as env:
        _, info = env.reset(seed=0)
        text = env.step(info["prompt"])[0]
        assert text in env.observation_space
        assert text.endswith("\n[cut here]")


def test_a_pickled_environment_is_a_new_one_with_the_same_options(env: MetaEnv) -> None:
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
def test_several_environments_are_a_vector(mode: str) -> None:
    # Gymnasium never reads texts anew from shared memory; and a process that forks would take threads along.
    how = {"context": "spawn", "shared_memory": False} if mode == "async" else {}
    envs = gymnasium.make_vec(
        "ictbench/MiniHack-Eat-v1", 2, mode, vector_kwargs=how, actor="rules", turns=2, batch_size=2
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

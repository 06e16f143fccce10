"""The OpenEnv server of the meta-environment, driven by OpenEnv's own client and validator over loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openenv.core import GenericEnvClient
from websockets.exceptions import ConnectionClosed

from ictbench import MetaEnv
from ictbench.errors import ConfigError, UsageError
from ictbench.meta.openenv_server import openenv_app
from ictbench.testing import Latency, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(sys.executable).parent
SIZES: dict[str, Any] = {"turns": 2, "batch_size": 2, "selection_size": 4, "test_size": 6}
GOOD = '\nWalk onto "%".\nWhen you see "see here", choose "pickup".\nAfter you have seen "f -", choose "eat".'
SECONDS = 120.0
"""Time for what takes a second on an idle machine."""


@contextmanager
def serving(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yield the address and process of a server that the command line started."""
    command = [str(PROGRAMS / "ictbench"), "openenv", "--port", "0", *options]
    for name, size in SIZES.items():
        command += [f"--{name.replace('_', '-')}", str(size)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()
        yield line.split()[0], process
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as (url, _):
        yield url


def client(address: str) -> Any:
    return GenericEnvClient(base_url=address, message_timeout_s=SECONDS).sync()


def test_a_loop_is_that_of_the_meta_environment(address: str) -> None:
    with MetaEnv("minihack-v1", "eat", **SIZES) as env, client(address) as remote:
        assert isinstance(env, MetaEnv)
        text, info = env.reset(seed=3)
        start = remote.reset(seed=3, episode_id="mine")
        prompt = info["prompt"]
        assert start.observation == {"text": text, "prompt": prompt, "pool": "", "turn": 0, "turns": 2, "solved": []}
        assert (start.reward, start.done) == (None, False)
        for turn, action in ((1, prompt), (2, prompt + GOOD)):
            text, reward, _, truncated, info = env.step(action)
            result = remote.step({"prompt": action})
            assert (result.reward, result.done) == (reward, truncated) == (reward, turn == 2)
            assert result.observation == {
                "text": text,
                "prompt": action,
                "pool": "experience",
                "turn": turn,
                "turns": 2,
                "solved": list(info["solved"]),
            }
            state = remote.state()
            assert (state["loop"], state["step_count"], state["episode_id"]) == (3, turn, "mine")
            assert state["task_ids"] == list(info["task_ids"])
        assert 0 < reward <= 1


def test_scoring_uses_no_turn_and_shows_no_episodes(address: str) -> None:
    with MetaEnv("minihack-v1", "eat", **SIZES) as env, client(address) as remote:
        assert isinstance(env, MetaEnv)
        env.reset(seed=1)
        prompt = remote.reset(seed=1).observation["prompt"] + GOOD
        for pool, size in (("selection", 4), ("test", 6)):
            result = remote.step({"prompt": prompt, "pool": pool})
            batch = env.evaluate(prompt, pool)  # type: ignore[arg-type]
            assert (result.reward, result.observation["solved"]) == (batch.success_rate, list(batch.solved))
            assert (len(batch.solved), result.observation["text"], result.observation["turn"]) == (size, "", 0)
            assert not result.done
        assert remote.step({"prompt": prompt}).observation["turn"] == 1


def test_what_a_client_shows_names_neither_task_nor_environment(address: str) -> None:
    with client(address) as remote:
        shown = [remote.reset(seed=0)]
        prompt = shown[0].observation["prompt"]
        shown += [remote.step({"prompt": prompt}), remote.step({"prompt": prompt, "pool": "test"})]
        text = json.dumps([result.observation for result in shown])
        assert remote.state()["task_ids"][0].startswith("eat-")
        assert "eat-" not in text
        assert "MiniHack" not in text


def test_task_ids_are_played_in_every_turn(address: str) -> None:
    with client(address) as remote:
        prompt = remote.reset(seed=0).observation["prompt"]
        remote.step({"prompt": prompt})
        tasks = remote.state()["task_ids"]
        remote.reset(task_ids=tasks[:1])
        for _ in range(2):
            remote.step({"prompt": prompt})
            assert remote.state()["task_ids"] == tasks[:1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sed": 3}, "'sed'"),
        ({"seed": -1}, "-1"),
        ({"seed": "3"}, "'3'"),
        ({"seed": True}, "True"),
        ({"task_ids": ["nope"]}, "'nope'"),
        ({"task_ids": []}, "non-empty"),
    ],
)
def test_a_wrong_reset_is_refused_and_the_loop_goes_on(address: str, arguments: dict[str, Any], words: str) -> None:
    with client(address) as remote:
        prompt = remote.reset(seed=0).observation["prompt"]
        remote.step({"prompt": prompt})
        with pytest.raises(RuntimeError, match=words):
            remote.reset(**arguments)
        assert remote.step({"prompt": prompt}).observation["turn"] == 2


@pytest.mark.parametrize(
    "action", [{"prompt": "x" * 8001}, {"prompt": 3}, {}, {"prompt": "", "pool": "all"}, {"prompt": "", "pol": "test"}]
)
def test_a_wrong_prompt_uses_no_turn(address: str, action: dict[str, Any]) -> None:
    with client(address) as remote:
        remote.reset(seed=0)
        with pytest.raises(RuntimeError, match=r"8001 bytes|Invalid message"):
            remote.step(action)
        assert remote.step({"prompt": ""}).observation["turn"] == 1


def test_a_step_before_a_reset_or_after_the_end_is_refused(address: str) -> None:
    with client(address) as remote:
        with pytest.raises(RuntimeError, match="call reset first"):
            remote.step({"prompt": ""})
        remote.reset(seed=0)
        assert [remote.step({"prompt": ""}).done for _ in range(2)] == [False, True]
        with pytest.raises(RuntimeError, match="the loop is over after 2 turns"):
            remote.step({"prompt": ""})


def test_clients_have_loops_of_their_own_and_too_many_are_refused() -> None:
    with serving("--sessions", "2", "--executor", "process", "--workers", "1") as (url, _):
        with client(url) as first, client(url) as second:
            prompt = first.reset(seed=0).observation["prompt"]
            second.reset(seed=1)
            first.step({"prompt": prompt})
            second.step({"prompt": prompt})
            tasks = [first.state()["task_ids"], second.state()["task_ids"]]
            assert not set(tasks[0]) & set(tasks[1])
            assert (first.state()["loop"], second.state()["loop"]) == (0, 1)
            # The server says so and closes; its client may find the connection closed before it can ask.
            refused = pytest.raises((RuntimeError, ConnectionClosed), match=r"CAPACITY_REACHED|received 1000")
            with refused, client(url) as third:
                third.reset(seed=2)
        # A client that left makes room.
        end = time.monotonic() + SECONDS
        while True:
            try:
                with client(url) as third:
                    assert third.reset(seed=2).observation["turn"] == 0
                break
            except (RuntimeError, ConnectionClosed):
                assert time.monotonic() < end
                time.sleep(0.1)


def test_openenvs_validator_passes(address: str) -> None:
    command = [str(PROGRAMS / "openenv"), "validate", "--url", address, "--timeout", "60"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    report = json.loads(done.stdout)
    assert (done.returncode, report["passed"], report["summary"]["failed_criteria"]) == (0, True, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_while_episodes_are_played(number: signal.Signals) -> None:
    with ScriptedServer(["Action: step n"], latency=Latency.lognormal(300.0, 0.0)) as model:
        options = ("--actor", "openai/scripted", "--actor-base-url", model.url, "--no-adapt")
        with serving(*options) as (url, process), client(url) as remote:
            remote.reset(seed=0)
            # The sync client blocks: send without waiting for the answer.
            remote._run(remote.async_client._send({"type": "step", "data": {"prompt": ""}}))
            wait_for(lambda: model.in_flight > 0)
            started = time.monotonic()
            process.send_signal(number)
            _, errors = process.communicate(timeout=SECONDS)
            assert time.monotonic() - started < 60
            assert "Traceback" not in errors
            assert process.returncode in (0, 128 + number)


def wait_for(condition: Any) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_model_that_is_down_is_an_error_and_no_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--actor", "openai/scripted", "--actor-base-url", "http://127.0.0.1:9", "--no-adapt")
    monkeypatch.setitem(os.environ, "OPENAI_API_KEY", "none")
    with serving(*options, "--request-timeout", "1") as (url, _), client(url) as remote:
        remote.reset(seed=0)
        with pytest.raises(RuntimeError, match=r"127\.0\.0\.1:9"):
            remote.step({"prompt": ""})
        assert remote.state()["step_count"] == 0


def test_options_are_checked_when_the_server_starts() -> None:
    with pytest.raises(UsageError, match="executor process"):
        openenv_app("minihack-v1", "eat", sessions=2)
    with pytest.raises(ConfigError, match="sessions must be at least 1, not 0"):
        openenv_app("minihack-v1", "eat", sessions=0)
    with pytest.raises(UsageError, match="eats"):
        openenv_app("minihack-v1", "eats")
    with pytest.raises(ConfigError, match="one family"):
        openenv_app("minihack-v1", "held-out")


def test_a_port_in_use_is_named(address: str) -> None:
    port = address.rpartition(":")[2]
    command = [str(PROGRAMS / "ictbench"), "openenv", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} is not available" in done.stderr

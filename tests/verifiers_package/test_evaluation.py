"""The package for verifiers, evaluated with verifiers' own command against model servers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from verifiers.v1.cli.eval.main import main

from ictbench.errors import EnvError, UsageError
from ictbench.runs import EpisodePlayer, LoopPlayer
from ictbench.testing import PERSONALITIES, Reply, ScriptedServer, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Episode

CONFIG = Path(__file__).parents[2] / "integrations" / "verifiers" / "eval.toml"
VF_EVAL = Path(sys.executable).with_name("vf-eval")
SIZES: dict[str, Any] = {"turns": 2, "batch_size": 2, "selection_size": 3, "test_size": 4}
UNUSABLE = "I have no idea."
GOOD = """\
ANALYSIS:
The apple must be eaten.
IMPROVED PROMPT:
You are the "@".
Walk onto "%".
When you see "You see here", choose "pickup".
After you have seen "f -", choose "eat"."""
REPLIES = (UNUSABLE, GOOD)


def arguments(url: str, out: Path, **options: object) -> list[str]:
    """Return arguments that evaluate one loop of a family and keep the results on this machine."""
    taskset = {"families": "eat", "loops": 1, **SIZES, **options}
    return [
        *("ictbench-verifiers", "--no-push", "--no-rich", "--client.base-url", url),
        *("--output-dir", str(out), "--run.name", "run"),
        *(part for name, value in taskset.items() for part in (f"--env.taskset.{name.replace('_', '-')}", str(value))),
    ]


def episodes(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "run" / "traces.jsonl").read_text("utf-8").splitlines()]


def traces(out: Path) -> list[dict[str, Any]]:
    return [trace for episode in episodes(out) for trace in episode["traces"]]


def scores(trace: dict[str, Any]) -> dict[str, float]:
    return {name: reward["score"] for name, reward in trace["rewards"].items()}


@pytest.fixture(scope="module")
def expected() -> Iterator[tuple[dict[str, str], dict[str, Any], dict[str, float]]]:
    """Yield the questions of a loop with their replies, the loop, and its rewards."""
    with LoopPlayer("minihack-v1", "eat", **SIZES) as player:
        rollout, answers = player.start("eat", 0), {}
        for reply in REPLIES:
            answers[str(rollout.messages()[-1]["content"])] = reply
            rollout.answer(reply)
        yield answers, rollout.result().model_dump(mode="json"), rollout.rewards()._asdict()


def test_the_command_measures_what_a_run_measures(expected: Any, tmp_path: Path) -> None:
    answers, loop, rewards = expected
    with ScriptedServer(lambda body: Reply(answers[body["messages"][-1]["content"]]), record=True) as server:
        command = [str(VF_EVAL), *arguments(server.url, tmp_path), "--model", "scripted", "--num-rollouts", "2"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = traces(tmp_path)
    for trace in (first, second):
        assert trace["ok"]
        assert trace["info"]["loop"] == loop
        assert scores(trace) == rewards
        assert trace["metrics"]["unusable_replies"] == 0.5
    assert rewards["gain"] > 0
    assert {name: reward["weight"] for name, reward in first["rewards"].items()} == {"gain": 1, "best": 0, "fresh": 0}
    # The conversation holds the earlier turn; its second question is about the prompt that was kept.
    roles = [message["role"] for message in server.requests_log[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    asked = json.dumps([body["messages"] for body in server.requests_log])
    assert "eat-" not in asked
    assert "MiniHack" not in asked


def evaluate(url: str, out: Path, *more: str, **options: object) -> list[dict[str, Any]]:
    """Evaluate in this process, which has loaded verifiers already, and return the traces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vf-eval"])
        main([*arguments(url, out, **options), *more])
    return traces(out)


CHAT = [name for name, personality in PERSONALITIES.items() if personality.wire == "openai"]
OPTIONS = {"gemma": ("--no-env.system-role",)}
UNREADABLE = ("magistral",)
"""Servers whose replies the client of verifiers does not read."""


@pytest.mark.parametrize("name", CHAT)
def test_every_server_of_the_zoo_is_evaluated(name: str, tmp_path: Path) -> None:
    with serve(name, [GOOD]) as url:
        (trace,) = evaluate(url, tmp_path, "--model", PERSONALITIES[name].model, *OPTIONS.get(name, ()))
    if name in UNREADABLE:
        assert not trace["ok"]
        assert "rewards" not in trace or not trace["rewards"]
        return
    assert trace["ok"], trace["errors"]
    assert scores(trace)["best"] == 1
    assert trace["metrics"]["unusable_replies"] == 0


def test_unusable_replies_keep_the_prompt(tmp_path: Path) -> None:
    with ScriptedServer([UNUSABLE, Reply(GOOD, finish_reason="length")]) as server:
        (trace,) = evaluate(server.url, tmp_path, "--model", "m")
    assert trace["ok"]
    assert [prompt["failure"] for prompt in trace["info"]["loop"]["prompts"]] == [None, "unparseable", "truncated"]
    assert scores(trace)["gain"] == 0
    assert trace["metrics"]["unusable_replies"] == 1


def test_a_limit_of_turns_keeps_the_last_prompt(tmp_path: Path) -> None:
    with ScriptedServer([GOOD]) as server:
        (trace,) = evaluate(server.url, tmp_path, "--model", "m", "--env.reflector.max-turns", "1")
        assert server.requests == 1
    assert trace["ok"]
    assert [prompt["failure"] for prompt in trace["info"]["loop"]["prompts"]] == [None, None, "empty"]
    assert scores(trace)["gain"] > 0


def test_an_endpoint_that_fails_gives_no_reward(tmp_path: Path) -> None:
    with ScriptedServer([GOOD, Reply("out of order", status=500)]) as server:
        (episode,) = (evaluate(server.url, tmp_path, "--model", "m"), episodes(tmp_path))[1]
    assert not episode["ok"]
    (trace,) = episode["traces"]
    assert "out of order" in json.dumps(trace["errors"])
    assert not trace["rewards"]
    assert "measures" not in trace["info"]


def test_an_episode_that_cannot_be_played_gives_no_reward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: EpisodePlayer, specs: object) -> list[Episode]:
        raise EnvError("the game hangs")

    monkeypatch.setattr(EpisodePlayer, "play", failing)
    with ScriptedServer([GOOD]) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vf-eval"])
        main([*arguments(server.url, tmp_path), "--model", "m"])
        assert server.requests == 0
    (episode,) = episodes(tmp_path)
    assert not episode["ok"]
    assert "the game hangs" in json.dumps(episode["errors"])


def test_small_models_are_asked_with_examples_and_weights_can_be_changed(tmp_path: Path) -> None:
    with ScriptedServer(['Walk onto "%"\nWhen you see "You see here", choose "eat"'], record=True) as server:
        weights = ("--env.taskset.task.rewards.gain.weight", "0", "--env.taskset.task.rewards.fresh.weight", "1")
        (trace,) = evaluate(server.url, tmp_path, "--model", "m", *weights, reflector="lessons")
    first = server.requests_log[0]["messages"]
    assert [message["role"] for message in first] == ["system", *("user", "assistant") * 2, "user"]
    assert {name: reward["weight"] for name, reward in trace["rewards"].items()} == {"gain": 0, "best": 0, "fresh": 1}
    with LoopPlayer("minihack-v1", "eat", reflector="lessons", **SIZES) as player:
        assert first == player.start("eat", 0).messages()


def test_the_example_of_a_configuration_keeps_results_here(tmp_path: Path) -> None:
    small = arguments("http://127.0.0.1:9/v1", tmp_path)[1:]
    command = [str(VF_EVAL), "@", str(CONFIG), *(part for part in small if part not in ("--no-push", "--no-rich"))]
    done = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (saved,) = (tmp_path / "run").rglob("eval.json")
    config = json.loads(saved.read_text("utf-8"))
    assert (config["push"], config["num_rollouts"]) == (False, 4)
    assert config["env"]["taskset"]["options"] == {"executor": "process", "workers": 2}
    assert config["env"]["reflector"]["runtime"] == {"type": "subprocess"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"families": "eats"}, "eats"),
        ({"reflector": "ace"}, "reflector 'ace' cannot be trained"),
        ({"actor": "nobody/m"}, "nobody"),
    ],
)
def test_bad_options_are_refused_before_anything_is_asked(
    options: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["vf-eval"])
    with ScriptedServer([GOOD]) as server, pytest.raises(UsageError, match=message):
        main([*arguments(server.url, tmp_path, **options), "--model", "m"])
    assert server.requests == 0

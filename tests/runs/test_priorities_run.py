"""Priorities of episodes, and the limit on concurrent requests, in runs."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.rollout import EpisodeWorker, Priority
from ictbench.testing import Latency, Reply, ScriptedServer, react_policy

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.records import Episode, EpisodeSpec

TURNS = 4
SIZES: dict[str, Any] = {
    "families": "room-random",
    "turns": TURNS,
    "batch_size": 2,
    "loops": 1,
    "selection_size": 6,
    "test_size": 8,
    "max_steps": 3,
    "workers": 2,
}
PLAY = react_policy(lambda prompt, observation, actions: random.Random(observation + prompt).choice(actions))


def answer(body: dict[str, Any]) -> str | Reply:
    """Play at random; reflect by counting, so that every turn has a new prompt."""
    last = str(body["messages"][-1]["content"])
    if "IMPROVED PROMPT:" not in last:
        return PLAY(body)
    turn = next((turn for turn in range(TURNS, 0, -1) if f"This is prompt {turn}." in last), 0) + 1
    return f"ANALYSIS:\nNothing.\nIMPROVED PROMPT:\nThis is prompt {turn}."


@pytest.fixture(autouse=True)
def _without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


def test_what_a_loop_waits_for_is_played_first_and_other_tests_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play, priority_of = EpisodeWorker.play, {}

    async def recording_play(
        self: EpisodeWorker, spec: EpisodeSpec, priority: Priority = Priority.EXPERIENCE
    ) -> Episode:
        priority_of[spec.key] = priority
        return await play(self, spec, priority)

    monkeypatch.setattr(EpisodeWorker, "play", recording_play)
    with ScriptedServer(answer) as server:
        options: dict[str, Any] = {"reflector": "openai/m", "reflector_base_url": server.url, "executor": "inline"}
        run = ictbench.run(**SIZES | options, out=tmp_path / "run")
    (loop,) = run.result.families[0].loops
    assert 0 < loop.best < TURNS
    pools = {task: "experience" for batch in loop.batches for task in batch.tasks}
    pools |= dict.fromkeys(loop.selection_tasks, "selection")
    priorities: dict[str, set[Priority]] = {}
    for key, priority in priority_of.items():
        task, _, prompt = key.partition("@")
        test = "test of the best" if prompt == loop.prompts[loop.best].digest else "test of first and last"
        priorities.setdefault(pools.get(task, test), set()).add(priority)
    assert priorities == {
        "experience": {Priority.EXPERIENCE},
        "selection": {Priority.SELECTION},
        "test of first and last": {Priority.TEST},
        # At this point the loop waits for nothing else.
        "test of the best": {Priority.SELECTION},
    }


def test_the_limit_holds_over_all_workers_and_changes_no_result(tmp_path: Path) -> None:
    results = []
    for cap, executor in ((2, "process"), (5, "process"), (16, "inline")):
        with ScriptedServer(answer, latency=Latency.lognormal(0.01, 0.5)) as server:
            options: dict[str, Any] = {"reflector": "openai/m", "reflector_base_url": server.url, "executor": executor}
            run = ictbench.run(**SIZES | options | {"max_connections": cap}, out=tmp_path / f"{executor}-{cap}")
            assert server.max_in_flight <= cap
            if executor == "process":
                assert server.max_in_flight == cap
            assert run.result.host.spent.calls == server.requests
        results.append(run.result.model_copy(update={"host": None}))
    assert results[0] == results[1] == results[2]

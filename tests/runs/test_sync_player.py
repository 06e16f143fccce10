from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import bell_env
import pytest
from rehearsals import after_rehearsal

from ictbench import load_suite
from ictbench.errors import EndpointRefusedError, FailingModelError, InfrastructureError, UsageError
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan
from ictbench.runs.sync_player import EpisodePlayer
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def make(**options: Any) -> RunPlan:
    return make_plan(Options.parse({"reflector": "none", "actor": "rules", "executor": "inline", **options}))


@pytest.fixture
def bell_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPlan]:
    monkeypatch.setattr(bell_env.ObedientActor, "max_active", 0)
    before = set(threading.enumerate())
    yield make(suite=bell_env.write_bell_suite(tmp_path), actor="bell_env:ObedientActor", max_connections=4)
    assert set(threading.enumerate()) == before


def tasks(count: int) -> list[Any]:
    return [load_suite("minihack-v1").task("eat", f"eat-{seed}") for seed in range(count)]


def test_episodes_are_played_concurrently_and_returned_in_order(bell_plan: RunPlan) -> None:
    suite = bell_plan.suite
    specs = [bell_plan.episode(suite.task("bell", f"bell-{seed}"), ("ring", "wait")[seed % 2]) for seed in range(10)]
    with EpisodePlayer(bell_plan) as player:
        episodes = player.play([*specs, specs[0]])
    assert [episode.key for episode in episodes] == [spec.key for spec in [*specs, specs[0]]]
    assert [episode.trajectory.solved for episode in episodes] == [True, False] * 5 + [True]
    # The limit of the plan.
    assert bell_env.ObedientActor.max_active == 4


def test_several_threads_can_play_at_the_same_time(bell_plan: RunPlan) -> None:
    specs = [bell_plan.episode(bell_plan.suite.task("bell", f"bell-{seed}"), "ring") for seed in range(4)]
    with EpisodePlayer(bell_plan) as player, ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda spec: player.play([spec]), specs))
    assert [episode.key for (episode,) in results] == [spec.key for spec in specs]
    assert bell_env.ObedientActor.max_active > 1


def test_replicates_are_different_episodes() -> None:
    plan = make(families="eat")
    spec = plan.episode(tasks(1)[0], "Play.")
    other = spec.model_copy(update={"replicate": 1, "seed": spec.seed + 1})
    with EpisodePlayer(plan) as player:
        first, again, second = player.play([spec, spec, other])
    assert first == again
    assert first.trajectory != second.trajectory


def test_worker_processes_play_the_same_episodes() -> None:
    inline, processes = make(families="eat"), make(families="eat", executor="process", workers=2)
    specs = [inline.episode(task, inline.suite.prompt) for task in tasks(6)]
    with EpisodePlayer(inline) as player, EpisodePlayer(processes) as other:
        assert player.play(specs) == other.play(specs)


def test_an_episode_that_cannot_be_played_cancels_the_others(bell_plan: RunPlan) -> None:
    task = bell_plan.suite.task("bell", "bell-1")
    specs = [bell_plan.episode(task, prompt) for prompt in ("sleep", "crack", "ring")]
    with EpisodePlayer(bell_plan) as player:
        with pytest.raises(InfrastructureError, match="the bell broke"):
            player.play(specs)
        assert bell_env.ObedientActor.active == 0
        assert player.play(specs[2:])[0].trajectory.solved


def test_a_closed_player_is_an_error(bell_plan: RunPlan) -> None:
    player = EpisodePlayer(bell_plan)
    spec = bell_plan.episode(bell_plan.suite.task("bell", "bell-1"), "ring")
    player.play([spec])
    player.close()
    player.close()
    with pytest.raises(UsageError, match="this player is closed"):
        player.play([spec])


def test_a_refused_api_key_is_an_error_of_one_line() -> None:
    with ScriptedServer([Reply("Incorrect API key provided", status=401)]) as server:
        plan = make(families="eat", actor="openai/scripted", actor_base_url=server.url)
        with EpisodePlayer(plan) as player, pytest.raises(EndpointRefusedError, match="Incorrect API key") as caught:
            player.play([plan.episode(tasks(1)[0], "Play.")])
    assert "\n" not in str(caught.value)


def test_requests_are_adapted_to_the_server() -> None:
    def gemma(body: dict[str, Any]) -> str | Reply:
        if body["messages"][0]["role"] == "system":
            return Reply("System role not supported", status=400)
        return "Action: step n"

    with ScriptedServer(gemma) as server:
        options: dict[str, Any] = {"families": "eat", "actor": "openai/scripted", "actor_base_url": server.url}
        plan = make(**options, max_steps=2)
        with EpisodePlayer(plan) as player:
            (episode,) = player.play([plan.episode(tasks(1)[0], "Play.")])
        assert episode.trajectory.failure is None
        assert [step.proposed for step in episode.trajectory.steps] == ["step n"] * 2
        strict = make(**options, no_adapt=True)
        with EpisodePlayer(strict) as player, pytest.raises(EndpointRefusedError, match="System role not supported"):
            player.play([strict.episode(tasks(1)[0], "Play.")])


def test_a_model_that_fails_everything_is_an_error_and_no_reward() -> None:
    with ScriptedServer(after_rehearsal(Reply("no system role, please", status=400))) as server:
        plan = make(families="eat", actor="openai/m", actor_base_url=server.url, max_connections=1)
        specs = [plan.episode(task, "Play.") for task in tasks(12)]
        with EpisodePlayer(plan) as player:
            with pytest.raises(FailingModelError, match=r"bad_request 8 of 8 episodes .*no system role"):
                player.play(specs)
            with pytest.raises(FailingModelError):
                player.play(specs)
        assert server.requests == 8 + 1
        accepting = make(
            families="eat", actor="openai/m", actor_base_url=server.url, accept_failures="bad_request,empty"
        )
        with EpisodePlayer(accepting) as player:
            assert {episode.trajectory.failure for episode in player.play(specs)} == {"bad_request"}


def test_an_error_while_opening_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    (tmp_path / "cache").mkdir()
    plan = make(families="eat", cache=tmp_path / "cache")
    with EpisodePlayer(plan) as player, pytest.raises(UsageError, match="cache"):
        player.play([plan.episode(tasks(1)[0], "Play.")])
    assert set(threading.enumerate()) == before

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import bell_env
import pytest

from ictbench import load_suite
from ictbench.errors import EndpointRefusedError, InfrastructureError, UsageError
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan
from ictbench.runs.sync_player import EpisodePlayer
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def plan(**options: Any) -> RunPlan:
    return make_plan(Options.parse({"reflector": "none", "actor": "rules", "executor": "inline", **options}))


@pytest.fixture
def bell_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPlan]:
    monkeypatch.setattr(bell_env.ObedientActor, "max_active", 0)
    before = set(threading.enumerate())
    yield plan(suite=bell_env.write_bell_suite(tmp_path), actor="bell_env:ObedientActor", max_connections=4)
    assert set(threading.enumerate()) == before


def tasks(count: int) -> list[Any]:
    return [load_suite("minihack-v1").task("eat", f"eat-{seed}") for seed in range(count)]


def test_many_episodes_are_played_side_by_side_and_answered_in_order(bell_plan: RunPlan) -> None:
    suite = bell_plan.suite
    specs = [bell_plan.episode(suite.task("bell", f"bell-{seed}"), ("ring", "wait")[seed % 2]) for seed in range(10)]
    with EpisodePlayer(bell_plan) as player:
        episodes = player.play([*specs, specs[0]])
    assert [episode.key for episode in episodes] == [spec.key for spec in [*specs, specs[0]]]
    assert [episode.trajectory.solved for episode in episodes] == [True, False] * 5 + [True]
    # As many as the plan allows.
    assert bell_env.ObedientActor.max_active == 4


def test_several_threads_may_ask_at_once(bell_plan: RunPlan) -> None:
    specs = [bell_plan.episode(bell_plan.suite.task("bell", f"bell-{seed}"), "ring") for seed in range(4)]
    with EpisodePlayer(bell_plan) as player, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda spec: player.play([spec]), specs))
    assert [episode.key for (episode,) in answers] == [spec.key for spec in specs]
    assert bell_env.ObedientActor.max_active > 1


def test_replicates_are_episodes_of_their_own() -> None:
    made = plan(families="eat")
    spec = made.episode(tasks(1)[0], "Play.")
    other = spec.model_copy(update={"replicate": 1, "seed": spec.seed + 1})
    with EpisodePlayer(made) as player:
        first, again, second = player.play([spec, spec, other])
    assert first == again
    assert first.trajectory != second.trajectory


def test_worker_processes_play_the_same() -> None:
    made, apart = plan(families="eat"), plan(families="eat", executor="process", workers=2)
    specs = [made.episode(task, made.suite.prompt) for task in tasks(6)]
    with EpisodePlayer(made) as here, EpisodePlayer(apart) as there:
        assert here.play(specs) == there.play(specs)


def test_one_episode_that_cannot_be_played_gives_the_others_up(bell_plan: RunPlan) -> None:
    task = bell_plan.suite.task("bell", "bell-1")
    specs = [bell_plan.episode(task, prompt) for prompt in ("sleep", "crack", "ring")]
    with EpisodePlayer(bell_plan) as player:
        with pytest.raises(InfrastructureError, match="the bell broke"):
            player.play(specs)
        assert bell_env.ObedientActor.active == 0
        assert player.play(specs[2:])[0].trajectory.solved


def test_a_closed_player_plays_no_more(bell_plan: RunPlan) -> None:
    player = EpisodePlayer(bell_plan)
    spec = bell_plan.episode(bell_plan.suite.task("bell", "bell-1"), "ring")
    player.play([spec])
    player.close()
    player.close()
    with pytest.raises(UsageError, match="this player is closed"):
        player.play([spec])


def test_a_key_that_is_refused_is_told_in_a_line() -> None:
    with ScriptedServer([Reply("Incorrect API key provided", status=401)]) as server:
        made = plan(families="eat", actor="openai/scripted", actor_base_url=server.url)
        with EpisodePlayer(made) as player, pytest.raises(EndpointRefusedError, match="Incorrect API key") as caught:
            player.play([made.episode(tasks(1)[0], "Play.")])
    assert "\n" not in str(caught.value)


def test_what_a_thread_cannot_open_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    (tmp_path / "cache").mkdir()
    made = plan(families="eat", cache=tmp_path / "cache")
    with EpisodePlayer(made) as player, pytest.raises(UsageError, match="cache"):
        player.play([made.episode(tasks(1)[0], "Play.")])
    assert set(threading.enumerate()) == before

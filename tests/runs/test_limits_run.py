"""Runs with limits, and with a response cache."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from rehearsals import REQUESTS

import ictbench
from ictbench.errors import LimitReachedError
from ictbench.testing import ScriptedServer, react_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAY = react_policy(lambda prompt, observation, actions: random.Random(observation).choice(actions))


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(PLAY, model="scripted") as server:
        yield server


def options(server: ScriptedServer) -> dict[str, Any]:
    return {
        "families": "eat",
        "turns": 1,
        "batch_size": 2,
        "loops": 1,
        "selection_size": 2,
        "test_size": 3,
        "max_steps": 5,
        "reflector": "none",
        "actor": "openai/scripted",
        "actor_base_url": server.url,
    }


def loops(run: ictbench.Run) -> list[Any]:
    return [loop.model_dump() for family in run.result.families for loop in family.loops]


def test_a_run_stops_at_a_limit_and_is_continued_with_a_higher_one(server: ScriptedServer, tmp_path: Path) -> None:
    free = ictbench.run(**options(server), out=tmp_path / "free")
    used = free.result.host.spent.input_tokens + free.result.host.spent.output_tokens
    for share in (0.3, 0.7):
        with pytest.raises(LimitReachedError, match=r"--max-tokens \d+ is reached"):
            ictbench.run(**options(server), max_tokens=int(share * used), out=tmp_path / "run")
    done = ictbench.run(**options(server), max_tokens=10 * used, out=tmp_path / "run")
    assert loops(done) == loops(free)
    assert done.result.cost == free.result.cost
    # The cost of interrupted episodes counts.
    spent = done.result.host.spent
    assert spent.input_tokens + spent.output_tokens > used


def test_a_second_run_with_a_cache_sends_no_requests(server: ScriptedServer, tmp_path: Path) -> None:
    first = ictbench.run(**options(server), cache=tmp_path / "replies.sqlite", out=tmp_path / "first")
    requests = server.requests
    second = ictbench.run(**options(server), cache=tmp_path / "replies.sqlite", out=tmp_path / "second")
    assert server.requests == requests + REQUESTS, "only the rehearsal, which bypasses the cache"
    assert loops(second) == loops(first)
    cost = second.result.cost["test"]
    assert (cost.calls, cost.input_tokens, cost.cost) == (0, 0, 0.0)
    assert cost.cache_hits == first.result.cost["test"].calls + first.result.cost["test"].cache_hits > 0


@pytest.mark.parametrize("limit", [{"max_cost": 0}, {"max_tokens": 0}, {"max_time": -1}, {"requests_per_minute": 0}])
def test_a_limit_of_zero_is_refused(server: ScriptedServer, limit: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ictbench.UsageError, match=next(iter(limit))):
        ictbench.run(**options(server), **limit, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_cost_limit_without_a_known_price_is_refused(server: ScriptedServer, tmp_path: Path) -> None:
    local = options(server) | {"reflector": "vllm/scripted"}
    with pytest.raises(ictbench.UsageError, match="price of vllm/scripted is unknown; use --max-tokens"):
        ictbench.run(**local, max_cost=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_gateway_that_states_no_cost_stops_a_run_with_a_cost_limit_before_it_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(["Action: wait"], model="gpt-4.1-mini") as gateway:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
        monkeypatch.setenv("OPENAI_BASE_URL", gateway.url)
        priced = options(gateway) | {"actor": "openai/gpt-4.1-mini", "reflector": "none"}
        with pytest.raises(LimitReachedError, match="part of the cost so far is unknown; use --max-tokens"):
            ictbench.run(**priced, max_cost=1, out=tmp_path / "run")
        assert gateway.requests == 1
    assert ictbench.load_run(tmp_path / "run").episode_keys() == []

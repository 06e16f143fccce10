"""A dry run estimates what a run costs; the run then costs what was estimated."""

from __future__ import annotations

import json
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest
from apart import played

import ictbench
from ictbench.errors import EndpointRefusedError
from ictbench.models.prices import Price
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

SIZES: dict[str, Any] = {
    "suite": "minihack-v1",
    "families": "read",
    "turns": 2,
    "loops": 1,
    "batch_size": 2,
    "selection_size": 2,
    "test_size": 2,
    "max_steps": 6,
    "executor": "inline",
}


class Model:
    """A model that never names an available action, so that every episode is as long as it can be."""

    def __init__(self) -> None:
        self.requests = 0

    def __call__(self, body: dict[str, Any]) -> str:
        self.requests += 1
        if "IMPROVED PROMPT" in json.dumps(body["messages"]):
            return f"ANALYSIS:\nNothing.\nIMPROVED PROMPT:\nPrompt {self.requests}."
        if "response_format" in body:
            return json.dumps({"thought": "dance " * 10, "action": "dance"})
        return f"Thought: {'dance ' * 10}\nAction: dance"


def options(server: ScriptedServer, **changes: Any) -> dict[str, Any]:
    return {**SIZES, "reflector": "openai/m", "reflector_base_url": server.url, **changes}


@pytest.fixture(autouse=True)
def _without_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.mark.parametrize("decoding", ["free", "json"])
def test_a_run_uses_as_many_tokens_as_a_dry_run_that_asks_estimates(tmp_path: Path, decoding: str) -> None:
    model = Model()
    with ScriptedServer(model) as server:
        asked = ictbench.dry_run(ask=True, **options(server, actor_decoding=decoding))
        # One request of each player in the rehearsal; then eight replies of the actor and two of the reflector.
        assert model.requests == 2 + 8 + 2
        guessed = ictbench.dry_run(**options(server, actor_decoding=decoding))
        requests_before = model.requests
        result = ictbench.run(**options(server, actor_decoding=decoding), out=tmp_path / "run").result
    assert result.complete
    assert asked.actor is not None
    assert asked.reflector is not None
    assert (asked.actor.asked, asked.reflector.asked) == (True, True)
    calls = asked.actor.calls + asked.reflector.calls
    # The run rehearses before its first episode. The best prompt is the first one, so it is tested once.
    assert 0.8 * calls <= model.requests - requests_before <= calls + 10
    spent = result.cost["experience"] + result.cost["selection"] + result.cost["test"]
    assert asked.actor.input_tokens[0] == asked.actor.input_tokens[1]
    share = spent.calls / asked.actor.calls
    assert spent.input_tokens == pytest.approx(share * asked.actor.input_tokens[0], rel=0.1)
    assert spent.output_tokens == pytest.approx(share * asked.actor.output_tokens[0], rel=0.1)
    assert guessed.actor is not None
    assert share * guessed.actor.output_tokens[0] < spent.output_tokens < share * guessed.actor.output_tokens[1]


def test_replies_that_state_their_cost_give_an_estimate_in_dollars() -> None:
    usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100, "cost": 0.02}
    choice = {"message": {"content": "Action: dance"}, "finish_reason": "stop"}
    with ScriptedServer(lambda body: Reply(body={"choices": [choice], "usage": usage})) as server:
        actor = ictbench.dry_run(ask=True, **options(server)).actor
    assert actor is not None
    assert actor.cost is not None
    assert actor.cost[0] == pytest.approx(0.02 / 100 * (actor.input_tokens[0] + actor.output_tokens[0]), rel=1e-3)


def test_replies_without_usage_are_not_taken_for_measured_ones() -> None:
    unreported = Reply(body={"choices": [{"message": {"content": "Action: dance"}, "finish_reason": "stop"}]})
    with ScriptedServer(lambda body: unreported) as server:
        asked = ictbench.dry_run(ask=True, **options(server)).actor
        guessed = ictbench.dry_run(**options(server)).actor
    assert asked is not None
    assert guessed is not None
    assert not asked.asked
    assert (asked.input_tokens, asked.output_tokens) == (guessed.input_tokens, guessed.output_tokens)


def test_costs_range_from_short_replies_with_a_cache_to_long_replies_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ictbench.runs.cost_estimate.find_price", lambda spec: Price(1e-6, 4e-6, cached=1e-7))
    planned = ictbench.dry_run(**SIZES, reflector="openai/m", reflector_base_url="http://127.0.0.1:9/v1")
    actor = planned.actor
    assert actor is not None
    assert actor.cost is not None
    least, most = actor.cost
    assert most == pytest.approx(actor.input_tokens[1] * 1e-6 + actor.output_tokens[1] * 4e-6, rel=0.01)
    assert actor.output_tokens[0] * 4e-6 < least < actor.input_tokens[0] * 1e-6 + actor.output_tokens[0] * 4e-6


def test_an_unknown_price_is_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = ictbench.dry_run(**SIZES, reflector="openai/m", reflector_base_url="http://127.0.0.1:9/v1")
    assert planned.actor is not None
    assert planned.actor.cost is None


def test_rate_limits_and_connections_lengthen_a_run() -> None:
    shared = {**SIZES, "reflector": "openai/m", "reflector_base_url": "http://127.0.0.1:9/v1"}
    fast, slow = (ictbench.dry_run(**shared, max_connections=count) for count in (64, 1))
    assert fast.actor is not None
    assert fast.seconds[1] < slow.seconds[1]
    limited = ictbench.dry_run(**shared, requests_per_minute=1)
    assert limited.seconds[0] >= 60 * fast.actor.calls


def test_lists_of_past_actions_cost_input_tokens() -> None:
    shared = {**SIZES, "suite": "alfworld-procgen-v1", "families": "pick", "max_steps": 10}
    model: dict[str, Any] = {"reflector": "openai/m", "reflector_base_url": "http://127.0.0.1:9/v1"}
    usual = ictbench.dry_run(**shared, **model).actor
    shorter = ictbench.dry_run(**shared, **model, actor_past_actions="none").actor
    assert usual is not None
    assert shorter is not None
    assert shorter.input_tokens[0] < 0.7 * usual.input_tokens[0]


def test_a_reflector_that_asks_only_about_solved_episodes_has_an_estimate() -> None:
    """The random player solves none of them; a run may solve all."""
    asked = {"reflector_base_url": "http://127.0.0.1:9/v1", "families": "eat"}
    planned = ictbench.dry_run(**{**SIZES, **asked, "reflector": "workflows:openai/m"}).reflector
    usual = ictbench.dry_run(**{**SIZES, **asked, "reflector": "openai/m"}).reflector
    assert planned is not None
    assert usual is not None
    assert planned.calls == usual.calls
    assert planned.input_tokens[0] > 0.8 * usual.input_tokens[0]


def test_scripted_players_cost_nothing_and_take_the_time_of_their_episodes(tmp_path: Path) -> None:
    sizes = {**SIZES, "turns": 3, "selection_size": 6, "test_size": 10, "reflector": "rules"}
    planned = ictbench.dry_run(**sizes)
    assert (planned.actor, planned.reflector, planned.sample_actor) == (None, None, "rules")
    ictbench.run(**sizes, out=tmp_path / "run")
    seconds = [took for _, took in played(tmp_path / "run").values()]
    assert len(seconds) <= planned.counts["episodes"]
    least, most = (bound / planned.counts["episodes"] for bound in planned.seconds)
    # A busy machine may be slower for one of the two.
    assert 0.2 < least / fmean(seconds) < 5
    assert least == most
    assert planned.busy == planned.seconds


def test_workers_share_the_time_of_episodes() -> None:
    one, four = (
        ictbench.dry_run(**SIZES | {"executor": "process"}, reflector="rules", workers=workers) for workers in (1, 4)
    )
    assert four.seconds[0] < one.seconds[0]


def test_asking_a_server_that_rejects_the_requests_says_so() -> None:
    rejection = Reply('{"error": {"message": "tools are not supported"}}', status=400)
    with ScriptedServer(lambda body: rejection) as server, pytest.raises(EndpointRefusedError, match="rejects"):
        ictbench.dry_run(ask=True, **options(server))

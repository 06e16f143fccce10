"""Limits on cost and tokens where a provider reports no usage, and by projection."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from own_addresses import serve_as

import ictbench
from ictbench.cli.render_result import print_result
from ictbench.errors import ConfigError, LimitReachedError
from ictbench.testing import Reply, ScriptedServer, react_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAY = react_policy(lambda prompt, observation, actions: random.Random(observation).choice(actions))
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 25_000, "total_tokens": 26_000}
CALL_COST = 1_000 * 0.4e-6 + 25_000 * 1.6e-6
"""Of a call to gpt-4.1-mini with so many tokens."""
OPTIONS: dict[str, Any] = {
    "families": "eat",
    "turns": 1,
    "batch_size": 2,
    "loops": 1,
    "selection_size": 2,
    "test_size": 3,
    "max_steps": 5,
    "reflector": "none",
    "executor": "inline",
    "max_connections": 1,
    "log_level": "error",
}


def playing(usage: Any, failing: int | None = None) -> Any:
    """Return a script that plays and reports this usage; one request gets no usable answer."""
    count = 0

    def reply(request: Any) -> Reply:
        nonlocal count
        count += 1
        if count == failing:
            return Reply("the gateway gave up", status=502)
        message = {"role": "assistant", "content": PLAY(request)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return Reply(body={"id": "1", "model": "gpt-4.1-mini", "choices": [choice], "usage": usage})

    return reply


@contextmanager
def serve(script: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """Serve in place of OpenAI, whose prices apply then."""
    with ScriptedServer(script, record=True) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
        serve_as("openai", server.url, monkeypatch)
        yield server


@pytest.mark.parametrize("limit", [{"max_cost": 5}, {"max_tokens": 10**7}])
@pytest.mark.parametrize("actor", ["openai/gpt-4.1-mini", "litellm/openai/gpt-4.1-mini"])
def test_a_reply_without_usage_stops_a_limited_run_before_its_first_episode(
    actor: str, limit: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serve(playing(None), monkeypatch) as server:
        with pytest.raises(LimitReachedError, match=f"cannot be enforced: {actor} answers without reporting its usage"):
            ictbench.run(**OPTIONS, **limit, actor=actor, out=tmp_path / "run")
        assert server.requests == 1


def test_a_run_without_usage_has_an_unknown_cost_and_never_zero(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(playing(None), monkeypatch):
        run = ictbench.run(**OPTIONS, actor="openai/gpt-4.1-mini", out=tmp_path / "run")
    cost = run.result.cost["test"]
    assert cost.cost is None
    assert cost.unreported == cost.calls > 0
    assert cost.cost_at_most
    print_result(run)
    printed = capsys.readouterr().out
    assert f"test {cost.calls} calls, tokens unknown, cost unknown" in printed
    assert "$0" not in printed
    assert run.episodes()["unreported"].sum() > 0


@pytest.mark.parametrize("actor", ["openai/gpt-4.1-mini", "litellm/openai/gpt-4.1-mini"])
def test_a_request_without_an_answer_does_not_lift_the_cost_limit(
    actor: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serve(playing(USAGE, failing=6), monkeypatch) as server:
        with pytest.raises(LimitReachedError, match=r"--max-cost 0.4 is reached: .* at most .* 1 requests without"):
            ictbench.run(**OPTIONS, max_cost=0.4, actor=actor, out=tmp_path / "run")
        assert (server.requests - 2) * CALL_COST < 0.4 <= server.requests * CALL_COST
        requests = server.requests
        # What an earlier session may have spent counts.
        with pytest.raises(LimitReachedError, match=r"--max-cost 0.4 is reached"):
            ictbench.run(**OPTIONS, max_cost=0.4, actor=actor, out=tmp_path / "run")
        assert server.requests == requests


@pytest.mark.parametrize("actor", ["openai/gpt-4.1-mini", "litellm/openai/gpt-4.1-mini"])
def test_a_cost_that_replies_state_counts_instead_of_a_list_price(
    actor: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    with ScriptedServer(playing({**USAGE, "cost": 0.25})) as gateway:
        monkeypatch.setenv("OPENAI_BASE_URL", gateway.url)
        with pytest.raises(LimitReachedError, match=r"--max-cost 2 is reached: \$2.0000 is spent"):
            ictbench.run(**OPTIONS, max_cost=2, actor=actor, out=tmp_path / "run")
        assert gateway.requests == 8
        run = ictbench.run(**OPTIONS, max_cost=2000, actor=actor, out=tmp_path / "run")
        assert run.result.host.spent.cost == 0.25 * gateway.requests


def test_a_run_stops_when_its_projected_cost_exceeds_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sizes = {**OPTIONS, "max_steps": 1, "selection_size": 20, "test_size": 30}
    with serve(playing(USAGE), monkeypatch) as server:
        message = r"--max-cost 1.8 would be exceeded: the whole run is projected to cost \$\d"
        with pytest.raises(LimitReachedError, match=message):
            ictbench.run(
                **sizes, max_cost=1.8, stop_on_projected_cost=True, actor="openai/gpt-4.1-mini", out=tmp_path / "run"
            )
        assert 20 <= server.requests < 30
        # Within the limit, the projection lets the run finish.
        finished = ictbench.run(
            **sizes, max_cost=9, stop_on_projected_cost=True, actor="openai/gpt-4.1-mini", out=tmp_path / "run"
        )
    assert finished.result.complete


def test_a_projection_needs_a_limit() -> None:
    with pytest.raises(ConfigError, match="--stop-on-projected-cost needs --max-cost"):
        ictbench.dry_run(**OPTIONS, actor="rules", stop_on_projected_cost=True)


def test_sampling_and_options_reach_the_server_and_the_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1}
    with serve(playing(usage), monkeypatch) as server:
        run = ictbench.run(
            **OPTIONS,
            actor="openai/gpt-4.1-mini",
            actor_temperature=0.7,
            actor_stop=["Observation:"],
            actor_model_options={"top_k": 20},
            out=tmp_path / "run",
        )
    for request in server.requests_log:
        assert (request["temperature"], request["stop"], request["top_k"]) == (0.7, ["Observation:"], 20)
    model = run.result.actor.model
    assert model
    assert (model.temperature, model.stop, model.options) == (0.7, ("Observation:",), {"top_k": 20})
    assert not any("temperature" in deviation for deviation in run.result.deviations)


def test_a_temperature_of_the_users_choice_is_never_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def picky(request: Any) -> Any:
        if "temperature" in request:
            return Reply("Unsupported parameter: 'temperature' is not supported with this model.", status=400)
        return playing({"prompt_tokens": 9, "completion_tokens": 1})(request)

    with serve(picky, monkeypatch):
        adapted = ictbench.run(**OPTIONS, actor="openai/gpt-4.1-mini", out=tmp_path / "adapted")
        assert adapted.result.complete
        with pytest.raises(ConfigError, match=r"openai/gpt-4.1-mini takes no temperature; remove --actor-temperature"):
            ictbench.run(**OPTIONS, actor="openai/gpt-4.1-mini", actor_temperature=0.7, out=tmp_path / "chosen")

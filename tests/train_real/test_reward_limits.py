"""Limits of the rewards' requests to the actor's model, in real trainings with a tiny model and a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError, LimitReachedError
from ictbench.testing import Latency, Reply, ScriptedServer
from ictbench.train import TrainingSettings, collect
from ictbench.train.grpo import train_grpo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COST = 0.01
TOKENS = 13
BODY = {
    "object": "chat.completion",
    "model": "scripted",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Action: step n"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": TOKENS, "cost": COST},
}
"""Every reply states its tokens and its cost, as those of some gateways do."""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer([Reply(body=BODY)], latency=Latency.constant(0.02)) as running:
        yield running


@pytest.fixture
def settings(server: ScriptedServer, tiny: Path, tmp_path: Path) -> TrainingSettings:
    """Settings of three steps, in each of which the probe plays eight episodes of two decisions."""
    collect(
        tmp_path / "states",
        reflector="none",
        actor="openai/scripted",
        actor_base_url=server.url,
        families="eat",
        loops=1,
        turns=1,
        batch_size=4,
        max_steps=2,
        executor="inline",
    )
    fields: dict[str, Any] = {"model": str(tiny), "states": tmp_path / "states", "out": tmp_path / "t", "steps": 3}
    fields |= {"reflector": "lessons", "executor": "inline", "max_tokens": 4, "group": 2, "micro_batch": 2}
    return TrainingSettings.model_validate({**fields, "checkpoint_every": 1, "probe_every": 1, "device": "cpu"})


def with_fields(settings: TrainingSettings, **fields: Any) -> TrainingSettings:
    return TrainingSettings.model_validate({**settings.model_dump(), **fields})


def test_never_more_requests_than_max_connections(server: ScriptedServer, settings: TrainingSettings) -> None:
    for limit in (1, 3):
        before = server.requests
        server.max_in_flight = 0
        train_grpo(with_fields(settings, out=settings.out / str(limit), max_connections=limit))
        assert server.requests > before
        assert server.max_in_flight == limit


def test_a_second_training_with_the_cache_plays_without_requests(
    server: ScriptedServer, settings: TrainingSettings, tmp_path: Path
) -> None:
    cached = with_fields(settings, cache=tmp_path / "replies.sqlite")
    before = server.requests
    train_grpo(cached)
    sent = server.requests - before
    train_grpo(with_fields(cached, out=tmp_path / "again"))
    assert sent
    assert server.requests == before + sent + 1, "only the rehearsal, which bypasses the cache"
    train_grpo(with_fields(settings, out=tmp_path / "without"))
    assert server.requests > before + sent + 2


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"max_cost": 4.5 * COST}, "--max-cost 0.045 is reached"),
        ({"max_actor_tokens": 60}, "--max-tokens 60 is reached"),
    ],
)
def test_a_training_stops_at_its_limit_and_continues_without_it(
    server: ScriptedServer, settings: TrainingSettings, limit: dict[str, Any], message: str
) -> None:
    before, lines = server.requests, list[str]()
    with pytest.raises(LimitReachedError, match=message) as caught:
        train_grpo(with_fields(settings, **limit, max_connections=1), lines.append)
    assert "\n" not in str(caught.value)
    assert server.requests == before + 5
    assert train_grpo(settings, lines.append) == settings.out / "checkpoint-3"
    assert [line[:11] for line in lines if line.startswith("step ")] == [f"step {number} of 3" for number in (1, 2, 3)]


def test_a_limit_of_cost_without_a_known_price_is_refused(settings: TrainingSettings) -> None:
    with pytest.raises(ConfigError, match="price of vllm/scripted is unknown"):
        train_grpo(with_fields(settings, actor="vllm/scripted", max_cost=1.0))

"""Runs of a reflector whose model embeds texts at a server that does not, or no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.errors import ConfigError, EndpointDownError
from ictbench.models import Retry, client
from ictbench.models.embeddings import SAMPLE_TEXT
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

OPTIONS: Mapping[str, Any] = {
    "env": "minihack",
    "families": "wear",
    "loops": 1,
    "turns": 2,
    "batch_size": 4,
    "selection_size": 1,
    "test_size": 1,
    "actor": "rules",
    "executor": "inline",
    "reflector": "expel:openai/m",
    "reflector_model_options": {"embedding_model": "small"},
}
RULES = 'OPERATIONS:\nADD: When you see "f -", choose "wear".\nADD: When you see "see here", choose "pickup".'


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "Retry", lambda: Retry(attempts=2, base_wait=0.0))


def ok(text: str) -> list[float]:
    return [1.0, len(text)]


def nan(text: str) -> list[float]:
    return [float("nan"), 1.0]


def ragged(text: str) -> list[float]:
    return [1.0] * (1 + len(text) % 7)


def play(server: ScriptedServer, out: Path, **options: Any) -> ictbench.Run:
    return ictbench.run(**{**OPTIONS, "reflector_base_url": server.url, **options}, out=out)


@pytest.mark.parametrize(
    ("embed", "reason"),
    [
        (None, "HTTP 404"),
        (nan, "one vector for each of 2 texts"),
        (ragged, "one vector for each of 2 texts"),
        (lambda text: [0.0, 0.0], "all numbers of a vector are 0"),
        (lambda text: [], "one vector for each of 2 texts"),
    ],
    ids=["no server", "nan", "ragged", "zero", "empty"],
)
def test_a_server_without_usable_vectors_is_refused_at_the_rehearsal(
    tmp_path: Path, embed: Callable[[str], Sequence[float]] | None, reason: str
) -> None:
    with ScriptedServer([RULES], model="m", embed=embed) as server:
        with pytest.raises(EndpointDownError, match=r"embedding_model 'small' gives no usable vectors") as caught:
            play(server, tmp_path / "run")
        message = str(caught.value)
        assert reason in message
        assert server.url in message
        assert "leave out embedding_model" in message
        assert "\n" not in message
        # No reply was paid for.
        assert server.requests == 0


@pytest.mark.parametrize(
    ("later", "reason"),
    [(nan, "one vector for each of 1 texts"), (lambda text: [], "one vector for each of 1 texts")],
    ids=["nan", "empty"],
)
def test_unusable_vectors_in_a_turn_stop_the_run_and_cost_no_reply(
    tmp_path: Path, later: Callable[[str], Sequence[float]], reason: str
) -> None:
    rehearsed: list[str] = []

    def embed(text: str) -> Sequence[float]:
        rehearsed.append(text)
        return ok(text) if len(rehearsed) <= 2 else later(text)

    out = tmp_path / "run"
    with ScriptedServer([RULES], model="m", embed=embed) as server:
        with pytest.raises(EndpointDownError, match=reason):
            play(server, out)
        assert rehearsed[0] == SAMPLE_TEXT
        asked = server.requests
        rehearsed.clear()
        with pytest.raises(EndpointDownError, match=reason):
            play(server, out)
        # The second time as the first: only the rehearsal asks.
        assert server.requests == 2 * asked
    assert "session is complete" not in (out / "run.log").read_text()
    with ScriptedServer([RULES], model="m", embed=ok) as server:
        run = play(server, out)
    assert run.result.owed == 0
    (loop,) = run.result.families[0].loops
    assert all(prompt.failure is None for prompt in loop.prompts)


def test_vectors_of_another_length_than_those_in_the_memory_stop_the_run(tmp_path: Path) -> None:
    embedded: list[str] = []

    def embed(text: str) -> Sequence[float]:
        embedded.append(text)
        # The rehearsal has two texts, the first turn one: afterwards another model is served.
        return ok(text) if len(embedded) <= 3 else [*ok(text), 0.0]

    with (
        ScriptedServer([RULES], model="m", embed=embed) as server,
        pytest.raises(EndpointDownError, match="these have 3 numbers, those of earlier episodes 2"),
    ):
        play(server, tmp_path / "run")


def test_an_embedding_model_for_a_reflector_that_does_not_embed_is_refused(tmp_path: Path) -> None:
    with ScriptedServer([RULES], model="m", embed=ok) as server:
        with pytest.raises(
            ConfigError, match=r"rewrite.* embeds no texts, so embedding_model 'small' would be ignored"
        ):
            play(server, tmp_path / "run", reflector="rewrite:openai/m")
        assert (server.requests, server.embedded) == (0, [])
        # A control around a reflector that embeds does so, too.
        run = play(server, tmp_path / "control", reflector="blind:expel:openai/m")
    assert run.result.owed == 0


def test_an_embedding_model_for_a_model_that_cannot_embed_is_refused(tmp_path: Path) -> None:
    with (
        ScriptedServer([RULES], model="m") as server,
        pytest.raises(ConfigError, match="anthropic/m embeds no texts, so embedding_model would be ignored"),
    ):
        play(server, tmp_path / "run", reflector="expel:anthropic/m", reflector_base_url=server.anthropic_url)

"""Runs of an actor that plays by native tool calls, in both wire formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rehearsals import REQUESTS

import ictbench
from ictbench.choices import ACTION_FORMAT
from ictbench.errors import UsageError
from ictbench.testing import ScriptedServer, react_policy

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS: dict[str, Any] = {
    "suite": "minihack-v1",
    "families": "room-random",
    "reflector": "none",
    "turns": 1,
    "batch_size": 2,
    "loops": 1,
    "selection_size": 2,
    "test_size": 3,
    "max_steps": 6,
}


def mixed_actions(prompt: str, observation: str, actions: list[str]) -> str | None:
    """Name an available action, an unavailable one, or none, depending on the observation."""
    return (actions[0], "dance", None)[len(observation) % 3]


def steps(run: ictbench.Run) -> list[list[dict[str, Any]]]:
    return [row.model_dump()["steps"] for row in run.rows("episodes")]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_run_by_tool_calls_equals_the_run_of_the_same_decisions_as_text(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    runs = {}
    for decoding in ("free", "tools"):
        with ScriptedServer(react_policy(mixed_actions), record=True) as server:
            url = server.anthropic_url if provider == "anthropic" else server.url
            runs[decoding] = ictbench.run(
                **OPTIONS,
                actor=f"{provider}/scripted",
                actor_base_url=url,
                actor_decoding=decoding,
                out=tmp_path / decoding,
            )
            # The endpoint accepts every conversation.
            assert set(server.statuses) == {200}
            assert {"tools" in body for body in server.requests_log} == {decoding == "tools"}
    free, tools = (steps(runs[decoding]) for decoding in ("free", "tools"))
    assert free == tools
    proposals = {step["proposed"] for played in tools for step in played}
    assert {"dance", None} < proposals
    result = runs["tools"].result
    assert result.actor.options == {"decoding": "tools", "history": None, "action_format": ACTION_FORMAT}
    assert "actor_decoding tools instead of free" in result.deviations
    assert not [text for text in runs["free"].result.deviations if "decoding" in text]


def test_cached_replies_keep_their_tool_calls(tmp_path: Path) -> None:
    runs = []
    with ScriptedServer(react_policy(mixed_actions)) as server:
        for name in ("first", "second"):
            requests = server.requests
            runs.append(
                ictbench.run(
                    **OPTIONS,
                    actor="openai/scripted",
                    actor_base_url=server.url,
                    actor_decoding="tools",
                    out=tmp_path / name,
                    cache=tmp_path / "cache.sqlite",
                )
            )
        assert server.requests - requests == REQUESTS
    assert steps(runs[0]) == steps(runs[1])


def test_a_model_without_tool_calls_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    with (
        ScriptedServer(["Action: wait"]) as server,
        pytest.raises(UsageError, match="does not support decoding 'tools'"),
    ):
        ictbench.run(
            **OPTIONS,
            actor="llama-cpp/tiny",
            actor_base_url=server.url,
            actor_decoding="tools",
            out=tmp_path / "run",
        )

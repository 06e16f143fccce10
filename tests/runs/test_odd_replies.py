"""Runs against servers whose replies are odd: no reply stops the run, and what is recorded can be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.models.replies import MIN_REPLY_BYTES
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS: dict[str, Any] = {
    "suite": "minihack-v1",
    "families": "eat",
    "turns": 1,
    "batch_size": 1,
    "loops": 1,
    "selection_size": 2,
    "test_size": 3,
    "max_steps": 6,
    "executor": "inline",
    "actor": "openai/scripted",
    "reflector": "openai/scripted",
}
SURROGATE = '{"thought": "\\ud83d", "action": "\\ud83d"}'
DEEP = "[" * 5000
CHOICE: dict[str, Any] = {"message": {"content": "Thought: \0\x1b\nAction: step n"}, "finish_reason": {"type": "stop"}}
ODD: dict[str, tuple[str | Reply, ...]] = {
    "free": (
        Reply(body={"choices": [CHOICE], "usage": {"prompt_tokens": -18, "completion_tokens": "x"}}),
        "<think>I could\nAction: eat\nno, that kills.</think>",
        "Action: step n\nObservation: You win.\nAction: eat",
        Reply(body={"model": {"a": "\ud83d"}, "choices": [{"message": {"content": "Action: \ud83d"}}]}),
        "ANALYSIS:\nx\nIMPROVED PROMPT:\n\ud83d\0",
    ),
    "json": (SURROGATE, DEEP, '{"thought": [], "action": {}}', '{"action": "eat", "action": "step n", "thought": ""}'),
    "tools": tuple(
        Reply(None, calls=calls)
        for calls in ((("act", SURROGATE),), (("act", DEEP),), (("\ud83d", "{}"),), (("act", "{}"), ("act", "{}")))
    ),
}


@pytest.mark.parametrize("decoding", ODD)
def test_a_run_with_odd_replies_is_complete(decoding: Any, tmp_path: Path) -> None:
    with ScriptedServer(ODD[decoding]) as server:
        run = ictbench.run(
            **OPTIONS,
            actor_decoding=decoding,
            actor_base_url=server.url,
            reflector_base_url=server.url,
            # Which reply the only reflection gets depends on the order of the requests.
            accept_failures=["empty"],
            out=tmp_path / "run",
        )
    result = run.result
    assert result.complete
    assert all(usage.input_tokens >= 0 and usage.output_tokens >= 0 for usage in result.cost.values())
    executed = {step["executed"] for row in run.rows("episodes") for step in row.model_dump()["steps"]}
    assert "eat" not in executed
    assert executed <= {"step n", None}
    assert ictbench.load_run(tmp_path / "run").result == result


def test_large_replies_do_not_make_a_large_result(tmp_path: Path) -> None:
    large = Reply("Thought: " + "x" * 3_000_000 + "\nAction: step n")
    with ScriptedServer([large]) as server:
        run = ictbench.run(
            **{**OPTIONS, "reflector": "none"},
            actor_base_url=server.url,
            accept_failures=["truncated"],
            out=tmp_path / "run",
        )
    assert {row.model_dump()["failure"] for row in run.rows("episodes")} == {"truncated"}
    assert sum(file.stat().st_size for file in (tmp_path / "run").rglob("*") if file.is_file()) < MIN_REPLY_BYTES * 5


def test_errors_within_replies_are_retried(tmp_path: Path) -> None:
    replies: list[str | Reply] = [
        *["Action: step n"] * 5,
        Reply(body={"choices": None}),
        Reply(body={"choices": [{"error": {"code": 502, "message": "down"}, "finish_reason": "error"}]}),
        *["Action: step n"] * 40,
    ]
    with ScriptedServer(replies) as server:
        run = ictbench.run(
            **{**OPTIONS, "reflector": "none", "selection_size": 1, "test_size": 1},
            actor_base_url=server.url,
            out=tmp_path / "run",
        )
    assert run.result.complete
    assert {row.model_dump()["failure"] for row in run.rows("episodes")} == {None}

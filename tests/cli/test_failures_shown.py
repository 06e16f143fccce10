"""How the commands show failures of a model: by kind, with the server's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import ictbench
from ictbench.testing import Reply, ScriptedServer, react_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from command_line import CommandLine

PLAY = react_policy(lambda prompt, observation, actions: sorted(actions)[0])
SIZES = ["--turns", "1", "--batch-size", "1", "--loops", "3", "--selection-size", "1", "--test-size", "2"]
RUN = ["run", "--families", "eat", *SIZES, "--max-steps", "2", "--executor", "inline", "--out", "mine"]


def answer(body: dict[str, Any]) -> str | Reply:
    """Reject requests under the prompt that the reflector wrote."""
    last = str(body["messages"][-1]["content"])
    if "IMPROVED PROMPT:" in last:
        return "ANALYSIS:\nNothing.\nIMPROVED PROMPT:\nWalk about."
    if "Walk about." in str(body["messages"][0]["content"]):
        return Reply("no such template", status=400)
    return PLAY(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
    with ScriptedServer(answer) as server:
        yield server


def test_failures_are_shown_by_kind_in_table_progress_files_and_remarks(
    call: CommandLine, server: ScriptedServer
) -> None:
    code, out, err = call(*RUN, "--json", "--reflector", "openai/m", "--reflector-base-url", server.url)
    result = ictbench.load_run("mine").result
    (family,) = result.families
    assert family.behaviour
    failed = family.behaviour.failed["bad_request"]
    assert (code, failed) == (0, 3 * (1 + 2))
    summary = json.loads(out.splitlines()[-1])
    assert (summary["failed_episodes"], summary["failed_reflections"]) == ({"bad_request": failed}, {})
    row = next(line for line in out.splitlines() if line.startswith("eat"))
    assert row.endswith(f"bad_request {failed}")
    assert f"\nFailed: bad_request {failed}.\n" in out
    assert "\nThe first actor bad_request: HTTP 400: no such template\n" in out
    (deviation,) = (text for text in result.deviations if "bad_request" in text)
    assert deviation.startswith(f"bad_request {failed} of ")
    assert deviation in out
    assert f"failed: bad_request {failed}" in err.splitlines()[-1]
    table = pd.read_csv(Path("mine/tables/families.csv"))
    assert list(table["failed_episodes"]) == [f"bad_request {failed}"]
    assert Path("mine/run.log").read_text().count("no such template") == 1
    assert "errors" not in out + err


def test_the_calls_of_the_rehearsal_are_named_below_the_table(call: CommandLine, server: ScriptedServer) -> None:
    options = ["--actor", "random", "--reflector", "openai/m", "--reflector-base-url", server.url]
    _, out, err = call(*RUN, *options)
    result = ictbench.load_run("mine").result
    spent, reflections = result.host.spent, result.cost["reflector"]
    # One call shows whether the server takes the request, and four whether its replies repeat.
    assert (reflections.calls, spent.calls) == (3, 3 + 5)
    assert f"Cost: reflector 3 calls, {reflections.input_tokens}+{reflections.output_tokens} tokens" in out
    assert (
        "With 5 calls of the rehearsal and of requests that were repeated or in vain: 8 calls, "
        f"{spent.input_tokens}+{spent.output_tokens} tokens"
    ) in out
    assert f"8 calls, {spent.tokens} tokens" in err.splitlines()[-1]


def test_a_run_that_stops_for_failures_says_why_and_how_to_continue(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
    with ScriptedServer([""]) as server:
        code, out, err = call(*RUN, "--reflector", "none", "--actor", "openai/m", "--actor-base-url", server.url)
    *progress, line = err.splitlines()
    assert (code, out) == (1, "")
    assert line.startswith("ictbench: actor openai/m fails: empty 8 of 8 episodes; ")
    assert "Continue with: ictbench " in line
    assert "failed: empty " in progress[-1]

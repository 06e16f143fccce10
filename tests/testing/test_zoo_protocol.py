"""The whole protocol against every server of the zoo, and the page that says what works with what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from server_table import HEAD, QUIRKS_HEAD, quirks, row
from zoo_protocol import RUNS, plain, run_protocol, shows_reasoning

from ictbench.errors import UsageError
from ictbench.testing import PERSONALITIES

if TYPE_CHECKING:
    from zoo_protocol import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"

STOPS = {
    ("deepseek", "json"): "This response_format type is unavailable now",
    ("deepseek-reasoner", "json"): "This response_format type is unavailable now",
    ("deepseek-reasoner", "tools"): "Missing `reasoning_content` field",
    ("gemini-3", "tools"): "Function call is missing a thought_signature",
    ("groq", "json"): "This model does not support response format `json_schema`",
    ("groq-reasoning", "json"): "This model does not support response format `json_schema`",
    ("vllm", "tools"): "requires --tool-call-parser to be set",
    ("vllm-r1", "tools"): "requires --tool-call-parser to be set",
    ("gemma", "tools"): "requires --tool-call-parser to be set",
    ("llama-server-gpt-oss", "tools"): "tools param requires --jinja flag",
    ("llama-cpp-python", "tools"): "does not support decoding 'tools'",
    ("ollama-no-tools", "tools"): "does not support tools",
    ("tgi", "tools"): "Conversation roles must alternate",
}
"""Runs that cannot work, with a part of the reason that must be given. All others record what a plain server gives."""

NEGOTIATION = "requests are not yet adapted to what the server rejects"
READING = "reasoning in the text is not yet told from the answer"
PENDING = {
    "azure-reasoning": NEGOTIATION,
    "mistral": NEGOTIATION,
    "magistral": NEGOTIATION,
    "gemini": NEGOTIATION,
    "gemini-3": NEGOTIATION,
    "gemma": NEGOTIATION,
    "ollama": NEGOTIATION,
    "lm-studio": NEGOTIATION,
    "llama-server-gpt-oss": READING,
    "vllm-r1": READING,
    "mlx-lm": READING,
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.xfail(reason=PENDING[name], strict=False)] if name in PENDING else [])
        for name in PERSONALITIES
    ],
)
def test_a_run_gives_what_it_gives_with_a_plain_server_or_stops_with_the_reason(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(variable, "none")
    personality = PERSONALITIES[name]
    outcomes = {kind: run_protocol(kind, personality) for kind in RUNS}
    assert {kind: observed(name, kind, outcome) for kind, outcome in outcomes.items()} == {
        kind: "stopped" if (name, kind) in STOPS else "as with a plain server" for kind in RUNS
    }
    assert row(personality, outcomes) in PAGE.read_text(encoding="utf-8").splitlines()


def observed(name: str, kind: str, outcome: Outcome) -> str:
    """Describe an outcome."""
    if outcome.error is not None:
        words = str(outcome.error)
        return "stopped" if STOPS.get((name, kind), "(no reason expected)") in words else f"stopped: {words}"
    if outcome.played is None:
        return "incomplete"
    if shows_reasoning(outcome.played):
        return "reasoning was taken for an answer"
    return "as with a plain server" if outcome.played == plain(kind) else f"different: {outcome.played}"


def test_a_plain_server_is_learned_from() -> None:
    for kind in RUNS:
        played = plain(kind)
        ends = {end for task, end, _ in played.episodes if task != "door-5091"}
        assert ends == {"solved", "step_limit"}
        assert len(played.prompts) == 2
    assert plain("free").episodes == plain("json").episodes == plain("tools").episodes


def test_the_page_names_every_quirk_and_its_source() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.startswith(HEAD)
    known = "\n".join([QUIRKS_HEAD, *map(quirks, PERSONALITIES.values())])
    assert page.rstrip("\n").endswith(known.rstrip("\n"))


def test_a_model_without_the_decoding_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    outcome = run_protocol("tools", PERSONALITIES["llama-cpp-python"])
    assert isinstance(outcome.error, UsageError)
    assert outcome.requests == ()

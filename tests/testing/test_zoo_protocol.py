"""The whole protocol against every server of the zoo, and the page that says what works with what."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from server_table import HEAD, QUIRKS_HEAD, quirks, row
from zoo_protocol import RUNS, plain, run_protocol, shows_reasoning

from ictbench.errors import EndpointDownError, UsageError
from ictbench.records import Adaptation
from ictbench.testing import PERSONALITIES
from ictbench.testing.server_zoo.message_quirks import ContextLimit
from ictbench.testing.server_zoo.reply_quirks import REASONING, Reasons

if TYPE_CHECKING:
    from zoo_protocol import Outcome

    from ictbench.results import Result

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"

STOPS = {
    ("deepseek", "json"): "This response_format type is unavailable now",
    ("deepseek-reasoner", "json"): "This response_format type is unavailable now",
    ("deepseek-reasoner", "tools"): "Missing `reasoning_content` field",
    ("gemini-3", "tools"): "Function call is missing a thought_signature",
    ("groq", "json"): "This model does not support response format `json_schema`",
    ("groq-reasoning", "json"): "This model does not support response format `json_schema`",
    ("vllm", "tools"): "requires --tool-call-parser to be set",
    ("vllm-special", "tools"): "requires --tool-call-parser to be set",
    ("vllm-r1", "tools"): "requires --tool-call-parser to be set",
    ("gemma", "tools"): "requires --tool-call-parser to be set",
    ("llama-server-gpt-oss", "tools"): "tools param requires --jinja flag",
    ("llama-cpp-python", "tools"): "does not support decoding 'tools'",
    ("ollama-no-tools", "tools"): "does not support tools",
    ("tgi", "tools"): "Conversation roles must alternate",
}
"""Runs that cannot work, with a part of the reason that must be given. All others record what a plain server gives."""

SEED_OMITTED = Adaptation(omit=("seed",))
REASONING_MODEL = Adaptation(token_limit="max_completion_tokens", omit=("temperature",))
FOLDED = Adaptation(fold_system=True)
ADAPTED = {
    **{(name, kind): SEED_OMITTED for name in ("mistral", "magistral", "gemini", "gemini-3") for kind in RUNS},
    **{("azure-reasoning", kind): REASONING_MODEL for kind in RUNS},
    **{("gemma", kind): FOLDED for kind in RUNS},
    ("lm-studio", "tools"): Adaptation(tool_choice="required"),
}
"""What is changed in the requests of actor and reflector. Nothing is changed for other servers."""


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in ("OPENAI", "ANTHROPIC", "MISTRAL", "DEEPSEEK", "XAI", "OPENROUTER", "GROQ"):
        monkeypatch.setenv(f"{vendor}_API_KEY", "none")


@functools.cache
def outcome_of(name: str, kind: str) -> Outcome:
    return run_protocol(kind, PERSONALITIES[name])


@pytest.mark.parametrize("name", PERSONALITIES)
def test_a_run_gives_what_it_gives_with_a_plain_server_or_stops_with_the_reason(name: str) -> None:
    personality = PERSONALITIES[name]
    outcomes = {kind: outcome_of(name, kind) for kind in RUNS}
    assert {kind: observed(name, kind, outcome) for kind, outcome in outcomes.items()} == {
        kind: "stopped" if (name, kind) in STOPS else "as with a plain server" for kind in RUNS
    }
    for kind, outcome in outcomes.items():
        if outcome.result is not None:
            assert_adapted(outcome.result, ADAPTED.get((name, kind), Adaptation()))
    assert row(personality, outcomes) in PAGE.read_text(encoding="utf-8").splitlines()


def assert_adapted(result: Result, adaptation: Adaptation) -> None:
    """Check the adaptation of both players; only the actor calls a tool."""
    for player in (result.actor, result.reflector):
        assert player.model is not None
        expected = adaptation if player is result.actor else adaptation.model_copy(update={"tool_choice": None})
        assert player.model.adaptation == expected


@pytest.mark.parametrize("name", ["azure-reasoning", "mistral", "gemini", "gemma"])
def test_without_adaptations_a_run_stops_before_it_plays(name: str) -> None:
    outcome = run_protocol("free", PERSONALITIES[name], no_adapt=True)
    assert isinstance(outcome.error, EndpointDownError)
    assert len(outcome.requests) == 1


@pytest.mark.parametrize(("name", "kind"), STOPS)
def test_a_run_that_cannot_work_stops_before_it_plays(name: str, kind: str) -> None:
    outcome = outcome_of(name, kind)
    assert outcome.error is not None
    # The rehearsal shows one made-up episode.
    shown = {message["content"] for body in outcome.requests for message in body["messages"]}
    assert not any("Door 10000." in str(text) or "Door 20000." in str(text) for text in shown)


LITELLM = [
    ("azure-reasoning", "free", "openai/team-deployment"),
    ("anthropic-5", "json", "anthropic/claude-sonnet-5"),
    ("mistral", "tools", "mistral/mistral-small-latest"),
    ("magistral", "free", "mistral/magistral-small-latest"),
    ("deepseek", "tools", "deepseek/deepseek-chat"),
    ("gemini", "json", "openai/gemini-2.5-flash"),
    ("xai", "json", "xai/grok-4"),
    ("openrouter", "free", "openrouter/vendor/reasoner"),
    ("groq", "json", "groq/llama-3.3-70b-versatile"),
    ("gemma", "free", "hosted_vllm/google/gemma-2-2b-it"),
    ("vllm-reasoning", "tools", "hosted_vllm/org/reasoner-7b"),
    ("lm-studio", "tools", "lm_studio/qwen3-4b-instruct-2507"),
]


@pytest.mark.parametrize(("name", "kind", "model"), LITELLM)
def test_a_run_through_litellm_gives_the_same(name: str, kind: str, model: str) -> None:
    outcome = run_protocol(kind, PERSONALITIES[name], model=f"litellm/{model}")
    assert outcome.error is None
    assert outcome.played == plain(kind)


def test_errors_inside_replies_are_retried() -> None:
    personality = PERSONALITIES["openrouter"].with_errors(every=5)
    outcome = run_protocol("free", personality)
    assert outcome.played == plain("free")
    assert len(outcome.requests) > len(outcome_of("openrouter", "free").requests)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, personality in PERSONALITIES.items()
        if any(isinstance(quirk, ContextLimit) and quirk.refusal for quirk in personality.quirks)
    ],
)
def test_a_context_that_is_too_short_stops_a_run_before_it_plays(name: str) -> None:
    outcome = run_protocol("free", PERSONALITIES[name].with_context(100))
    assert isinstance(outcome.error, EndpointDownError)
    assert "context_overflow" in str(outcome.error)
    assert "100" in str(outcome.error) or "available context size" in str(outcome.error)


def test_a_server_that_drops_messages_gives_no_score() -> None:
    outcome = run_protocol("free", PERSONALITIES["ollama"].with_context(200), max_steps=25)
    assert outcome.result is not None
    behaviour = outcome.result.families[0].behaviour
    assert behaviour is not None
    assert behaviour.failed == {"context_overflow": 4}


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("openai", {"cached_tokens"}),
        ("openai-reasoning", {"cached_tokens", "reasoning_tokens"}),
        ("anthropic", {"cached_tokens"}),
        ("deepseek", {"cached_tokens"}),
        ("deepseek-reasoner", {"cached_tokens", "reasoning_tokens"}),
        ("openrouter", {"reasoning_tokens"}),
        ("xai", {"reasoning_tokens"}),
        ("vllm-r1", set()),
    ],
)
def test_usage_is_read_from_where_the_server_reports_it(name: str, counted: set[str]) -> None:
    outcome = outcome_of(name, "free")
    assert outcome.result is not None
    usage = outcome.result.cost["test"]
    assert {field for field in ("cached_tokens", "reasoning_tokens") if getattr(usage, field)} == counted
    reasons = any(isinstance(quirk, Reasons) and not quirk.if_given for quirk in PERSONALITIES[name].quirks)
    words = len(REASONING.split()) if reasons else 0
    decisions = [action for _, _, actions in plain("free").episodes for action in actions]
    assert usage.calls == 12
    # Of these, two replies are without an action; those with one have six words. The reasoning is always counted.
    assert decisions.count(None) == 4
    assert usage.output_tokens == 10 * 6 + 2 * 4 + usage.calls * words


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


def test_a_model_without_the_decoding_is_a_usage_error() -> None:
    outcome = run_protocol("tools", PERSONALITIES["llama-cpp-python"])
    assert isinstance(outcome.error, UsageError)
    assert outcome.requests == ()

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.errors import ModelFailure, ModelUnavailableError, UsageError
from ictbench.models import ModelClient, Retry, UsageMeter
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import ModelSpec, Reflection, Step, Trajectory
from ictbench.reflectors.llm.rewrite import RewriteReflector, parse_sections
from ictbench.reflectors.reflector import Context
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Sequence

EPISODE = Trajectory(
    steps=(Step(observation="A?", actions=("read",), digest="", thought="", proposed="read", executed="read"),),
    last_observation="You win.",
    last_digest="",
    end="solved",
)
GOOD = "ANALYSIS:\nScrolls matter.\n\nIMPROVED PROMPT:\nRead every scroll."


def reflect(
    reply: str | Reply, *, cap: int = 8000, episodes: Sequence[Trajectory] = (EPISODE,)
) -> tuple[Reflection, list[dict[str, Any]]]:
    with ScriptedServer([reply], record=True) as server:

        async def once() -> Reflection:
            spec = ModelSpec(provider="openai", model="scripted", base_url=server.url)
            model = ModelClient(OpenAIModel(spec), UsageMeter(), retry=Retry(base_wait=0.0))
            try:
                context = Context(seed=5, prompt_cap=cap)
                return await RewriteReflector(model).reflect("Play well.", episodes, {"kept": 1}, context)
            finally:
                await model.aclose()

        return asyncio.run(once()), server.requests_log


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_a_good_reply_gives_prompt_and_analysis() -> None:
    reflection, requests = reflect(GOOD)
    assert (reflection.prompt, reflection.analysis) == ("Read every scroll.", "Scrolls matter.")
    assert (reflection.failure, reflection.state) == (None, {"kept": 1})
    assert reflection.usage.calls == 1
    assert requests[0]["seed"] == 5


def test_the_request_holds_prompt_episodes_and_cap() -> None:
    messages = reflect(GOOD, cap=1234)[1][0]["messages"]
    assert [message["role"] for message in messages] == ["system", "user"]
    assert "CURRENT PROMPT:\nPlay well.\n" in messages[1]["content"]
    assert "EPISODES:\n=== Episode 1 ===\nObservation 1:\nA?\nAction 1: read\n" in messages[1]["content"]
    assert "at most 1234 bytes" in messages[1]["content"]
    assert "EPISODES:\n(none)\n" in reflect(GOOD, episodes=())[1][0]["messages"][1]["content"]


def test_the_instruction_is_what_the_model_is_sent() -> None:
    system, user = reflect(GOOD, cap=1234)[1][0]["messages"]
    system_text, _, user_text = RewriteReflector.instruction.partition("\n\nAnswer with")
    assert system["content"] == system_text
    assert user["content"].endswith(f"Answer with{user_text.format(cap=1234)}")


@pytest.mark.parametrize(
    ("reply", "cap", "failure"),
    [
        (Reply(GOOD, finish_reason="length"), 8000, "truncated"),
        (Reply("", finish_reason="length"), 8000, "truncated"),
        ("Read every scroll.", 8000, "unparseable"),
        ("ANALYSIS:\nScrolls matter.", 8000, "unparseable"),
        ("IMPROVED PROMPT:\nRead every scroll.", 8000, "unparseable"),
        ("ANALYSIS:\nScrolls matter.\nIMPROVED PROMPT:\n \n", 8000, "unparseable"),
        ("ANALYSIS:\nx\nIMPROVED PROMPT:\n```\n```", 8000, "unparseable"),
        ("ANALYSIS:\nx\nIMPROVED PROMPT:\näöü", 5, "too_long"),
        ("ANALYSIS:\nx\nIMPROVED PROMPT:\n<think>Hm.</think>\nRead every scroll.", 8000, "unparseable"),
        ("ANALYSIS:\nx\nIMPROVED PROMPT:\nRead\n<think>", 8000, "unparseable"),
        ("ANALYSIS:\nx\nIMPROVED PROMPT:\nRead it. <think>Or\nnot?", 8000, "unparseable"),
    ],
)
def test_an_unusable_reply_is_recorded_with_its_reason_and_cost(reply: str | Reply, cap: int, failure: str) -> None:
    reflection, _ = reflect(reply, cap=cap)
    assert (reflection.prompt, reflection.failure, reflection.state) == (None, failure, {"kept": 1})
    assert reflection.analysis == (reply.text if isinstance(reply, Reply) else reply)
    assert reflection.usage.calls == 1


def test_a_prompt_of_exactly_the_cap_is_accepted() -> None:
    assert reflect("ANALYSIS:\nx\nIMPROVED PROMPT:\näöü", cap=6)[0].prompt == "äöü"


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("", "empty"),
        ("<think>\nANALYSIS:\nx\nIMPROVED PROMPT:\ny", "empty"),
        ("<think>\nANALYSIS:\nx\nIMPROVED PROMPT:\ny</think>", "empty"),
        (Reply("<think>\nANALYSIS:\nx\nIMPROVED PROMPT:\ny", finish_reason="length"), "truncated"),
        (Reply("maximum context length", status=400), "context_overflow"),
        (Reply(status=422), "bad_request"),
    ],
)
def test_a_model_failure_is_raised_with_its_kind(reply: str | Reply, failure: str) -> None:
    with pytest.raises(ModelFailure) as caught:
        reflect(reply)
    assert caught.value.kind == failure


def test_an_unavailable_endpoint_is_raised() -> None:
    with pytest.raises(ModelUnavailableError):
        reflect(Reply("busy", status=503))


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "Sure!\n\n**ANALYSIS:**\nScrolls matter.\n\n**IMPROVED PROMPT:**\nRead every scroll.\n",
        "## Analysis\nScrolls matter.\n## Improved Prompt\nRead every scroll.",
        "### ANALYSIS:\r\nScrolls matter.\r\n### **IMPROVED PROMPT**:\r\nRead every scroll.\r\n",
        "ANALYSIS: Scrolls matter.\nIMPROVED PROMPT: Read every scroll.",
        "ANALYSIS:\nScrolls matter.\nIMPROVED PROMPT:\n```text\nRead every scroll.\n```",
        "ANALYSIS:\nScrolls matter.\nIMPROVED PROMPT:\n~~~~\nRead every scroll.\n~~~~\n",
        "<think>\nANALYSIS:\nno\nIMPROVED PROMPT:\nno\n</think>\n" + GOOD,
        "ANALYSIS:\nno\nIMPROVED PROMPT:\nno\n</think>\n" + GOOD,
        "[THINK]ANALYSIS:\nno\nIMPROVED PROMPT:\nno[/THINK]" + GOOD,
        "<|channel|>analysis<|message|>no<|end|><|start|>assistant<|channel|>final<|message|>" + GOOD + "<|return|>",
        "analysisNo.assistantfinal" + GOOD,
        "<|im_start|>assistant\n" + GOOD + "<|im_end|>\n<|im_start|>user\nThanks.",
    ],
)
def test_sections_are_found_in_any_markup(text: str) -> None:
    assert parse_sections(text) == ("Scrolls matter.", "Read every scroll.")


@pytest.mark.parametrize(
    "prompt",
    [
        "Write:\n```\nAction: x\n```",
        "```\na\n```\nand\n```\nb\n```",
        "```\nRead.\n```\nNothing else.",
        "* Read.\n* Wear.",
        "First the\nANALYSIS:\nthen act.",
        "Think between <think> and </think>, then act.",
        "Think between `<think>` and `</think>`.",
    ],
)
def test_markup_inside_the_prompt_is_kept(prompt: str) -> None:
    assert parse_sections(f"ANALYSIS:\nx\nIMPROVED PROMPT:\n{prompt}") == ("x", prompt)


def test_a_fence_longer_than_the_inner_ones_is_removed() -> None:
    assert parse_sections("ANALYSIS:\nx\nIMPROVED PROMPT:\n````md\na\n```\nb\n```\n````")[1] == "a\n```\nb\n```"


@given(st.text(st.sampled_from("ANALYSIS IMPROVED PROMPT:\n`*#~<think>/")))
def test_any_text_can_be_parsed(text: str) -> None:
    analysis, improved = parse_sections(text)
    assert analysis in text
    assert improved in text


@given(st.text(st.characters(exclude_characters="`~")).map(str.strip))
def test_a_formatted_prompt_is_parsed_back(prompt: str) -> None:
    assert parse_sections(f"ANALYSIS:\nx\n\nIMPROVED PROMPT:\n{prompt}") == ("x", prompt)


def test_a_missing_model_and_an_unknown_option_are_errors() -> None:
    assert RewriteReflector.needs_model
    with pytest.raises(UsageError, match="needs a language model"):
        RewriteReflector(None)
    with pytest.raises(TypeError, match="style"):
        RewriteReflector(None, style="short")

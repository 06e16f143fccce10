"""The zoo's servers, with the official clients as referees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import httpx
import openai
import pytest

from ictbench.testing import PERSONALITIES, Personality, Reply, ScriptedServer, serve
from ictbench.testing.server_zoo import FORBIDDEN
from ictbench.testing.server_zoo.message_quirks import ContextLimit
from ictbench.testing.server_zoo.parameter_quirks import Rejects
from ictbench.testing.server_zoo.reply_quirks import REASONING, Reasons, SkipsSpecialTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANSWER = "Très bien, 鐘: this is the whole answer."
USER = {"role": "user", "content": "three little words"}
CALL = ("act", json.dumps({"action": "wait"}))
TOOL = {
    "type": "function",
    "function": {"name": "act", "description": "Act.", "parameters": {"type": "object", "properties": {}}},
}
OPENAI_LIKE = [name for name, personality in PERSONALITIES.items() if personality.wire == "openai"]
ANTHROPIC_LIKE = [name for name, personality in PERSONALITIES.items() if personality.wire == "anthropic"]


# One for all tests, since loading certificates takes longer than most of them.
HTTP = httpx.Client(verify=False, trust_env=False)


# Of the session: a worker that takes over tests of another one may come back to this module, and a closed client cannot
# be opened again.
@pytest.fixture(autouse=True, scope="session")
def connections() -> Iterator[None]:
    with HTTP:
        yield


IN_TEXT = [
    ("closing tag", "", "\n</think>\n\n"),
    ("tags", "<think>\n", "\n</think>\n\n"),
    ("glued", "analysis", "assistantfinal"),
    ("channels", "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
]


def client(url: str) -> Any:  # its types know only documented fields
    return openai.OpenAI(base_url=url, api_key="none", max_retries=0, http_client=HTTP)


def post(url: str, body: Any) -> httpx.Response:
    return HTTP.post(url, json=body)


def reasoning_place(personality: Personality) -> str | None:
    return next((quirk.place for quirk in personality.quirks if isinstance(quirk, Reasons)), None)


def answer_in(message: Any, place: str | None) -> str:
    """Return the answer in a message, after a check of the reasoning."""
    content = message.content
    if place in {"reasoning", "reasoning_content"}:
        assert getattr(message, place) == REASONING
    for known, start, end in IN_TEXT:
        if place == known:
            reasoning, _, content = content.removeprefix(start).partition(end)
            assert reasoning == REASONING
    if place == "parts":
        thinking, text = content
        assert thinking["thinking"][0]["text"] == REASONING
        content = text["text"]
    return str(content).removesuffix("<|return|>")


@pytest.mark.parametrize("name", PERSONALITIES)
def test_every_quirk_has_a_source(name: str) -> None:
    sources = PERSONALITIES[name].sources()
    assert sources
    assert all(address.startswith("https://") for address in sources.values())


@pytest.mark.parametrize("name", OPENAI_LIKE)
def test_openais_client_reads_replies_streams_models_and_calls(name: str) -> None:
    personality = PERSONALITIES[name]
    place = reasoning_place(personality)
    request: dict[str, Any] = {"model": personality.model, "messages": [USER]}
    if any(isinstance(quirk, SkipsSpecialTokens) for quirk in personality.quirks):
        request["extra_body"] = {"skip_special_tokens": False}
    with serve(personality, [ANSWER, ANSWER, Reply(None, calls=(CALL,)), Reply(None, calls=(CALL,))]) as url:
        api = client(url)
        assert [model.id for model in api.models.list()] == [personality.model]
        whole = api.chat.completions.create(**request)
        assert answer_in(whole.choices[0].message, place) == ANSWER
        assert whole.choices[0].finish_reason == "stop"
        assert whole.usage is not None
        reasoned = len(REASONING.split()) if place and name != "xai" else 0
        assert whole.usage.completion_tokens == len(ANSWER.split()) + reasoned
        if name != "xai":  # whose output tokens do not include those of reasoning
            assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
        if name in {"mistral", "magistral"}:
            return  # these know no `stream_options`, and other tests cover their calls
        text, reasoning, finish, usage = read_stream(api, request)
        assert finish == "stop"
        assert usage == whole.usage.model_dump()
        assert text.removesuffix("<|return|>").endswith(ANSWER)
        if place in {"reasoning", "reasoning_content"}:
            assert reasoning == REASONING
        if takes_tools(personality):
            check_calls(api, request)


def read_stream(api: Any, request: dict[str, Any]) -> tuple[str, str, str | None, Any]:
    """Return text, reasoning, finish reason and usage of a streamed reply."""
    text, reasoning, finish, usage = "", "", None, None
    for chunk in api.chat.completions.create(**request, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage.model_dump() if chunk.usage else usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasoning += getattr(choice.delta, "reasoning", None) or ""
            reasoning += getattr(choice.delta, "reasoning_content", None) or ""
            finish = choice.finish_reason or finish
    return text, reasoning, finish, usage


def takes_tools(personality: Personality) -> bool:
    refused = {quirk.parameter for quirk in personality.quirks if isinstance(quirk, Rejects)}
    return "tools" not in refused


def check_calls(api: Any, request: dict[str, Any]) -> None:
    call = api.chat.completions.create(**request, tools=[TOOL]).choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == CALL
    arguments = ""
    for chunk in api.chat.completions.create(**request, tools=[TOOL], stream=True):
        for choice in chunk.choices:
            for part in choice.delta.tool_calls or ():
                assert part.function.name in {None, "act"}
                arguments += part.function.arguments
    assert arguments == CALL[1]


@pytest.mark.parametrize("name", ANTHROPIC_LIKE)
def test_anthropics_client_reads_replies_streams_models_and_calls(name: str) -> None:
    personality = PERSONALITIES[name]
    request: dict[str, Any] = {"model": personality.model, "messages": [USER], "max_tokens": 50}
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    tool = {"name": "act", "input_schema": {"type": "object"}}
    replies: list[str | Reply] = [ANSWER, ANSWER, ANSWER, Reply(None, calls=(CALL,)), Reply(None, calls=(CALL,))]
    with serve(personality, replies) as url, ExitStack() as clients:
        api: Any = clients.enter_context(anthropic.Anthropic(base_url=url, api_key="none", max_retries=0))
        assert [model.id for model in api.models.list()] == [personality.model]
        message = api.messages.create(**request)
        assert [block.text for block in message.content] == [ANSWER]
        assert message.usage.cache_read_input_tokens == 7
        message = api.messages.create(**request, **thinking)
        assert [block.type for block in message.content] == ["thinking", "text"]
        with api.messages.stream(**request, **thinking) as stream:
            thinking_block, text_block = stream.get_final_message().content
        assert (thinking_block.type, thinking_block.thinking) == ("thinking", REASONING)
        assert (text_block.type, text_block.text) == ("text", ANSWER)
        message = api.messages.create(**request, tools=[tool])
        assert message.content[-1].input == {"action": "wait"}
        with api.messages.stream(**request, tools=[tool]) as stream:
            final = stream.get_final_message()
        assert [block.input for block in final.content if block.type == "tool_use"] == [{"action": "wait"}]
        assert final.stop_reason == "tool_use"


LITELLM = {
    "openai": "openai/gpt-4.1-mini",
    "openai-reasoning": "openai/gpt-5-mini",
    "azure": "azure/gpt-4.1",
    "azure-reasoning": "azure/team-deployment",
    "anthropic": "anthropic/claude-haiku-4-5",
    "anthropic-5": "anthropic/claude-sonnet-5",
    "mistral": "mistral/mistral-small-latest",
    "magistral": "mistral/magistral-small-latest",
    "deepseek": "deepseek/deepseek-chat",
    "deepseek-reasoner": "deepseek/deepseek-reasoner",
    # litellm's own provider speaks Google's API, not the compatible one.
    "gemini": "openai/gemini-2.5-flash",
    "gemini-3": "openai/gemini-3-flash-preview",
    "xai": "xai/grok-4",
    "openrouter": "openrouter/vendor/reasoner",
    "groq": "groq/llama-3.3-70b-versatile",
    "groq-reasoning": "groq/qwen/qwen3-32b",
    "vllm": "hosted_vllm/org/chat-7b",
    "vllm-reasoning": "hosted_vllm/org/reasoner-7b",
    "vllm-r1": "hosted_vllm/deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
    "vllm-special": "hosted_vllm/org/marker-7b",
    "gemma": "hosted_vllm/google/gemma-2-2b-it",
    # For these servers litellm has no provider, or one for their other APIs.
    "sglang": "openai/Qwen/Qwen3-8B",
    "llama-server": "openai/chat-7b",
    "llama-server-thinking": "openai/qwen3-8b",
    "llama-server-gpt-oss": "openai/gpt-oss-20b",
    "mlx-lm": "openai/mlx-community/gpt-oss-20b-MXFP4-Q8",
    "llama-cpp-python": "openai/smollm2",
    "ollama": "openai/qwen3:8b",
    "ollama-no-tools": "openai/gemma3:4b",
    "lm-studio": "lm_studio/qwen3-4b-instruct-2507",
    "tgi": "openai/google/gemma-3-12b-it",
}
"""Name by which litellm asks for the model of each server."""


def test_litellm_reads_replies_and_streams() -> None:
    child = subprocess.run(
        [sys.executable, str(Path(__file__).parents[1] / "helpers" / "litellm_referee.py")],
        input=json.dumps({"answer": ANSWER, "models": LITELLM}),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )
    read = json.loads(child.stdout.splitlines()[-1])
    assert read.keys() == LITELLM.keys() == PERSONALITIES.keys()
    for name, reply in read.items():
        place = reasoning_place(PERSONALITIES[name])
        start, end = next(((start, end) for known, start, end in IN_TEXT if known == place), ("", ""))
        expected = f"{start}{REASONING}{end}{ANSWER}" if end else ANSWER
        for quirk in PERSONALITIES[name].quirks:
            for token in quirk.tokens if isinstance(quirk, SkipsSpecialTokens) else ():
                expected = expected.replace(token, "").strip()
        assert reply["streamed"].strip().removesuffix("<|return|>") == expected, name
        assert reply["text"].strip().removesuffix("<|return|>") == expected, name
        if place in {"reasoning", "reasoning_content", "parts"}:
            assert reply["reasoning"].strip() == REASONING, name


SEED = {"seed": 3}
SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}}
FORCED = {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "act"}}}
CALLED = [
    USER,
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call00000", "type": "function", "function": {"name": "act", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "call00000", "content": "Nothing."},
]
SYSTEM = {"role": "system", "content": "Be brief."}
BEGUN = [USER, {"role": "assistant", "content": "Très"}]

REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("openai", {"extra_body": {"top_k": 3}}, 400, "Unrecognized request argument supplied: top_k"),
    ("openai", {"reasoning_effort": "low"}, 400, "Unrecognized request argument supplied: reasoning_effort"),
    ("openai-reasoning", {"max_tokens": 9}, 400, "Use 'max_completion_tokens' instead"),
    ("azure-reasoning", {"temperature": 0}, 400, "'temperature' does not support 0 with this model"),
    ("azure", {"messages": [{"role": "user", "content": FORBIDDEN}]}, 400, "content management policy"),
    ("mistral", SEED, 422, "extra_forbidden"),
    ("mistral", {"messages": BEGUN}, 400, "Expected last role User or Tool"),
    ("mistral", {"messages": [*CALLED, USER]}, 400, "Unexpected role 'user' after role 'tool'"),
    ("deepseek", SCHEMA, 400, "This response_format type is unavailable now"),
    ("deepseek-reasoner", {"messages": CALLED}, 400, "Missing `reasoning_content` field"),
    ("gemini", SEED, 400, 'Unknown name "seed": Cannot find field.'),
    ("gemini-3", {"messages": CALLED}, 400, "Function call is missing a thought_signature"),
    ("openrouter", {"messages": [{"role": "user", "content": FORBIDDEN}]}, 403, "your input was flagged"),
    ("groq", FORCED, 400, "Failed to call a function."),
    ("groq", SCHEMA, 400, "does not support response format `json_schema`"),
    ("xai", {"stop": ["x"]}, 400, "Model grok-4 does not support parameter stop."),
    ("vllm", FORCED, 400, "requires --tool-call-parser to be set"),
    ("vllm", {"tools": [TOOL]}, 400, "requires --enable-auto-tool-choice and --tool-call-parser"),
    ("gemma", {"messages": [SYSTEM, USER]}, 400, "System role not supported"),
    ("gemma", {"messages": [USER, USER]}, 400, "Conversation roles must alternate"),
    ("tgi", {"messages": CALLED}, 422, "Conversation roles must alternate"),
    ("llama-server-thinking", {"messages": BEGUN}, 400, "prefill is incompatible with enable_thinking"),
    ("llama-cpp-python", SCHEMA, 500, "Input should be 'text' or 'json_object'"),
    ("ollama", {"messages": CALLED}, 400, "invalid message content type: <nil>"),
    ("ollama-no-tools", {"tools": [TOOL]}, 400, "gemma3:4b does not support tools"),
    ("lm-studio", FORCED, 400, "Invalid tool_choice type: 'object'"),
]


@pytest.mark.parametrize(("name", "changes", "status", "words"), REFUSED)
def test_openais_client_raises_the_servers_own_error(
    name: str, changes: dict[str, Any], status: int, words: str
) -> None:
    personality = PERSONALITIES[name]
    with serve(personality, [ANSWER]) as url, pytest.raises(openai.APIStatusError) as caught:
        client(url).chat.completions.create(**{"model": personality.model, "messages": [USER], **changes})
    assert caught.value.status_code == status
    assert words in json.dumps(json.loads(caught.value.response.content), ensure_ascii=False).replace('\\"', '"')


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"temperature": 0.0}, "temperature is deprecated for this model."),
        ({"messages": BEGUN}, "does not support assistant message prefill"),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 1024},
                "tools": [{"name": "act", "input_schema": {"type": "object"}}],
                "tool_choice": {"type": "any"},
            },
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
    ],
)
def test_anthropics_client_raises_the_servers_own_error(changes: dict[str, Any], words: str) -> None:
    request: dict[str, Any] = {"model": "claude-sonnet-5", "messages": [USER], "max_tokens": 50, **changes}
    extra = {name: request.pop(name) for name in ("temperature",) if name in request}
    with (
        serve("anthropic-5", [ANSWER]) as url,
        anthropic.Anthropic(base_url=url, api_key="none", max_retries=0) as api,
        pytest.raises(anthropic.BadRequestError, match=words),
    ):
        api.messages.create(**request, extra_body=extra)


ERROR_BODIES: dict[str, Callable[[Any], str]] = {
    "openai": lambda body: body["error"]["message"],
    "gemini": lambda body: body[0]["error"]["message"],
    "sglang": lambda body: body["message"],
    "lm-studio": lambda body: body["error"],
    "tgi": lambda body: body["error"],
    "xai": lambda body: body["error"],
    "mistral": lambda body: body["message"],
}


@pytest.mark.parametrize("name", ERROR_BODIES)
def test_errors_of_the_script_have_the_servers_format(name: str) -> None:
    personality = PERSONALITIES[name]
    with ScriptedServer([Reply("slow down", status=429)], personality=personality) as server:
        response = post(f"{server.base_url}/chat/completions", {"messages": [USER]})
    assert (response.status_code, ERROR_BODIES[name](response.json())) == (429, "slow down")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, personality in PERSONALITIES.items()
        if any(isinstance(quirk, ContextLimit) and quirk.refusal for quirk in personality.quirks)
    ],
)
def test_a_context_overflow_is_reported_with_the_numbers(name: str) -> None:
    personality = PERSONALITIES[name].with_context(6)
    path = "/v1/messages" if personality.wire == "anthropic" else "/chat/completions"
    limit = "max_completion_tokens" if name in {"openai-reasoning", "azure-reasoning"} else "max_tokens"
    body = {"messages": [{"role": "user", "content": "seven words are more than these six"}], limit: 9}
    with ScriptedServer([ANSWER], personality=personality) as server:
        response = post(f"{server.base_url}{path}", body)
    assert response.status_code in {400, 422}
    assert "6" in response.text
    assert "7" in response.text


def test_ollama_drops_the_oldest_messages_silently() -> None:
    seen: list[Any] = []

    def answer(body: dict[str, Any]) -> str:
        seen.append([message["content"] for message in body["messages"]])
        return ANSWER

    with serve("ollama", answer, context=4) as url:
        messages = [SYSTEM, {"role": "user", "content": "one two three"}, {"role": "assistant", "content": "four"}]
        reply = client(url).chat.completions.create(model="qwen3:8b", messages=[*messages, USER])
    assert reply.choices[0].message.content == ANSWER
    assert seen == [["four", "three little words"]]


@pytest.mark.parametrize(
    ("name", "last", "extra"),
    [
        ("vllm", {}, {"continue_final_message": True, "add_generation_prompt": False}),
        ("llama-server", {}, {}),
        ("mistral", {"prefix": True}, {}),
    ],
)
def test_a_begun_reply_is_continued(name: str, last: Any, extra: Any) -> None:
    with serve(name, [ANSWER]) as url:
        messages = [USER, {"role": "assistant", "content": "Très", **last}]
        reply = client(url).chat.completions.create(model="any", messages=messages, extra_body=extra)
    assert reply.choices[0].message.content == ANSWER.removeprefix("Très")


def test_without_its_flags_vllm_starts_a_new_reply() -> None:
    with serve("vllm", [ANSWER]) as url:
        reply = client(url).chat.completions.create(model="any", messages=BEGUN)
    assert reply.choices[0].message.content == ANSWER


def test_openrouter_reports_errors_inside_replies() -> None:
    with serve(PERSONALITIES["openrouter"].with_errors(every=2), [ANSWER]) as url:
        request: dict[str, Any] = {"model": "any", "messages": [USER]}
        good, bad = (client(url).chat.completions.create(**request).choices[0] for _ in range(2))
    assert (good.finish_reason, good.message.content) == ("stop", ANSWER)
    assert (bad.finish_reason, bad.message.content) == ("error", "")
    assert bad.error["code"] == 502


def test_azures_client_reads_a_stream_that_starts_without_choices() -> None:
    with serve("azure", [ANSWER]) as url:
        api: Any = openai.AzureOpenAI(
            azure_endpoint=url.removesuffix("/openai/v1"), api_key="none", api_version="2024-10-21"
        )
        request: dict[str, Any] = {"model": "gpt-4.1", "messages": [USER]}
        assert api.chat.completions.create(**request).choices[0].message.content == ANSWER
        chunks = list(api.chat.completions.create(**request, stream=True))
    assert chunks[0].choices == []
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[1:]) == ANSWER


def test_lm_studio_answers_unknown_paths_with_status_200() -> None:
    with serve("lm-studio") as url:
        response = post(f"{url.removesuffix('/v1')}/chat/completions", {"messages": [USER]})
    assert (response.status_code, response.json()) == (200, {"error": "Unexpected endpoint or method."})


def test_deepseek_sends_blank_lines_before_a_reply() -> None:
    with serve("deepseek", [ANSWER]) as url:
        response = post(f"{url}/chat/completions", {"messages": [USER]})
    assert response.content.startswith(b"\n\n\n{")


def test_rate_limits_are_in_headers() -> None:
    with serve("groq", [ANSWER]) as url:
        raw = client(url).chat.completions.with_raw_response.create(model="any", messages=[USER])
    assert raw.headers["x-ratelimit-reset-tokens"] == "1.57s"


def test_a_personality_of_ones_own_is_served() -> None:
    mine = replace(PERSONALITIES["vllm"], name="mine", model="my-model")
    with serve(mine) as url:
        assert [model.id for model in client(url).models.list()] == ["my-model"]


def test_an_unknown_personality_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'hal' is not a personality.*ollama"), serve("hal"):
        pass

"""Whatever a server sends in place of a valid reply, the outcome is a decision, a typed failure, or another attempt."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ictbench.actors.actor import History
from ictbench.actors.react import ReActActor
from ictbench.errors import ModelFailure, ModelUnavailableError
from ictbench.models import ModelClient, Retry, UsageMeter
from ictbench.models.providers.anthropic import AnthropicModel
from ictbench.models.providers.litellm import LiteLLMModel
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.providers.vllm import VLLMModel
from ictbench.models.replies import MIN_REPLY_BYTES
from ictbench.records import Decision, ModelSpec
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.models import ChatModel

ARGUMENTS = '{"thought": "Go.", "action": "step n"}'
OPENAI: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "system_fingerprint": "f",
    "error": None,
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "error": None,
            "message": {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                    {"type": "text", "text": "<think>Hm.</think>Thought: Go.\nAction: step n"},
                ],
                "refusal": None,
                "reasoning_content": "Hm.",
                "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}],
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "act", "arguments": ARGUMENTS}}],
            },
        }
    ],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
}
ANTHROPIC: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "error": None,
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "Thought: Go.\nAction: step n"},
        {"type": "tool_use", "id": "t", "name": "act", "input": json.loads(ARGUMENTS)},
    ],
    "stop_reason": "end_turn",
    "usage": {
        "input_tokens": 9,
        "output_tokens": 5,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 0,
        "output_tokens_details": {"thinking_tokens": 2},
    },
}
ADAPTERS: dict[str, tuple[type[ChatModel], str, str, dict[str, Any]]] = {
    "openai": (OpenAIModel, "m", "url", OPENAI),
    "vllm": (VLLMModel, "m", "url", OPENAI),
    "anthropic": (AnthropicModel, "m", "anthropic_url", ANTHROPIC),
    "litellm": (LiteLLMModel, "openai/m", "url", OPENAI),
    "litellm-anthropic": (LiteLLMModel, "anthropic/m", "anthropic_url", ANTHROPIC),
}
RAW = {
    "@nested@": "[" * 3000 + "]" * 3000,
    "@huge@": "9" * 5000,
    "@long@": f'"{"x" * 200_000}"',
    "@brackets@": f'"{"[" * 50_000}"',
    "@tags@": f'"{"<think>" * 5_000}"',
}
"""JSON texts of values that are too deep or too large for `json.dumps` or for a strategy."""
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        502,
        10**30,
        1.5,
        1e300,
        "",
        " ",
        "x",
        "length",
        "error",
        "\ud83d",
        "\0\x1b",
        "{}",
        "[",
    ),
    *("<think>Action: step n", '{"thought": "\\ud83d", "action": "\\u0000"}', *RAW),
    *(
        [],
        {},
        [None],
        [[]],
        [{}],
        {"type": "stop"},
        {"type": "length"},
        {"code": 502, "message": "down"},
        {"code": "401"},
    ),
    *({"text": "x"}, [{"type": "text"}], [{"type": "text", "text": None}]),
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from paths(value[key], (*path, key))


def mutated(valid: Any) -> st.SearchStrategy[str]:
    """Return JSON texts of the reply with up to three nodes deleted or replaced."""

    def apply(changes: list[tuple[tuple[Any, ...], bool, Any]]) -> str:
        root = [copy.deepcopy(valid)]
        for path, delete, value in changes:
            parent: Any = root
            try:
                for key in (0, *path)[:-1]:
                    parent = parent[key]
                key = (0, *path)[-1]
                if delete and path:
                    del parent[key]
                else:
                    parent[key] = copy.deepcopy(value)
            except (LookupError, TypeError):
                pass  # an earlier change removed the place
        text = json.dumps(root[0])
        for name, raw in RAW.items():
            text = text.replace(f'"{name}"', raw)
        return text

    change = st.tuples(st.sampled_from(list(paths(valid))), st.booleans(), st.sampled_from(ODD))
    return st.lists(change, min_size=1, max_size=3).map(apply)


@pytest.mark.parametrize(
    ("name", "decoding"),
    [
        *((name, decoding) for name in ("openai", "anthropic") for decoding in ("free", "json", "tools")),
        *(("vllm", "grammar"), ("litellm", "tools"), ("litellm-anthropic", "free")),
    ],
)
def test_any_reply_gives_a_decision_a_failure_or_another_attempt(
    name: str, decoding: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "VLLM_API_KEY"):
        monkeypatch.setenv(variable, "sk-none-at-all")
    adapter, model_name, url, valid = ADAPTERS[name]
    sent = ""

    with ScriptedServer(lambda body: Reply(body=sent)) as server, asyncio.Runner() as runner:
        spec = ModelSpec(provider=name.partition("-")[0], model=model_name, base_url=getattr(server, url))
        model = ModelClient(adapter(spec), UsageMeter(), retry=Retry(attempts=1))
        actor = ReActActor(model, decoding=decoding)

        @given(mutated(valid))
        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        def check(text: str) -> None:
            nonlocal sent
            sent = text
            started = time.process_time()
            try:
                decision = runner.run(actor.act("Play.", History((), "A room.", ("step n",), 25), seed=1))
            except (ModelFailure, ModelUnavailableError) as error:
                shown = str(error)
                usage = getattr(error, "usage", None)
            else:
                shown = f"{decision.action} {decision.thought}"
                usage = decision.usage
                assert Decision.model_validate_json(decision.model_dump_json()) == decision
            assert time.process_time() - started < 3
            assert len(shown.encode()) < 2 * MIN_REPLY_BYTES
            assert usage is None or min(usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) >= 0
            (model.fingerprint or "").encode()

        try:
            check()
        finally:
            runner.run(model.aclose())

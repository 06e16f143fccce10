"""Anthropic's Messages API."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, ModelFailure, UsageError
from ictbench.models.adaptation import adapt_parameters
from ictbench.models.addresses import APIS
from ictbench.models.chat_model import (
    ACT_TOOL,
    ACT_TOOL_DESCRIPTION,
    Completion,
    Constraint,
    ConstraintStyle,
    FinishReason,
    Message,
)
from ictbench.models.http import JsonClient, MalformedReplyError, ReplyError
from ictbench.models.http_errors import api_hints, excerpt
from ictbench.models.model_options import request_parameters
from ictbench.models.providers.anthropic_messages import CACHE_MARK, anthropic_messages, parse_usage
from ictbench.models.providers.api_model import ApiModel
from ictbench.models.providers.openai_messages import ERROR_REASONS, make_tool_call, parse_finish_reason
from ictbench.models.providers.openai_messages import FINISH_REASONS as OPENAI_REASONS
from ictbench.models.redact import read_header
from ictbench.models.replies import clean_name
from ictbench.models.token_counts import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import ToolCall
    from ictbench.records import ModelSpec

API = APIS["anthropic"]
FINISH_REASONS: dict[str, FinishReason] = {
    **OPENAI_REASONS,
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "max_tokens": "length",
}
"""Anthropic's names, and OpenAI's, which some servers send in this format, too."""
API_VERSION = "2023-06-01"
"""The last version in which any model takes a temperature."""

# Models up to Claude 4.6, and other vendors' models that are served in this format. Later Claude models reject a
# temperature, the latest ones a forced tool too.
# https://platform.claude.com/docs/en/models/sonnet-5/overview and .../sonnet-5-5/whats-new-sonnet-5-5
CLASSIC_MODEL = re.compile(
    r"(?!.*claude)|.*claude-(?:instant|[23]|(?:opus|sonnet|haiku)-4(?!-[7-9](?:$|[-@:.])))", re.IGNORECASE
)
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
OUTPUT_CONFIG = "output_config"
JSON_TOOL = "decide"
"""Name of the tool whose input stands for a reply in style `json`, for models without structured outputs."""
JSON_TOOL_DESCRIPTION = "Answer with a thought and one of the available actions."


class AnthropicModel(ApiModel):
    """A model behind Anthropic's API.

    The base URL is the spec's, else ANTHROPIC_BASE_URL, else Anthropic's own, with or without `/v1`. The API key is
    ANTHROPIC_API_KEY, or ANTHROPIC_AUTH_TOKEN for a gateway that takes a bearer token; a server of your own may need
    none. ANTHROPIC_CUSTOM_HEADERS adds headers, one `Name: value` per line. The spec's options are sent unchanged, e.g.
    `thinking`, and a reasoning effort as `output_config.effort`. The API has no sampling seed, and models after Claude
    4.6 take no temperature: these are not sent.
    """

    capabilities = frozenset({ConstraintStyle.JSON, ConstraintStyle.TOOLS})

    def __init__(self, spec: ModelSpec) -> None:
        """Check API key and base URL; send nothing.

        Raises:
            UsageError: ANTHROPIC_API_KEY is required and not set, or the base URL is invalid.
        """
        super().__init__(spec)
        self._base_url = API.base_url(spec)
        endpoint = self._base_url.rstrip("/").removesuffix("/v1")
        key, token = read_header("ANTHROPIC_API_KEY"), read_header("ANTHROPIC_AUTH_TOKEN")
        if not (key or token) and API.is_own(endpoint):
            raise UsageError(f"{spec.name} needs a key: set ANTHROPIC_API_KEY, or give the base URL of another server")
        self._is_classic = CLASSIC_MODEL.match(spec.model) is not None
        custom = _custom_headers()
        self._parameters = request_parameters(spec)
        if not self._is_classic:
            self.unsupported = frozenset({"temperature"})
        self._check_output_config()
        self._client = JsonClient(
            f"{endpoint}/v1",
            headers={
                "anthropic-version": API_VERSION,
                **({"x-api-key": key} if key else {}),
                **({"Authorization": f"Bearer {token}"} if token else {}),
                **custom,
            },
            timeout=spec.timeout,
            hints=api_hints("ANTHROPIC_API_KEY", spec.model),
            secrets=(key, token, *custom.values()),
        )

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """See `ChatModel.complete`."""
        return await self._client.post("messages", self._body(messages, constraint), self._read)

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.aclose()

    def _body(self, messages: Sequence[Message], constraint: Constraint | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.spec.model,
            "max_tokens": self.spec.max_tokens,
            "messages": anthropic_messages(messages),
        }
        system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        if system.strip():
            body["system"] = [{"type": "text", "text": system, **CACHE_MARK}]
        extra: dict[str, Any] = {**self._parameters, **self._sampling()}
        if constraint and constraint.style is ConstraintStyle.TOOLS:
            extra |= self._tool(ACT_TOOL, ACT_TOOL_DESCRIPTION, constraint)
        elif constraint and self._is_classic:
            extra |= self._tool(JSON_TOOL, JSON_TOOL_DESCRIPTION, constraint)
        elif constraint:
            output_format = {"type": "json_schema", "schema": _without_max_lengths(constraint.json_schema())}
            extra[OUTPUT_CONFIG] = {**extra.get(OUTPUT_CONFIG, {}), "format": output_format}
        return {**body, **adapt_parameters(extra, self.spec.adaptation, required={"type": "any"})}

    def _sampling(self) -> dict[str, Any]:
        spec = self.spec
        effort = {**self._parameters.get(OUTPUT_CONFIG, {}), "effort": spec.reasoning_effort}
        sampling: dict[str, Any] = {
            "temperature": spec.temperature if self._is_classic else None,
            "top_p": spec.top_p,
            "stop_sequences": list(spec.stop) or None,
            OUTPUT_CONFIG: effort if spec.reasoning_effort else None,
        }
        return {name: value for name, value in sampling.items() if value is not None}

    def _check_output_config(self) -> None:
        config = self._parameters.get(OUTPUT_CONFIG, {})
        if not isinstance(config, dict) or "format" in config or ("effort" in config and self.spec.reasoning_effort):
            raise ConfigError(
                f"{self.spec.name}: option {OUTPUT_CONFIG!r} must be a mapping without `format`, which ictbench sets, "
                "and without a second `effort`"
            )

    def _tool(self, name: str, description: str, constraint: Constraint) -> dict[str, Any]:
        """Return the parameters that offer one tool, and force its call if the model supports that."""
        tool = {"name": name, "description": description, "input_schema": constraint.json_schema()}
        choice = {"type": "tool", "name": name} if self._is_classic else {"type": "auto"}
        return {"tools": [tool], "tool_choice": {**choice, "disable_parallel_tool_use": True}}

    def _read(self, reply: dict[str, Any]) -> Completion:
        try:
            blocks = reply["content"] or []
            text, calls = "".join(map(_text, blocks)), _calls(blocks)
            reasoning = "\n\n".join(filter(None, map(_thinking, blocks)))
            usage = counted(parse_usage(reply.get("usage")), text, calls)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise MalformedReplyError("the reply is not a message") from None
        self._fingerprint = clean_name(reply.get("model"), self.spec.model)
        reason = parse_finish_reason(reply.get("stop_reason"))
        if reason in ERROR_REASONS:
            raise ReplyError(f"stop_reason {reason}")
        if FINISH_REASONS.get(reason) == "content_filter":
            raise ModelFailure("refused", excerpt(text) or "stopped by the provider's safety system", usage)
        if reason == "model_context_window_exceeded":
            raise ModelFailure("context_overflow", "the reply reached the end of the context window", usage)
        return Completion(text, usage, FINISH_REASONS.get(reason, "other"), calls, reasoning)


def _custom_headers() -> dict[str, str]:
    """Return the headers in ANTHROPIC_CUSTOM_HEADERS.

    Raises:
        UsageError: A line is not of the form `Name: value`.
    """
    headers = {}
    for line in os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").splitlines():
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if not colon or not HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
            raise UsageError(
                "ANTHROPIC_CUSTOM_HEADERS has a line that is not a header; write one `Name: value` per line"
            )
        headers[name] = value
    return headers


def _without_max_lengths(schema: Any) -> Any:
    """Return the schema without `maxLength`, which Anthropic's structured outputs reject."""
    if isinstance(schema, dict):
        return {name: _without_max_lengths(value) for name, value in schema.items() if name != "maxLength"}
    return schema


def _text(block: dict[str, Any]) -> str:
    """Return a block's share of the text: the text itself, or the input of `JSON_TOOL`; thinking has none."""
    if block["type"] == "tool_use" and block["name"] == JSON_TOOL:
        return json.dumps(block["input"], ensure_ascii=False)
    text = block["text"] if block["type"] == "text" else ""
    if not isinstance(text, str):
        raise TypeError(f"{type(text).__name__} instead of text")
    return text


def _thinking(block: dict[str, Any]) -> str:
    thinking = block.get("thinking") if block["type"] == "thinking" else ""
    return thinking if isinstance(thinking, str) else ""


def _calls(blocks: Sequence[dict[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(
        make_tool_call(block["name"], json.dumps(block["input"], ensure_ascii=False), block["id"])
        for block in blocks
        if block["type"] == "tool_use" and block["name"] != JSON_TOOL
    )

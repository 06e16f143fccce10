"""Anthropic's Messages API, through the official client."""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import TYPE_CHECKING, Any

from ictbench.errors import MissingExtraError, ModelFailure, TransientModelError, UsageError
from ictbench.models.adaptation import adapt_parameters
from ictbench.models.chat_model import (
    ACT_TOOL,
    ACT_TOOL_DESCRIPTION,
    Completion,
    Constraint,
    ConstraintStyle,
    FinishReason,
    Message,
)
from ictbench.models.http import replace_surrogates
from ictbench.models.http_errors import api_hints, classify_http_error, excerpt, parse_retry_after
from ictbench.models.providers.anthropic_messages import CACHE_MARK, anthropic_messages
from ictbench.models.providers.api_model import ApiModel
from ictbench.models.providers.openai_messages import make_tool_call
from ictbench.models.redact import Redactor, read_api_key
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anthropic import AsyncAnthropic

    from ictbench.errors import IctbenchError, TransientKind
    from ictbench.models.chat_model import ToolCall
    from ictbench.records import ModelSpec

DEFAULT_BASE_URL = "https://api.anthropic.com"
FINISH_REASONS: dict[str | None, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "max_tokens": "length",
}
API_VERSION = "2023-06-01"
"""Sent explicitly, because the client's default varies; the last version in which any model takes a temperature."""

# Models up to Claude 4.6, and other vendors' models that are served in this format. Later Claude models reject a
# temperature, the latest ones a forced tool too.
# https://platform.claude.com/docs/en/models/sonnet-5/overview and .../sonnet-5-5/whats-new-sonnet-5-5
CLASSIC_MODEL = re.compile(
    r"(?!.*claude)|.*claude-(?:instant|[23]|(?:opus|sonnet|haiku)-4(?!-[7-9](?:$|[-@:.])))", re.IGNORECASE
)
JSON_TOOL = "decide"
"""Name of the tool whose input stands for a reply in style `json`, for models without structured outputs."""
JSON_TOOL_DESCRIPTION = "Answer with a thought and one of the available actions."


class AnthropicModel(ApiModel):
    """A model behind Anthropic's API.

    The base URL is the spec's, else ANTHROPIC_BASE_URL, else Anthropic's own, with or without `/v1`. The API key is
    ANTHROPIC_API_KEY; a server of your own may need none. The spec's options are sent unchanged, e.g. `thinking`.
    The API has no sampling seed, and models after Claude 4.6 take no temperature: these are not sent.
    """

    capabilities = frozenset({ConstraintStyle.JSON, ConstraintStyle.TOOLS})

    def __init__(self, spec: ModelSpec) -> None:
        """Check API key and base URL; send nothing.

        Raises:
            MissingExtraError: The client is not installed.
            UsageError: ANTHROPIC_API_KEY is required and not set, or the base URL is invalid.
        """
        super().__init__(spec)
        self._base_url = spec.base_url or os.environ.get("ANTHROPIC_BASE_URL") or DEFAULT_BASE_URL
        key = read_api_key("ANTHROPIC_API_KEY")
        if not key and self._base_url.rstrip("/").removesuffix("/v1") == DEFAULT_BASE_URL:
            raise UsageError(f"{spec.name} needs a key: set ANTHROPIC_API_KEY, or give the base URL of another server")
        self._is_classic = CLASSIC_MODEL.match(spec.model) is not None
        self._redact = Redactor(key)
        self._client = _client(spec, self._base_url, key)

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """See `ChatModel.complete`."""
        import anthropic

        body = self._body(messages, constraint)
        try:
            # The client's own timeout restarts with every byte received.
            async with asyncio.timeout(self.spec.timeout):
                reply = await self._client.messages.with_raw_response.create(**body)
        except (TimeoutError, anthropic.APITimeoutError):
            raise self._transient("timeout", f"no answer within {self.spec.timeout:g} s") from None
        except anthropic.APIStatusError as error:
            response = error.response
            raise self._classify(error.status_code, response.content, parse_retry_after(response.headers)) from None
        except anthropic.APIConnectionError as error:
            raise self._transient("connection", str(error.__cause__ or error)) from None
        return self._read(reply.http_response.content)

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.close()

    def _body(self, messages: Sequence[Message], constraint: Constraint | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.spec.model,
            "max_tokens": self.spec.max_tokens,
            "messages": anthropic_messages(messages),
        }
        system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        if system.strip():
            body["system"] = [{"type": "text", "text": system, **CACHE_MARK}]
        # Through extra_body, as the client's signature depends on its release.
        extra: dict[str, Any] = dict(self.spec.options)
        if self.spec.temperature is not None and self._is_classic:
            extra["temperature"] = self.spec.temperature
        if constraint and constraint.style is ConstraintStyle.TOOLS:
            extra |= self._tool(ACT_TOOL, ACT_TOOL_DESCRIPTION, constraint)
        elif constraint and self._is_classic:
            extra |= self._tool(JSON_TOOL, JSON_TOOL_DESCRIPTION, constraint)
        elif constraint:
            output_format = {"type": "json_schema", "schema": _without_max_lengths(constraint.json_schema())}
            extra["output_config"] = {**extra.get("output_config", {}), "format": output_format}
        return {**body, "extra_body": adapt_parameters(extra, self.spec.adaptation, required={"type": "any"})}

    def _tool(self, name: str, description: str, constraint: Constraint) -> dict[str, Any]:
        """Return the parameters that offer one tool, and force its call if the model supports that."""
        tool = {"name": name, "description": description, "input_schema": constraint.json_schema()}
        choice = {"type": "tool", "name": name} if self._is_classic else {"type": "auto"}
        return {"tools": [tool], "tool_choice": {**choice, "disable_parallel_tool_use": True}}

    def _read(self, content: bytes) -> Completion:
        try:
            reply = json.loads(content)
            blocks = reply["content"] or []
            text, calls = "".join(map(_text, blocks)), _calls(blocks)
            usage = _usage(reply.get("usage"))
        except (ValueError, LookupError, TypeError, AttributeError):
            message = f"the reply is not a message: {content.decode(errors='replace')}"
            raise self._transient("malformed", message) from None
        self._fingerprint = str(reply.get("model") or self.spec.model)
        reason = reply.get("stop_reason")
        if reason == "refusal":
            raise ModelFailure("refused", text.strip() or "stopped by the provider's safety system", usage)
        if reason == "model_context_window_exceeded":
            raise ModelFailure("context_overflow", "the reply reached the end of the context window", usage)
        completion = Completion(text, usage, FINISH_REASONS.get(reason, "other"), calls)
        if completion.is_empty:
            raise ModelFailure("empty", usage=usage)
        return completion

    def _classify(self, status: int, content: bytes, retry_after: float | None) -> IctbenchError:
        try:
            error = json.loads(content)["error"]
            code, text = str(error["type"]), str(error["message"])
        except (ValueError, LookupError, TypeError):
            code, text = "", content.decode(errors="replace")
        hints = api_hints("ANTHROPIC_API_KEY", self.spec.model)
        text = excerpt(self._redact(text))
        return classify_http_error(status, code, text, endpoint=self._base_url, hints=hints, retry_after=retry_after)

    def _transient(self, kind: TransientKind, message: str) -> TransientModelError:
        return TransientModelError(kind, f"{self._base_url}: {excerpt(self._redact(message))}")


def _client(spec: ModelSpec, base_url: str, key: str) -> AsyncAnthropic:
    try:
        from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient
    except ImportError as error:
        raise MissingExtraError(spec.name, "anthropic", str(error)) from error
    return AsyncAnthropic(
        # Not None: the client would look for keys in the user's files, and send them to any server.
        api_key=key or "none",
        base_url=base_url.rstrip("/").removesuffix("/v1"),
        max_retries=0,
        timeout=spec.timeout,
        default_headers={"anthropic-version": API_VERSION},
        # Following a redirect would turn the POST into a GET, so a redirect is an error.
        http_client=DefaultAsyncHttpxClient(follow_redirects=False),
    )


def _without_max_lengths(schema: Any) -> Any:
    """Return the schema without `maxLength`, which Anthropic's structured outputs reject."""
    if isinstance(schema, dict):
        return {name: _without_max_lengths(value) for name, value in schema.items() if name != "maxLength"}
    return schema


def _text(block: dict[str, Any]) -> str:
    """Return a block's share of the text: the text itself, or the input of `JSON_TOOL`; thinking has none."""
    if block["type"] == "tool_use" and block["name"] == JSON_TOOL:
        return replace_surrogates(json.dumps(block["input"], ensure_ascii=False))
    return replace_surrogates(str(block["text"])) if block["type"] == "text" else ""


def _calls(blocks: Sequence[dict[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(
        make_tool_call(block["name"], json.dumps(block["input"], ensure_ascii=False), str(block["id"]))
        for block in blocks
        if block["type"] == "tool_use" and block["name"] != JSON_TOOL
    )


def _usage(reported: Any) -> Usage:
    """Return the usage; Anthropic's `input_tokens` do not include those read from and written to the prompt cache."""
    counts: dict[str, Any] = reported or {}
    details = counts.get("output_tokens_details") or {}
    uncached, read, written = (
        counts.get(name) or 0 for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    return Usage(
        calls=1,
        input_tokens=uncached + read + written,
        output_tokens=counts.get("output_tokens") or 0,
        cached_tokens=read,
        reasoning_tokens=details.get("thinking_tokens") or 0,
        cost=None,
    )

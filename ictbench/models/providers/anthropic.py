"""Anthropic's messages, through the official client."""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import TYPE_CHECKING, Any

from ictbench.errors import MissingExtraError, ModelFailure, TransientModelError, UsageError
from ictbench.models.chat_model import (
    ACT_TOOL,
    ACT_TOOL_DESCRIPTION,
    ChatModel,
    Completion,
    Constraint,
    ConstraintStyle,
    FinishReason,
    Message,
)
from ictbench.models.http_errors import blame, excerpt, retry_after
from ictbench.models.providers.anthropic_messages import CACHED, turns_of
from ictbench.models.providers.openai_messages import tool_call
from ictbench.models.redact import Redactor
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
VERSION = "2023-06-01"
"""The last version of the API in which any model takes a temperature; the client's own choice varies."""

# Up to Claude 4.6. Later models reject a temperature, the last ones a forced tool too. Other makers' models that are
# served in this format know nothing of that.
# https://platform.claude.com/docs/en/models/sonnet-5/overview and .../sonnet-5-5/whats-new-sonnet-5-5
CLASSIC = re.compile(
    r"(?!.*claude)|.*claude-(?:instant|[23]|(?:opus|sonnet|haiku)-4(?!-[7-9](?:$|[-@:.])))", re.IGNORECASE
)
TOOL = "decide"
REFUSED_TEXT = "stopped by the provider's safety system"


class AnthropicModel(ChatModel):
    """A model behind Anthropic's API.

    The address is the spec's, else ANTHROPIC_BASE_URL, else Anthropic's own; with or without `/v1`. The key is
    ANTHROPIC_API_KEY; an address of one's own may do without. The spec's options are sent along as they are, e.g.
    `thinking`. There is no sampling seed, and models after Claude 4.6 take no temperature: these are not sent.
    """

    capabilities = frozenset({ConstraintStyle.JSON, ConstraintStyle.TOOLS})

    def __init__(self, spec: ModelSpec) -> None:
        """Check key and address; nothing is sent yet.

        Raises:
            MissingExtraError: the client is not installed.
            UsageError: ANTHROPIC_API_KEY is needed and not set, or the base URL is not usable.
        """
        super().__init__(spec)
        self._base_url = spec.base_url or os.environ.get("ANTHROPIC_BASE_URL") or DEFAULT_BASE_URL
        key = os.environ.get("ANTHROPIC_API_KEY", "").strip()
        if not key and self._base_url.rstrip("/").removesuffix("/v1") == DEFAULT_BASE_URL:
            raise UsageError(f"{spec.name} needs a key: set ANTHROPIC_API_KEY, or give the base URL of another server")
        if not (key.isascii() and key.isprintable()):
            raise UsageError("ANTHROPIC_API_KEY holds characters that no key has; set it again")
        self._classic = CLASSIC.match(spec.model) is not None
        self._fingerprint: str | None = None
        self._conceal = Redactor(key)
        self._client = _client(spec, self._base_url, key)

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Answer `messages`, in one try.

        Raises:
            ModelFailure: bad_request, context_overflow, refused or empty.
            TransientModelError: another try may succeed.
            EndpointRefusedError: the endpoint refuses this key or model.
        """
        import anthropic

        body = self._body(messages, constraint)
        try:
            # The client's own timeout starts anew with every byte.
            async with asyncio.timeout(self.spec.timeout):
                reply = await self._client.messages.with_raw_response.create(**body)
        except (TimeoutError, anthropic.APITimeoutError):
            raise self._transient("timeout", f"no answer within {self.spec.timeout:g} s") from None
        except anthropic.APIStatusError as error:
            raise self._blame(error.status_code, error.response.content, retry_after(error.response.headers)) from None
        except anthropic.APIConnectionError as error:
            raise self._transient("connection", str(error.__cause__ or error)) from None
        return self._read(reply.http_response.content)

    @property
    def address(self) -> str:
        """The base URL."""
        return self._base_url

    @property
    def is_remote(self) -> bool:
        """True: it is an address and a key."""
        return True

    @property
    def fingerprint(self) -> str | None:
        """The model that the last reply named."""
        return self._fingerprint

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.close()

    def _body(self, messages: Sequence[Message], constraint: Constraint | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.spec.model,
            "max_tokens": self.spec.max_tokens,
            "messages": turns_of(messages),
        }
        system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        if system.strip():
            body["system"] = [{"type": "text", "text": system, **CACHED}]
        # Past the client's own signature, which depends on its release.
        extra: dict[str, Any] = dict(self.spec.options)
        if self.spec.temperature is not None and self._classic:
            extra["temperature"] = self.spec.temperature
        if constraint and constraint.style is ConstraintStyle.TOOLS:
            extra |= self._tool(ACT_TOOL, ACT_TOOL_DESCRIPTION, constraint)
        elif constraint and self._classic:
            extra |= self._tool(TOOL, "Answer with a thought and one of the available actions.", constraint)
        elif constraint:
            form = {"type": "json_schema", "schema": _without_lengths(constraint.json_schema())}
            extra["output_config"] = {**extra.get("output_config", {}), "format": form}
        return {**body, "extra_body": extra}

    def _tool(self, name: str, description: str, constraint: Constraint) -> dict[str, Any]:
        """The parameters that offer one tool, and have it called where the model lets itself be forced."""
        tool = {"name": name, "description": description, "input_schema": constraint.json_schema()}
        choice = {"type": "tool", "name": name} if self._classic else {"type": "auto"}
        return {"tools": [tool], "tool_choice": {**choice, "disable_parallel_tool_use": True}}

    def _read(self, content: bytes) -> Completion:
        try:
            reply = json.loads(content)
            blocks = reply["content"] or []
            text, calls = "".join(map(_text, blocks)), _calls(blocks)
            usage = _usage(reply.get("usage"))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise self._transient(
                "malformed", f"the answer is not a message: {content.decode(errors='replace')}"
            ) from None
        self._fingerprint = str(reply.get("model") or self.spec.model)
        reason = reply.get("stop_reason")
        if reason == "refusal":
            raise ModelFailure("refused", text.strip() or REFUSED_TEXT, usage)
        if reason == "model_context_window_exceeded":
            raise ModelFailure("context_overflow", "the reply met the end of the context window", usage)
        if not text.strip() and not calls and reason != "max_tokens":
            raise ModelFailure("empty", usage=usage)
        return Completion(text, usage, FINISH_REASONS.get(reason, "other"), calls)

    def _blame(self, status: int, content: bytes, asked: float | None) -> IctbenchError:
        try:
            error = json.loads(content)["error"]
            code, text = str(error["type"]), str(error["message"])
        except (ValueError, LookupError, TypeError):
            code, text = "", content.decode(errors="replace")
        hints = {
            401: "check ANTHROPIC_API_KEY",
            402: "check the account's balance",
            403: "check that the key may use this model",
            404: f"check the model name {self.spec.model!r} and the base URL",
        }
        return blame(status, code, excerpt(self._conceal(text)), endpoint=self._base_url, hints=hints, asked=asked)

    def _transient(self, kind: TransientKind, said: str) -> TransientModelError:
        return TransientModelError(kind, f"{self._base_url}: {excerpt(self._conceal(said))}")


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
        default_headers={"anthropic-version": VERSION},
        # A redirected POST becomes a GET, so a redirect is reported and not followed.
        http_client=DefaultAsyncHttpxClient(follow_redirects=False),
    )


def _without_lengths(schema: Any) -> Any:
    """The schema without the bounds on lengths, which Anthropic's structured outputs reject."""
    if isinstance(schema, dict):
        return {name: _without_lengths(value) for name, value in schema.items() if name != "maxLength"}
    return schema


def _text(block: dict[str, Any]) -> str:
    """What a block adds to the text: thinking adds nothing, the tool that stands for JSON its input."""
    if block["type"] == "tool_use" and block["name"] == TOOL:
        return json.dumps(block["input"], ensure_ascii=False).encode("utf-8", "replace").decode()
    # JSON can carry half a surrogate pair, which no file or digest downstream could encode.
    return str(block["text"]).encode("utf-8", "replace").decode() if block["type"] == "text" else ""


def _calls(blocks: Sequence[dict[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(
        tool_call(block["name"], json.dumps(block["input"], ensure_ascii=False), str(block["id"]))
        for block in blocks
        if block["type"] == "tool_use" and block["name"] != TOOL
    )


def _usage(reported: Any) -> Usage:
    """What the reply says it cost: Anthropic's input tokens leave out those read from and written to the cache."""
    counts: dict[str, Any] = reported or {}
    details = counts.get("output_tokens_details") or {}
    fresh, read, written = (
        counts.get(name) or 0 for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    return Usage(
        calls=1,
        input_tokens=fresh + read + written,
        output_tokens=counts.get("output_tokens") or 0,
        cached_tokens=read,
        reasoning_tokens=details.get("thinking_tokens") or 0,
        cost=None,
    )

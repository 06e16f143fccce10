"""OpenAI's chat completions, and every server that speaks them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from ictbench.errors import ModelFailure, UsageError
from ictbench.models.chat_model import ChatModel, Completion, Constraint, ConstraintStyle, FinishReason, Message
from ictbench.models.http import JsonClient, MalformedReplyError
from ictbench.models.providers.openai_messages import openai_calls, openai_messages, openai_tool
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import ModelSpec

DEFAULT_BASE_URL = "https://api.openai.com/v1"

# gpt-5-chat does not reason and takes the usual parameters.
REASONING = re.compile(r"(?:.*/)?(?:o[134]|gpt-5(?!-chat))(?:$|[-.:])")
FINISH_REASONS: dict[str | None, FinishReason] = {"stop": "stop", "tool_calls": "stop", "length": "length"}


class OpenAIModel(ChatModel):
    """A model behind an OpenAI-compatible endpoint.

    The address is the spec's, else OPENAI_BASE_URL, else OpenAI's own. OPENAI_API_KEY, OPENAI_ORG_ID and
    OPENAI_PROJECT_ID mean what they mean to OpenAI's client; an address of one's own may do without a key.
    Reasoning models (o1, o3, o4, gpt-5) take neither temperature nor seed: the spec's are not sent to them.
    """

    capabilities = frozenset({ConstraintStyle.JSON, ConstraintStyle.TOOLS})
    _fingerprint: str | None = None
    _version: str | None = None

    def __init__(self, spec: ModelSpec) -> None:
        """Check key and address; nothing is sent yet.

        Raises:
            UsageError: OPENAI_API_KEY is needed and not set, or the base URL is not usable.
        """
        super().__init__(spec)
        base_url = spec.base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        if not key and base_url.rstrip("/") == DEFAULT_BASE_URL:
            raise UsageError(f"{spec.name} needs a key: set OPENAI_API_KEY, or give the base URL of another server")
        self._base_url = base_url
        self._reasoning = REASONING.match(spec.model) is not None
        self._transport = JsonClient(
            base_url,
            headers=_headers(key),
            timeout=spec.timeout,
            hints={
                401: "check OPENAI_API_KEY",
                402: "check the account's balance",
                403: "check that the key may use this model",
                404: f"check the model name {spec.model!r} and the base URL",
            },
            secret=key or None,
        )

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Answer `messages`, in one try.

        Raises:
            ModelFailure: bad_request, context_overflow, refused or empty.
            TransientModelError: another try may succeed.
            EndpointRefusedError: the endpoint refuses this key or model.
        """
        body = {"model": self.spec.model, "messages": openai_messages(messages), **self._sampling(seed)}
        if constraint:
            body |= self._constrained(constraint)
        return await self._transport.post("chat/completions", body, self._read)

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
        """The model that the last reply named, with its system fingerprint where it had one."""
        return self._fingerprint

    async def aclose(self) -> None:
        """Close connections."""
        await self._transport.aclose()

    def _sampling(self, seed: int | None) -> dict[str, Any]:
        if self._reasoning:
            return {"max_completion_tokens": self.spec.max_tokens}
        sampling = {"max_tokens": self.spec.max_tokens, "temperature": self.spec.temperature, "seed": seed}
        return {name: value for name, value in sampling.items() if value is not None}

    def _constrained(self, constraint: Constraint) -> dict[str, Any]:
        """The parameters that impose a constraint, in this server's dialect."""
        if constraint.style is ConstraintStyle.TOOLS:
            return openai_tool(constraint)
        schema = {"name": "decision", "strict": True, "schema": constraint.json_schema()}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def _read(self, reply: dict[str, Any]) -> Completion:
        try:
            choice = reply["choices"][0] if reply["choices"] else {"message": {}}
            message = dict(choice["message"])
            text, calls = _text(message.get("content")), openai_calls(message)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise MalformedReplyError("the answer is not a chat completion") from None
        reason = choice.get("finish_reason")
        # Servers leave it out of some replies; the last one told is kept.
        self._version = reply.get("system_fingerprint") or self._version
        named = str(reply.get("model") or self.spec.model)
        self._fingerprint = f"{named}@{self._version}" if self._version else named
        usage = parse_usage(reply.get("usage"))
        if reason == "content_filter" or message.get("refusal"):
            said = str(message.get("refusal") or "stopped by the provider's content filter")
            raise ModelFailure("refused", said, usage)
        if not text.strip() and not calls and reason != "length":
            raise ModelFailure("empty", usage=usage)
        return Completion(text, usage, FINISH_REASONS.get(reason, "other"), calls)


def _headers(key: str) -> dict[str, str]:
    if not (key.isascii() and key.isprintable()):
        raise UsageError("OPENAI_API_KEY holds characters that no key has; set it again")
    organization, project = os.environ.get("OPENAI_ORG_ID"), os.environ.get("OPENAI_PROJECT_ID")
    headers = {
        "Authorization": f"Bearer {key}" if key else None,
        "OpenAI-Organization": organization,
        "OpenAI-Project": project,
    }
    return {name: value for name, value in headers.items() if value}


def _text(content: Any) -> str:
    """The text of a message: a string, or parts of which only those of type text count."""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part["type"] == "text")
    # JSON can carry half a surrogate pair, which no file or digest downstream could encode.
    return str(content or "").encode("utf-8", "replace").decode()


def parse_usage(reported: Any, cost: float | None = None) -> Usage:
    """The usage of one call as chat completions report it, zero where they do not say."""
    return Usage(
        calls=1,
        input_tokens=_count(reported, "prompt_tokens"),
        output_tokens=_count(reported, "completion_tokens"),
        cached_tokens=_count(reported, "prompt_tokens_details", "cached_tokens"),
        reasoning_tokens=_count(reported, "completion_tokens_details", "reasoning_tokens"),
        cost=cost,
    )


def _count(value: Any, *path: str) -> int:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, int) else 0

"""Wire formats of the scripted server: requests, replies and errors of OpenAI's and Anthropic's APIs."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ictbench.testing.event_streams import anthropic_events, openai_events
from ictbench.testing.tool_call_checks import check_anthropic_calls, check_openai_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.testing.api_error import ApiError
    from ictbench.testing.scripted_replies import Reply

WireName = Literal["openai", "anthropic"]


class WireFormat(ABC):
    """A wire format."""

    name: WireName
    paths: tuple[str, ...]
    """Paths for requests, the usual one first."""
    models_path: str
    """Path of the list of models."""
    headers: Mapping[str, str] = MappingProxyType({})
    """HTTP headers of every response."""
    blank_lines = 0
    """Empty lines before every reply that is not a stream."""
    overloaded_status: int
    """HTTP status of an overloaded endpoint."""
    overflow_message: str
    """Error message for a request that is longer than the model's context."""

    def parse(self, body: Any) -> dict[str, Any]:
        """Return a request as a script sees it, with each message as role and text.

        Raises:
            ValueError: The request does not have this format.
            ApiError: The endpoint rejects the request.
        """
        try:
            self.check_calls(body)
            messages = [{"role": _role(message), "content": text_of(_content(message))} for message in body["messages"]]
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"not a request in {self.name}'s format: {error!r}") from error
        return {**body, "messages": messages}

    @abstractmethod
    def check_calls(self, body: dict[str, Any]) -> None:
        """Check the tool calls of a request; see `ictbench.testing.tool_call_checks`."""

    @abstractmethod
    def completion(self, reply: Reply, body: dict[str, Any], model: str, number: int, words: int) -> dict[str, Any]:
        """Return the reply to the request `body`, which is the `number`-th and has `words` words."""

    @abstractmethod
    def error(self, error: ApiError) -> Any:
        """Return the body of an error response."""

    @abstractmethod
    def stream(self, completion: dict[str, Any], body: dict[str, Any]) -> list[str]:
        """Return a completion as the server-sent events that make up the reply to a request with `stream: true`."""

    def models(self, model: str) -> dict[str, Any]:
        """Return the list of models."""
        return {"object": "list", "data": [{"id": model, "object": "model", "created": 0, "owned_by": "scripted"}]}


class OpenAIFormat(WireFormat):
    """OpenAI's chat completions."""

    name = "openai"
    paths = ("/v1/chat/completions",)
    models_path = "/v1/models"
    overloaded_status = 503
    overflow_message = (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    )

    def check_calls(self, body: dict[str, Any]) -> None:
        """See `WireFormat.check_calls`."""
        check_openai_calls(body)

    def completion(self, reply: Reply, body: dict[str, Any], model: str, number: int, words: int) -> dict[str, Any]:
        """See `WireFormat.completion`."""
        output_words = len((reply.text or "").split())
        message: dict[str, Any] = {"role": "assistant", "content": reply.text}
        finish_reason = reply.finish_reason
        if reply.calls:
            message["tool_calls"] = [
                {"id": f"call_{number}_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
                for index, (name, arguments) in enumerate(reply.calls)
            ]
            finish_reason = "tool_calls" if finish_reason == "stop" else finish_reason
        return {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "system_fingerprint": "scripted",
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": {
                "prompt_tokens": words,
                "completion_tokens": output_words,
                "total_tokens": words + output_words,
            },
        }

    def error(self, error: ApiError) -> Any:
        """See `WireFormat.error`."""
        kind = error.kind or self._error_types.get(error.status, _usual_kind(error.status))
        known = {"message": error.message, "type": kind, "param": error.param, "code": error.code}
        return {"error": {**known, **error.details}}

    def stream(self, completion: dict[str, Any], body: dict[str, Any]) -> list[str]:
        """See `WireFormat.stream`."""
        options = body.get("stream_options") or {}
        return openai_events(completion, include_usage=bool(options.get("include_usage")))

    _error_types: ClassVar[dict[int, str]] = {429: "rate_limit_error", 401: "authentication_error"}


class AnthropicFormat(WireFormat):
    """Anthropic's messages."""

    name = "anthropic"
    paths = ("/v1/messages",)
    models_path = "/v1/models"
    overloaded_status = 529
    overflow_message = "prompt is too long: 213462 tokens > 200000 maximum"

    _stop_reasons: ClassVar[dict[str, str]] = {
        "stop": "end_turn",
        "length": "max_tokens",
        "content_filter": "refusal",
        "tool_calls": "tool_use",
    }
    _error_types: ClassVar[dict[int, str]] = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        529: "overloaded_error",
    }

    def check_calls(self, body: dict[str, Any]) -> None:
        """See `WireFormat.check_calls`."""
        check_anthropic_calls(body)

    def parse(self, body: Any) -> dict[str, Any]:
        """See `WireFormat.parse`."""
        request = super().parse(body)
        if system := text_of(request.get("system") or ""):
            request["messages"].insert(0, {"role": "system", "content": system})
        return request

    def completion(self, reply: Reply, body: dict[str, Any], model: str, number: int, words: int) -> dict[str, Any]:
        """See `WireFormat.completion`. If the request forces a tool, a JSON object becomes that tool's input."""
        forced_tool = (body.get("tool_choice") or {}).get("name")
        content: list[dict[str, Any]] | None = [{"type": "text", "text": reply.text}]
        finish_reason = reply.finish_reason
        if reply.calls:
            calls = [
                {"type": "tool_use", "id": f"toolu_{number}_{index}", "name": name, "input": _parse_json(arguments)}
                for index, (name, arguments) in enumerate(reply.calls)
            ]
            content = [*([{"type": "text", "text": reply.text}] if reply.text else []), *calls]
            finish_reason = "tool_calls" if finish_reason == "stop" else finish_reason
        elif reply.text is None:
            content = None
        elif forced_tool and isinstance(tool_input := _parse_json(reply.text), dict):
            content = [{"type": "tool_use", "id": f"toolu_{number}", "name": forced_tool, "input": tool_input}]
            finish_reason = "tool_calls" if finish_reason == "stop" else finish_reason
        return {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": self._stop_reasons.get(finish_reason, finish_reason),
            "stop_sequence": None,
            "usage": {"input_tokens": words, "output_tokens": len((reply.text or "").split())},
        }

    def error(self, error: ApiError) -> Any:
        """See `WireFormat.error`."""
        kind = error.kind or self._error_types.get(error.status, _usual_kind(error.status))
        return {"type": "error", "error": {"type": kind, "message": error.message, **error.details}}

    def stream(self, completion: dict[str, Any], body: dict[str, Any]) -> list[str]:
        """See `WireFormat.stream`."""
        return anthropic_events(completion)


WIRE_FORMATS: tuple[WireFormat, ...] = (OpenAIFormat(), AnthropicFormat())


def _content(message: dict[str, Any]) -> Any:
    """Return the content of a message, which a message with calls may omit."""
    return message.get("content") if message.get("tool_calls") else message["content"]


def _role(message: dict[str, Any]) -> str:
    """Return OpenAI's role of a message: `tool` for the results of tools, which Anthropic gives the role `user`."""
    content = _content(message)
    has_results = isinstance(content, list) and any(part["type"] == "tool_result" for part in content)
    return "tool" if has_results else str(message["role"])


def text_of(content: Any) -> str:
    """Return the text of a message's content: a string, null, or parts, of which texts and results of tools count."""
    if isinstance(content, list):
        keys = {"text": "text", "tool_result": "content"}
        return "".join(text_of(part[keys[part["type"]]]) for part in content if part["type"] in keys)
    return "" if content is None else str(content)


def _usual_kind(status: int) -> str:
    return "api_error" if status >= 500 else "invalid_request_error"


def _parse_json(text: str) -> Any:
    """Return the value of a JSON text; other text unchanged."""
    try:
        return json.loads(text)
    except ValueError:
        return text

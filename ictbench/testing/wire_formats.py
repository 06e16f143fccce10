"""Wire formats of the scripted server: requests, replies and errors of OpenAI's and Anthropic's APIs."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal

from ictbench.testing.tool_call_checks import check_anthropic_calls, check_openai_calls

if TYPE_CHECKING:
    from ictbench.testing.scripted_replies import Reply

WireName = Literal["openai", "anthropic"]


class WireFormat(ABC):
    """A wire format."""

    name: WireName
    path: str
    """Path for requests."""
    overloaded_status: int
    """HTTP status of an overloaded endpoint."""
    overflow_message: str
    """Error message for a request that is longer than the model's context."""

    def parse(self, body: Any) -> dict[str, Any]:
        """Return a request as a script sees it, with each message as role and text.

        Raises:
            ValueError: The request does not have this format.
        """
        try:
            self.check_calls(body)
            messages = [{"role": _role(message), "content": _text(_content(message))} for message in body["messages"]]
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
    def error(self, status: int, message: str | None) -> dict[str, Any]:
        """Return the body of an error response."""


class OpenAIFormat(WireFormat):
    """OpenAI's chat completions."""

    name = "openai"
    path = "/v1/chat/completions"
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

    def error(self, status: int, message: str | None) -> dict[str, Any]:
        """See `WireFormat.error`."""
        return {"error": {"message": message, "type": "scripted", "param": None, "code": None}}


class AnthropicFormat(WireFormat):
    """Anthropic's messages."""

    name = "anthropic"
    path = "/v1/messages"
    overloaded_status = 529
    overflow_message = "prompt is too long: 213462 tokens > 200000 maximum"

    _stop_reasons = {  # noqa: RUF012 - never changed
        "stop": "end_turn",
        "length": "max_tokens",
        "content_filter": "refusal",
        "tool_calls": "tool_use",
    }
    _error_types = {  # noqa: RUF012 - never changed
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
        if system := _text(request.get("system") or ""):
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

    def error(self, status: int, message: str | None) -> dict[str, Any]:
        """See `WireFormat.error`."""
        error_type = self._error_types.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": error_type, "message": message}}


WIRE_FORMATS: tuple[WireFormat, ...] = (OpenAIFormat(), AnthropicFormat())


def _content(message: dict[str, Any]) -> Any:
    """Return the content of a message, which a message with calls may omit."""
    return message.get("content") if message.get("tool_calls") else message["content"]


def _role(message: dict[str, Any]) -> str:
    """Return OpenAI's role of a message: `tool` for the results of tools, which Anthropic gives the role `user`."""
    content = _content(message)
    has_results = isinstance(content, list) and any(part["type"] == "tool_result" for part in content)
    return "tool" if has_results else str(message["role"])


def _text(content: Any) -> str:
    """Return the text of a message's content: a string, null, or parts, of which texts and results of tools count."""
    if isinstance(content, list):
        keys = {"text": "text", "tool_result": "content"}
        return "".join(_text(part[keys[part["type"]]]) for part in content if part["type"] in keys)
    return "" if content is None else str(content)


def _parse_json(text: str) -> Any:
    """Return the value of a JSON text; other text unchanged."""
    try:
        return json.loads(text)
    except ValueError:
        return text

"""The wire formats that the scripted server speaks: how each words a request, a reply and an error."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal

from ictbench.testing.tool_call_checks import check_anthropic, check_openai

if TYPE_CHECKING:
    from ictbench.testing.scripted_replies import Reply

WireName = Literal["openai", "anthropic"]


class Wire(ABC):
    """One wire format."""

    name: WireName
    path: str
    """Where its requests are posted to."""
    overloaded: int
    """The status that says that the endpoint is overloaded."""
    overflow: str
    """The message of the error that says that a request is longer than the context."""

    def read(self, body: Any) -> dict[str, Any]:
        """The request as a script sees it: with the messages as roles and texts.

        Raises:
            ValueError: it is no request of this format.
        """
        try:
            self.check_tools(body)
            messages = [{"role": _role(said), "content": _text(_content(said))} for said in body["messages"]]
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"not a request in {self.name}'s format: {error!r}") from error
        return {**body, "messages": messages}

    @abstractmethod
    def check_tools(self, body: dict[str, Any]) -> None:
        """See `ictbench.testing.tool_call_checks`."""

    @abstractmethod
    def completion(self, reply: Reply, body: dict[str, Any], model: str, number: int, words: int) -> dict[str, Any]:
        """The reply to the request `body`, which is the `number`-th and has `words` words."""

    @abstractmethod
    def error(self, status: int, message: str | None) -> dict[str, Any]:
        """A reply that reports an error."""


class OpenAIWire(Wire):
    """OpenAI's chat completions."""

    name = "openai"
    path = "/v1/chat/completions"
    overloaded = 503
    overflow = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."

    def check_tools(self, body: dict[str, Any]) -> None:
        """See `Wire.check_tools`."""
        check_openai(body)

    def completion(self, reply: Reply, body: dict[str, Any], model: str, number: int, words: int) -> dict[str, Any]:
        """See `Wire.completion`."""
        written = len((reply.text or "").split())
        message: dict[str, Any] = {"role": "assistant", "content": reply.text}
        reason = reply.finish_reason
        if reply.calls:
            message["tool_calls"] = [
                {"id": f"call_{number}_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
                for index, (name, arguments) in enumerate(reply.calls)
            ]
            reason = "tool_calls" if reason == "stop" else reason
        return {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "system_fingerprint": "scripted",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": words, "completion_tokens": written, "total_tokens": words + written},
        }

    def error(self, status: int, message: str | None) -> dict[str, Any]:
        """See `Wire.error`."""
        return {"error": {"message": message, "type": "scripted", "param": None, "code": None}}


class AnthropicWire(Wire):
    """Anthropic's messages."""

    name = "anthropic"
    path = "/v1/messages"
    overloaded = 529
    overflow = "prompt is too long: 213462 tokens > 200000 maximum"

    _stop_reasons = {  # noqa: RUF012 - read only
        "stop": "end_turn",
        "length": "max_tokens",
        "content_filter": "refusal",
        "tool_calls": "tool_use",
    }
    _errors = {  # noqa: RUF012 - read only
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        529: "overloaded_error",
    }

    def check_tools(self, body: dict[str, Any]) -> None:
        """See `Wire.check_tools`."""
        check_anthropic(body)

    def read(self, body: Any) -> dict[str, Any]:
        """See `Wire.read`."""
        request = super().read(body)
        if system := _text(request.get("system") or ""):
            request["messages"].insert(0, {"role": "system", "content": system})
        return request

    def completion(self, reply: Reply, body: dict[str, Any], model: str, number: int, words: int) -> dict[str, Any]:
        """See `Wire.completion`. A reply to a request that forces a tool is the JSON of that tool's input."""
        tool = (body.get("tool_choice") or {}).get("name")
        content: list[dict[str, Any]] | None = [{"type": "text", "text": reply.text}]
        reason = reply.finish_reason
        if reply.calls:
            used = [
                {"type": "tool_use", "id": f"toolu_{number}_{index}", "name": name, "input": _loaded(arguments)}
                for index, (name, arguments) in enumerate(reply.calls)
            ]
            content = [*([{"type": "text", "text": reply.text}] if reply.text else []), *used]
            reason = "tool_calls" if reason == "stop" else reason
        elif reply.text is None:
            content = None
        elif tool and (given := _object(reply.text)) is not None:
            content = [{"type": "tool_use", "id": f"toolu_{number}", "name": tool, "input": given}]
            reason = "tool_calls" if reason == "stop" else reason
        return {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": self._stop_reasons.get(reason, reason),
            "stop_sequence": None,
            "usage": {"input_tokens": words, "output_tokens": len((reply.text or "").split())},
        }

    def error(self, status: int, message: str | None) -> dict[str, Any]:
        """See `Wire.error`."""
        kind = self._errors.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": message}}


WIRES: tuple[Wire, ...] = (OpenAIWire(), AnthropicWire())


def _content(said: dict[str, Any]) -> Any:
    """What a message says, which one that calls a tool may leave out."""
    return said.get("content") if said.get("tool_calls") else said["content"]


def _role(said: dict[str, Any]) -> str:
    """OpenAI's word for who speaks: to Anthropic, the user tells what a tool has answered."""
    content = _content(said)
    told = isinstance(content, list) and any(part["type"] == "tool_result" for part in content)
    return "tool" if told else str(said["role"])


def _text(content: Any) -> str:
    """The text of a message: a string, nothing, or parts of which texts and results of tools count."""
    if isinstance(content, list):
        texts = {"text": "text", "tool_result": "content"}
        return "".join(_text(part[texts[part["type"]]]) for part in content if part["type"] in texts)
    return "" if content is None else str(content)


def _loaded(text: str) -> Any:
    """What a text is as JSON; the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, None where it is none."""
    value = _loaded(text)
    return value if isinstance(value, dict) else None

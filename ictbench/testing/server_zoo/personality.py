"""The record that describes a model server, and the wire format that follows it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ictbench.testing.server_zoo.message_quirks import BEGUN, ContextLimit
from ictbench.testing.server_zoo.reply_quirks import Comments, ErrorInReply
from ictbench.testing.wire_formats import AnthropicFormat, OpenAIFormat, WireFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.testing.api_error import ApiError
    from ictbench.testing.scripted_replies import Reply
    from ictbench.testing.server_zoo.quirk import Quirk
    from ictbench.testing.wire_formats import WireName

MESSAGE, KIND, CODE, PARAM, STATUS = "$message", "$kind", "$code", "$param", "$status"
"""Values of an error's fields that stand for the error's own."""


@dataclass(frozen=True, kw_only=True)
class ErrorFormat:
    """JSON of an error response, in which some values stand for those of the error."""

    template: Any
    source: str
    kinds: Mapping[int, str] = field(default_factory=dict)
    """Type of an error by HTTP status, where the error has none of its own."""

    def body(self, error: ApiError) -> Any:
        """Return the body of an error response."""
        kind = error.kind or self.kinds.get(error.status)
        values = {MESSAGE: error.message, KIND: kind, CODE: error.code, PARAM: error.param, STATUS: error.status}
        return _fill(self.template, values, error.details)


@dataclass(frozen=True, kw_only=True)
class Personality:
    """A model server: the API that it offers, and its quirks.

    Derive one of your own from a documented one, e.g. `replace(PERSONALITIES["vllm"], model="mine")`.
    """

    name: str
    """Name for `serve`."""
    title: str
    """The server, and the model if it matters."""
    model: str
    """Name of the model that it serves."""
    provider: str = "openai"
    """The provider of ictbench that speaks to it."""
    wire: WireName = "openai"
    base_path: str = "/v1"
    """Path of the base URL."""
    other_paths: tuple[str, ...] = ()
    """Further paths for completions."""
    quirks: tuple[Quirk, ...] = ()
    errors: ErrorFormat | None = None
    """Format of its error responses; None for the usual one of its API."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of every response, such as those about rate limits."""
    headers_source: str = ""
    other_endpoints: Mapping[str, Any] | None = None
    """Body of its answer, with status 200, to requests for paths that it does not have; None if the status is 404."""
    other_endpoints_source: str = ""

    def with_context(self, tokens: int) -> Personality:
        """Return the same server with a context of so many tokens; the double counts words."""
        quirks = (replace(quirk, tokens=tokens) if isinstance(quirk, ContextLimit) else quirk for quirk in self.quirks)
        return replace(self, quirks=tuple(quirks))

    def with_errors(self, every: int) -> Personality:
        """Return the same server with an error inside every so many-th reply, if it reports errors in this way."""
        quirks = (replace(quirk, every=every) if isinstance(quirk, ErrorInReply) else quirk for quirk in self.quirks)
        return replace(self, quirks=tuple(quirks))

    def sources(self) -> dict[str, str]:
        """Return the address of the page that documents each quirk."""
        sources = {quirk.summary: quirk.source for quirk in self.quirks}
        if self.errors:
            sources["has its own format of errors"] = self.errors.source
        if self.headers:
            sources["sends headers about rate limits"] = self.headers_source
        if self.other_endpoints is not None:
            sources["answers requests for unknown paths with status 200"] = self.other_endpoints_source
        return sources


class PersonalityFormat(WireFormat):
    """The wire format of a personality: the usual one, with the personality's quirks."""

    def __init__(self, personality: Personality) -> None:
        self.personality = personality
        self._usual: WireFormat = AnthropicFormat() if personality.wire == "anthropic" else OpenAIFormat()
        self.name = personality.wire
        usual_path = self._usual.paths[0].removeprefix("/v1")
        self.paths = (f"{personality.base_path}{usual_path}", *personality.other_paths)
        self.models_path = f"{personality.base_path}/models"
        self.headers = personality.headers
        self.blank_lines = max(
            (quirk.blank_lines for quirk in personality.quirks if isinstance(quirk, Comments)), default=0
        )
        self.overloaded_status = self._usual.overloaded_status
        self.overflow_message = self._usual.overflow_message

    def check_calls(self, body: dict[str, Any]) -> None:
        """See `WireFormat.check_calls`."""
        self._usual.check_calls(body)

    def parse(self, body: Any) -> dict[str, Any]:
        """Return the request as a script sees it, after every quirk."""
        self._usual.parse(body)
        for quirk in self.personality.quirks:
            body = quirk.receive(body)
        return self._usual.parse(body)

    def completion(self, reply: Reply, body: dict[str, Any], model: str, number: int, words: int) -> dict[str, Any]:
        """See `WireFormat.completion`."""
        if reply.text is not None and BEGUN in body:
            reply = replace(reply, text=reply.text.removeprefix(body[BEGUN]))
        completion = self._usual.completion(reply, body, model, number, words)
        for quirk in self.personality.quirks:
            quirk.send(completion, body)
        return completion

    def error(self, error: ApiError) -> Any:
        """See `WireFormat.error`."""
        errors = self.personality.errors
        return errors.body(error) if errors else self._usual.error(error)

    def stream(self, completion: dict[str, Any], body: dict[str, Any]) -> list[str]:
        """See `WireFormat.stream`."""
        events = self._usual.stream(completion, body)
        for quirk in self.personality.quirks:
            events = quirk.stream(events)
        return events


def _fill(template: Any, values: Mapping[str, Any], details: Mapping[str, Any]) -> Any:
    """Return the template with values in place of their names, and details in the object that has the message."""
    if isinstance(template, dict):
        filled = {name: _fill(value, values, details) for name, value in template.items()}
        return {**filled, **details} if MESSAGE in template.values() else filled
    if isinstance(template, list):
        return [_fill(value, values, details) for value in template]
    return values.get(template, template) if isinstance(template, str) else template

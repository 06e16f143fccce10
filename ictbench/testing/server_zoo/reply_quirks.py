"""Quirks of what servers send: fields, reasoning, usage, finish reasons, events."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ictbench.testing.event_streams import data_event
from ictbench.testing.server_zoo.message_quirks import BEGUN
from ictbench.testing.server_zoo.quirk import Quirk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.testing.server_zoo.quirk import Body, Refusal

REASONING = """\
I could answer
Action: go west
ANALYSIS:
IMPROVED PROMPT:
This is only a draft.
but that would be wrong."""
"""Reasoning that a careless reader takes for an answer."""
CONSTRAINTS = ("response_format", "structured_outputs", "grammar")
"""Parameters that leave no room for reasoning in the text."""

Part = Literal["reply", "choice", "message", "call", "usage"]
ReasoningPlace = Literal[
    "reasoning_content", "reasoning", "tags", "closing tag", "channels", "glued", "parts", "blocks", "hidden"
]
IN_TEXT = frozenset({"tags", "closing tag", "channels", "glued"})


@dataclass(frozen=True, kw_only=True)
class Adds(Quirk):
    """Adds fields to a part of its replies."""

    to: Part
    fields: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return f"adds {', '.join(f'`{name}`' for name in self.fields)} to the {self.to}"

    def send(self, completion: Body, body: Body) -> None:
        """See `Quirk.send`."""
        for part in _parts(completion, self.to):
            part.update(copy.deepcopy(dict(self.fields)))


@dataclass(frozen=True, kw_only=True)
class CountsCached(Quirk):
    """Reports cached input tokens; here, always a half of them."""

    path: tuple[str, ...]
    rest: str | None = None
    """Field of the usage for the tokens that were not cached."""

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return f"counts cached tokens in `usage.{'.'.join(self.path)}`"

    def send(self, completion: Body, body: Body) -> None:
        """See `Quirk.send`."""
        usage = completion["usage"]
        cached = usage.get("prompt_tokens", 0) // 2
        _put(usage, self.path, cached)
        if self.rest:
            usage[self.rest] = usage["prompt_tokens"] - cached


@dataclass(frozen=True, kw_only=True)
class Reasons(Quirk):
    """Reasons before every answer."""

    place: ReasoningPlace
    """Place of the reasoning: a field of the message; in the text between tags, up to a closing tag, in a channel of
    gpt-oss, or in such a channel without its markers (`glued`); content parts; content blocks; or nowhere."""
    included: bool = True
    """Whether the number of output tokens includes those of the reasoning."""
    counted: tuple[str, ...] | None = None
    """Path in the usage of the number of reasoning tokens, if it is reported."""
    if_given: str | None = None
    """A parameter without which it does not reason."""

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        places = {
            "tags": "puts reasoning into the text, between `<think>` tags",
            "closing tag": "puts reasoning into the text, up to a `</think>` that no tag opens",
            "channels": "puts reasoning into the text, in a channel of gpt-oss",
            "glued": "puts reasoning into the text, before `assistantfinal`",
            "parts": "puts reasoning into content parts",
            "blocks": "puts reasoning into `thinking` blocks",
            "hidden": "reasons, but does not show it",
        }
        return places.get(self.place, f"puts reasoning into `message.{self.place}`")

    def send(self, completion: Body, body: Body) -> None:
        """See `Quirk.send`."""
        if BEGUN in body or (self.if_given is not None and self.if_given not in body):
            return
        if self.place in IN_TEXT and any(name in body for name in CONSTRAINTS):
            return
        if self.place == "blocks":
            block = {"type": "thinking", "thinking": REASONING, "signature": "c2lnbmVk"}
            completion["content"] = [block, *(completion["content"] or ())]
        for message in _parts(completion, "message"):
            _insert(message, self.place)
        tokens = len(REASONING.split())
        usage = completion["usage"]
        for name in ("completion_tokens", "total_tokens", "output_tokens"):
            if name in usage and (self.included or name == "total_tokens"):
                usage[name] += tokens
        if self.counted:
            _put(usage, self.counted, tokens)


@dataclass(frozen=True, kw_only=True)
class SkipsSpecialTokens(Quirk):
    """Leaves special tokens out of the text, unless the request says otherwise."""

    tokens: tuple[str, ...]
    """The special tokens."""

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        names = ", ".join(f"`{token}`" for token in self.tokens)
        return f"leaves the special tokens {names} out of the text, unless given `skip_special_tokens: false`"

    def send(self, completion: Body, body: Body) -> None:
        """See `Quirk.send`."""
        if body.get("skip_special_tokens") is False:
            return
        for message in _parts(completion, "message"):
            for token in self.tokens if isinstance(message.get("content"), str) else ():
                message["content"] = message["content"].replace(token, "")


@dataclass(frozen=True, kw_only=True)
class ErrorInReply(Quirk):
    """Reports some failures of the model inside a reply with status 200, here in every `every`-th reply."""

    every: int = 0
    """0 for never."""
    error: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "reports errors in `choices[0].error` with status 200"

    def send(self, completion: Body, body: Body) -> None:
        """See `Quirk.send`."""
        number = int(str(completion["id"]).rpartition("-")[2])
        if self.every and number % self.every == 0:
            for choice in completion["choices"]:
                choice.update(finish_reason="error", native_finish_reason=None, error=dict(self.error))
                choice["message"]["content"] = ""


@dataclass(frozen=True, kw_only=True)
class CallsMustBeMade(Quirk):
    """Turns a reply without the call that a request forces into an error response.

    A reply that is a JSON object becomes that call.
    """

    refusal: Refusal
    """Its detail `failed_generation` is set to the text of the reply."""

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "reports a reply without a forced call as an error"

    def send(self, completion: Body, body: Body) -> None:
        """See `Quirk.send`."""
        choice = body.get("tool_choice")
        for message in _parts(completion, "message") if choice not in (None, "auto", "none") else ():
            text = str(message.get("content") or "")
            if message.get("tool_calls"):
                continue
            if not (isinstance(choice, dict) and text.startswith("{")):
                error = self.refusal.error()
                error.details["failed_generation"] = text
                raise error
            function = {"name": choice["function"]["name"], "arguments": text}
            call = {"id": f"call_{completion['id']}", "type": "function", "function": function}
            message.update(content=None, tool_calls=[call])


@dataclass(frozen=True, kw_only=True)
class Comments(Quirk):
    """Sends comments in a stream to keep the connection open."""

    comment: str
    blank_lines: int = 0
    """Empty lines before a reply that is not a stream."""

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        lines = " and blank lines before other replies" if self.blank_lines else ""
        return f"sends the comment `{self.comment}` in streams{lines}"

    def stream(self, events: list[str]) -> list[str]:
        """See `Quirk.stream`."""
        return [f"{self.comment}\n\n", *events[:1], f"{self.comment}\n\n", *events[1:]]


@dataclass(frozen=True, kw_only=True)
class FirstChunk(Quirk):
    """Starts a stream with a chunk of its own."""

    chunk: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "starts a stream with a chunk without choices"

    def stream(self, events: list[str]) -> list[str]:
        """See `Quirk.stream`."""
        return [data_event(dict(self.chunk)), *events]


def _parts(completion: Body, part: Part) -> list[Body]:
    if part == "reply":
        return [completion]
    if part == "usage":
        return [completion["usage"]]
    choices: list[Body] = completion.get("choices") or []
    messages = [choice["message"] for choice in choices]
    if part == "call":
        return [call for message in messages for call in message.get("tool_calls") or ()]
    return choices if part == "choice" else messages


def _insert(message: Body, place: ReasoningPlace) -> None:
    text = message.get("content") or ""
    match place:
        case "reasoning_content" | "reasoning":
            message[place] = REASONING
        case "tags":
            message["content"] = f"<think>\n{REASONING}\n</think>\n\n{text}"
        case "closing tag":
            message["content"] = f"{REASONING}\n</think>\n\n{text}"
        case "channels":
            final = f"<|start|>assistant<|channel|>final<|message|>{text}<|return|>" if text else ""
            message["content"] = f"<|channel|>analysis<|message|>{REASONING}<|end|>{final}"
        case "glued":
            message["content"] = f"analysis{REASONING}" + (f"assistantfinal{text}" if text else "")
        case "parts":
            thinking = {"type": "thinking", "thinking": [{"type": "text", "text": REASONING}]}
            message["content"] = [thinking, *([{"type": "text", "text": text}] if text else [])]


def _put(usage: Body, path: tuple[str, ...], value: int) -> None:
    for name in path[:-1]:
        usage = usage.setdefault(name, {})
    usage[path[-1]] = value

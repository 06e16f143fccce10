"""Quirks of the messages of a request: roles, contents, tool calls, begun replies, length."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.testing.server_zoo.quirk import Quirk
from ictbench.testing.wire_formats import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.testing.server_zoo.quirk import Body, Refusal

BEGUN = "begun_reply"
"""Field of a request, as a script sees it: the text with which its reply was begun, if the server continues it."""


@dataclass(frozen=True, kw_only=True)
class NoSystemRole(Quirk):
    """Rejects messages with the role `system`."""

    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "rejects the system role"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        if any(message.get("role") == "system" for message in body["messages"]):
            raise self.refusal.error()
        return body


@dataclass(frozen=True, kw_only=True)
class RolesAlternate(Quirk):
    """After a system message, user and assistant must alternate, the user first; a tool's result is neither."""

    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "requires that user and assistant alternate"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        roles = [message.get("role") for message in body["messages"]]
        spoken = roles[1:] if roles[:1] == ["system"] else roles
        if any((role == "user") != (index % 2 == 0) for index, role in enumerate(spoken)):
            raise self.refusal.error()
        return body


@dataclass(frozen=True, kw_only=True)
class NoUserAfterTool(Quirk):
    """Rejects a user message right after the result of a tool."""

    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "rejects a user message after a tool's result"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        roles = [message.get("role") for message in body["messages"]]
        if ("tool", "user") in itertools.pairwise(roles):
            raise self.refusal.error()
        return body


@dataclass(frozen=True, kw_only=True)
class NoNullContent(Quirk):
    """Rejects `content: null`, which OpenAI's API allows in a message with tool calls."""

    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "rejects `content: null`"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        if any("content" in message and message["content"] is None for message in body["messages"]):
            raise self.refusal.error()
        return body


@dataclass(frozen=True, kw_only=True)
class NeedsInCalls(Quirk):
    """Rejects a conversation whose assistant messages with tool calls lack a field that the server sent with them."""

    field: str
    """Name of the field of the message."""
    in_call: bool = False
    """Whether it is a field of each call instead."""
    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return f"requires that past tool calls contain its own `{self.field}`"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        for index, message in enumerate(body["messages"]):
            for call in message.get("tool_calls") or ():
                if self.field not in (call if self.in_call else message):
                    name = call["function"]["name"]
                    raise self.refusal.error(value=name, tokens=index, limit=index + 1)
        return body


@dataclass(frozen=True, kw_only=True)
class BegunReply(Quirk):
    """What it does with a last message of the role `assistant`: it continues that message, or rejects the request."""

    flags: Mapping[str, Any] | None = None
    """Parameters without which it does not continue the message; None if it needs none."""
    in_message: bool = False
    """Whether the flags belong into the message."""
    refusal: Refusal | None = None
    """Its answer to a last assistant message that it does not continue; None if it starts a new reply."""
    continues: bool = True

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        if not self.continues:
            return "rejects a begun reply" if self.refusal else "does not continue a begun reply"
        flags = ", ".join(f"`{name}`" for name in self.flags or ())
        return "continues a begun reply" + (f" if given {flags}" if flags else "")

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        last = body["messages"][-1]
        if last.get("role") != "assistant":
            return body
        place = last if self.in_message else body
        if self.continues and all(place.get(name) == value for name, value in (self.flags or {}).items()):
            return {**body, BEGUN: text_of(last.get("content"))}
        if self.refusal:
            raise self.refusal.error()
        return body


@dataclass(frozen=True, kw_only=True)
class ContextLimit(Quirk):
    """What it does with a request of more than `tokens` words: it rejects it, or drops the oldest messages."""

    refusal: Refusal | None = None
    """None if it drops messages without a word."""
    tokens: int = 0
    """Limit in words; 0 for none."""

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "reports a context overflow" if self.refusal else "drops the oldest messages at a context overflow"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        words = [len(text_of(message.get("content")).split()) for message in body["messages"]]
        total = sum(words) + len(text_of(body.get("system")).split())
        if not self.tokens or total <= self.tokens:
            return body
        if self.refusal:
            reply = body.get("max_completion_tokens") or body.get("max_tokens") or 0
            raise self.refusal.error(tokens=total, limit=self.tokens, value=reply)
        first = 0
        while sum(words[first:]) > self.tokens and first < len(words) - 1:
            first += 1
        return {**body, "messages": body["messages"][first:]}


@dataclass(frozen=True, kw_only=True)
class CallIds(Quirk):
    """Restricts the ids of tool calls to `length` letters and digits."""

    length: int
    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return f"requires ids of tool calls of {self.length} letters and digits"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        for message in body["messages"]:
            for call in message.get("tool_calls") or ():
                name = str(call.get("id"))
                if len(name) != self.length or not (name.isascii() and name.isalnum()):
                    raise self.refusal.error(value=name)
        return body


@dataclass(frozen=True, kw_only=True)
class FiltersPrompt(Quirk):
    """Rejects a request that contains a certain text, as a content filter does."""

    text: str
    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return f"rejects a filtered prompt with status {self.refusal.status}"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        if any(self.text in text_of(message.get("content")) for message in body["messages"]):
            raise self.refusal.error()
        return body

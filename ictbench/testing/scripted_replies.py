"""Replies of a scripted model, and their latency."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ictbench.actors.react import ACTIONS_HEADING, FORMAT, JSON_FORMAT
from ictbench.actors.tool_call_format import TOOLS_FORMAT
from ictbench.models.chat_model import ACT_TOOL

if TYPE_CHECKING:
    from ictbench.testing.api_error import ApiError

Delivery = Literal["whole", "drip", "reset", "drop", "hang"]
"""Delivery of a reply to the client: `whole` at once; `drip` byte by byte; `reset` half of it, then the connection is
reset; `drop` nothing, the connection is closed; `hang` nothing, the connection stays open."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of a scripted model, for tests that need more than its text."""

    text: str | None = ""
    """None is sent as `null`."""
    calls: tuple[tuple[str, str], ...] = ()
    """Tool calls: name and JSON of the arguments."""
    finish_reason: str = "stop"
    """OpenAI's name for it: stop, length, content_filter or tool_calls; any other value is sent unchanged."""
    status: int = 200
    """HTTP status; with another status than 200, `text` is the message of an error."""
    body: Any = None
    """Sent instead of a body made from `text`: str or bytes unchanged, anything else as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = "whole"
    pause: float = 0.05
    """Seconds between two bytes with the delivery `drip`."""
    seconds: float | None = None
    """Latency of this reply; None for the server's latency."""
    error: ApiError | None = None
    """The error that an error response reports; None for one with `text` as its message."""


Answer = Callable[[dict[str, Any]], "str | Reply"]
"""Computes the reply from the body of a request. Called in the server's thread, one request at a time.

In every wire format, `messages` are in OpenAI's form, each with a role and a text: the system prompt first, results of
tools with the role `tool`.
"""


def as_answer(answer: Answer | Sequence[str | Reply]) -> Answer:
    """Return `answer` itself, or a function that cycles through a list of replies in the order of requests."""
    if callable(answer):
        return answer
    if isinstance(answer, str) or not answer:
        raise ValueError("give a function, or a list with at least one reply")
    replies = itertools.cycle(answer)
    return lambda body: next(replies)


def react_policy(decide: Callable[[str, str, list[str]], str | None]) -> Answer:
    """Return a scripted model for the `react` actor, which replies in the format that the actor asks for.

    Args:
        decide: Returns an action, given the actor's prompt, the current observation and the available actions; None
            for a reply without an action.
    """
    thought = "This is scripted."

    def answer(body: dict[str, Any]) -> str | Reply:
        prompt, reply_format, situation = _split_request(body["messages"])
        observation, _, actions = situation.rpartition(f"\n\n{ACTIONS_HEADING}")
        action = decide(prompt, observation, actions.strip("\n").split("\n"))
        decision = {} if action is None else {"action": action}
        as_json = json.dumps({"thought": thought, **decision}, ensure_ascii=False)
        if reply_format == TOOLS_FORMAT:
            return Reply(thought) if action is None else Reply(None, calls=((ACT_TOOL, as_json),))
        if reply_format == JSON_FORMAT:
            return as_json
        return "\n".join([f"Thought: {thought}", *(f"Action: {action}" for action in decision.values())])

    return answer


def _split_request(messages: Sequence[Mapping[str, str]]) -> tuple[str, str, str]:
    """Return the prompt, the format that the actor asks for, and the current situation.

    The system text may also open the first user message, for servers without a system role.
    """
    first, last = messages[0]["content"], messages[-1]["content"]
    for reply_format in (FORMAT, JSON_FORMAT, TOOLS_FORMAT):
        prompt, found, rest = first.partition(f"\n\n{reply_format}")
        if found:
            return prompt, reply_format, rest.removeprefix("\n\n") if len(messages) == 1 else last
    return first, "", last


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of replies in seconds: lognormal, or constant if `sigma` is 0."""

    median: float = 0.0
    sigma: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.median < math.inf and 0 <= self.sigma < math.inf):
            raise ValueError(f"a latency needs a median and a sigma of at least 0, not {self.median} and {self.sigma}")

    @classmethod
    def constant(cls, seconds: float) -> Latency:
        """Return a constant latency."""
        return cls(seconds)

    @classmethod
    def lognormal(cls, median: float, sigma: float) -> Latency:
        """Return a lognormal latency with a median in seconds and the standard deviation of its natural logarithm."""
        return cls(median, sigma)

    @classmethod
    def parse(cls, text: str) -> Latency:
        """Parse `constant:SECONDS` or `lognormal:MEDIAN:SIGMA`.

        Raises:
            ValueError: The text has another format.
        """
        match text.split(":"):
            case ["constant", seconds]:
                return cls.constant(float(seconds))
            case ["lognormal", median, sigma]:
                return cls.lognormal(float(median), float(sigma))
        raise ValueError(f"{text!r} is neither constant:SECONDS nor lognormal:MEDIAN:SIGMA")

    def seconds(self, seed: int, request: int | str) -> float:
        """Return the latency of a request, which depends only on the seed and on the request's number or name."""
        if self.sigma == 0:
            return self.median
        return self.median * math.exp(self.sigma * random.Random(f"{seed}:{request}").gauss(0, 1))

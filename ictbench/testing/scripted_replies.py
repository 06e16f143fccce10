"""What a scripted model answers, and how long it takes."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ictbench.actors.calls import TOOLS_FORMAT
from ictbench.actors.react import ACTIONS_HEADING, FORMAT, JSON_FORMAT
from ictbench.models.chat_model import ACT_TOOL

Delivery = Literal["whole", "drip", "reset", "drop", "hang"]
"""How an answer reaches the client: at once, byte by byte, half of it before the connection is reset, not at all as
the connection is closed, not at all while it stays open."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a scripted model, for tests that need more than its text."""

    text: str | None = ""
    """None is sent as `null`."""
    calls: tuple[tuple[str, str], ...] = ()
    """Tools that it calls: their names and the JSON of their arguments."""
    finish_reason: str = "stop"
    """In OpenAI's words: stop, length, content_filter or tool_calls; any other is sent as it is."""
    status: int = 200
    """With another status than 200, `text` is the message of an error reply."""
    body: Any = None
    """Sent instead of a reply made from `text`: as it is if str or bytes, as JSON otherwise."""
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = "whole"
    pause: float = 0.05
    """Seconds between two bytes that drip."""
    seconds: float | None = None
    """How long this answer takes; None for the server's own latency."""


Answer = Callable[[dict[str, Any]], "str | Reply"]
"""From the body of a request to the answer. Called in the server's thread, one request at a time.

Whatever the wire format, `messages` are OpenAI's: a role and a text each, the system prompt first, the results of tools
under the role `tool`.
"""


def as_answer(answer: Answer | Sequence[str | Reply]) -> Answer:
    """`answer` itself, or one that cycles through a list of answers in the order in which requests arrive."""
    if callable(answer):
        return answer
    if isinstance(answer, str) or not answer:
        raise ValueError("give a function, or a list with at least one answer")
    following = itertools.cycle(answer)
    return lambda body: next(following)


def react_policy(decide: Callable[[str, str, list[str]], str | None]) -> Answer:
    """A scripted model that plays through the `react` actor, in whichever format the actor asks for.

    Args:
        decide: from the actor's prompt, the present observation and the available actions to an action,
            or None for a reply that names none.
    """
    thought = "This is scripted."

    def answer(body: dict[str, Any]) -> str | Reply:
        messages = body["messages"]
        system = messages[0]["content"]
        prompt = system
        for described in (FORMAT, JSON_FORMAT, TOOLS_FORMAT):
            prompt = prompt.removesuffix(f"\n\n{described}")
        observation, _, actions = messages[-1]["content"].rpartition(f"\n\n{ACTIONS_HEADING}")
        action = decide(prompt, observation, actions.strip("\n").split("\n"))
        named = {} if action is None else {"action": action}
        given = json.dumps({"thought": thought, **named}, ensure_ascii=False)
        if system.endswith(TOOLS_FORMAT):
            return Reply(thought) if action is None else Reply(None, calls=((ACT_TOOL, given),))
        if system.endswith(JSON_FORMAT):
            return given
        return "\n".join([f"Thought: {thought}", *(f"Action: {action}" for action in named.values())])

    return answer


@dataclass(frozen=True, slots=True)
class Latency:
    """How long an answer takes: lognormal in seconds, and constant where `sigma` is 0."""

    median: float = 0.0
    sigma: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.median < math.inf and 0 <= self.sigma < math.inf):
            raise ValueError(f"a latency needs a median and a sigma of 0 or more, not {self.median} and {self.sigma}")

    @classmethod
    def constant(cls, seconds: float) -> Latency:
        """Always the same."""
        return cls(seconds)

    @classmethod
    def lognormal(cls, median: float, sigma: float) -> Latency:
        """Median in seconds, and standard deviation of the natural logarithm."""
        return cls(median, sigma)

    @classmethod
    def parse(cls, text: str) -> Latency:
        """From `constant:SECONDS` or `lognormal:MEDIAN:SIGMA`.

        Raises:
            ValueError: anything else.
        """
        match text.split(":"):
            case ["constant", seconds]:
                return cls.constant(float(seconds))
            case ["lognormal", median, sigma]:
                return cls.lognormal(float(median), float(sigma))
        raise ValueError(f"{text!r} is neither constant:SECONDS nor lognormal:MEDIAN:SIGMA")

    def seconds(self, seed: int, request: int | str) -> float:
        """For a request by its number or name: the same for the same seed and request, independent of all others."""
        if self.sigma == 0:
            return self.median
        return self.median * math.exp(self.sigma * random.Random(f"{seed}:{request}").gauss(0, 1))

"""What goes wrong at an endpoint, on purpose: a seeded plan that the scripted server follows."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ictbench.testing.scripted_replies import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.testing.wire_formats import Wire

RESET_TEXT = "These words never arrive whole."


class Fault(StrEnum):
    """One way in which a request can fail."""

    RATE_LIMITED = "rate_limited"
    """429."""
    RATE_LIMITED_AFTER = "rate_limited_after"
    """429 with Retry-After."""
    SERVER_ERROR = "server_error"
    """500."""
    OVERLOADED = "overloaded"
    """503, in Anthropic's format 529."""
    HANG = "hang"
    """No answer while the client waits."""
    DRIP = "drip"
    """The answer, a byte at a time."""
    RESET = "reset"
    """The connection is reset in the middle of the answer."""
    TRUNCATED = "truncated"
    """200 with the first half of a JSON text."""
    HTML = "html"
    """200 with a web page."""
    OVERFLOW = "overflow"
    """400: the request is longer than the model's context."""
    NULL = "null"
    """200 with `content: null`."""
    WRONG_MODEL = "wrong_model"
    """404."""
    UNAUTHORIZED = "unauthorized"
    """401."""


FATAL = frozenset({Fault.OVERFLOW, Fault.NULL, Fault.WRONG_MODEL, Fault.UNAUTHORIZED})
"""Faults after which the same request is not worth another try."""
PASSING = frozenset(Fault) - FATAL
"""Faults after which it is."""


@dataclass(frozen=True)
class Faults:
    """Which share of requests meets which fault.

    A request's fate depends on the seed, on what it asks and on how often that was asked before, and on nothing
    else: not on time, order or other requests. So equal runs meet equal faults, and a retry may succeed.

    Attributes:
        rates: share of requests, 0 to 1, by the fault's name.
        seed: another one, other fates.
        retry_after: seconds that `rate_limited_after` asks the client to wait.
        pause: seconds between two bytes of `drip`.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    retry_after: float = 0.1
    pause: float = 0.05

    def __post_init__(self) -> None:
        unknown = sorted(set(self.rates) - set(Fault))
        if unknown:
            raise ValueError(f"unknown faults {', '.join(unknown)}; known: {', '.join(Fault)}")
        if not (all(rate >= 0 for rate in self.rates.values()) and sum(self.rates.values()) <= 1 + 1e-9):
            raise ValueError(f"rates are shares of requests: 0 or more each and at most 1 together, not {self.rates}")

    @classmethod
    def mixed(cls, passing: float, fatal: float, seed: int = 0) -> Faults:
        """All kinds at once: `passing` is the share of all passing kinds together, `fatal` that of each fatal kind."""
        shares = {fault.value: passing / len(PASSING) if fault in PASSING else fatal for fault in Fault}
        return cls(shares, seed)

    @classmethod
    def parse(cls, text: str) -> Faults:
        """From `NAME:RATE,NAME:RATE,…`.

        Raises:
            ValueError: anything else.
        """
        rates = {}
        for item in text.split(","):
            name, colon, rate = item.strip().partition(":")
            if not colon:
                raise ValueError(f"{item!r} is not NAME:RATE")
            rates[name] = float(rate)
        return cls(rates)

    def draw(self, asked: str, times_before: int) -> Fault | None:
        """The fault that a request meets, None if it is served.

        Args:
            asked: identifies what the request asks.
            times_before: how often that was asked before.
        """
        left = random.Random(f"{self.seed}:{times_before}:{asked}").random()
        for fault in Fault:
            left -= self.rates.get(fault, 0.0)
            if left < 0:
                return fault
        return None

    def reply(self, fault: Fault, wire: Wire) -> Reply | None:
        """The answer that a fault gives in place of the script's; None for `drip`, which only slows that one."""
        match fault:
            case Fault.RATE_LIMITED:
                return Reply("too many requests", status=429)
            case Fault.RATE_LIMITED_AFTER:
                return Reply("too many requests", status=429, headers={"Retry-After": f"{self.retry_after:g}"})
            case Fault.SERVER_ERROR:
                return Reply("something broke", status=500)
            case Fault.OVERLOADED:
                return Reply("overloaded, try again later", status=wire.overloaded)
            case Fault.HANG:
                return Reply(delivery="hang")
            case Fault.RESET:
                return Reply(RESET_TEXT, delivery="reset")
            case Fault.TRUNCATED:
                whole = json.dumps(wire.completion(Reply(RESET_TEXT), {}, "scripted", 0, 0))
                return Reply(body=whole[: len(whole) // 2])
            case Fault.HTML:
                page = "<html><body><h1>Welcome to the proxy</h1></body></html>"
                return Reply(body=page, headers={"Content-Type": "text/html"})
            case Fault.OVERFLOW:
                return Reply(wire.overflow, status=400)
            case Fault.NULL:
                return Reply(None)
            case Fault.WRONG_MODEL:
                return Reply("the model does not exist", status=404)
            case Fault.UNAUTHORIZED:
                return Reply("invalid api key", status=401)
            case _:
                return None

    def dripping(self, reply: Reply) -> Reply:
        """The script's own answer, delivered as `drip` does."""
        return replace(reply, delivery="drip", pause=self.pause)

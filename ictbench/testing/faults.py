"""Faults of an endpoint: a seeded plan that the scripted server follows."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ictbench.testing.scripted_replies import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.testing.wire_formats import WireFormat

INCOMPLETE_TEXT = "This text never arrives completely."


class Fault(StrEnum):
    """A way in which a request can fail."""

    RATE_LIMITED = "rate_limited"
    """Status 429."""
    RATE_LIMITED_AFTER = "rate_limited_after"
    """Status 429 with Retry-After."""
    SERVER_ERROR = "server_error"
    """Status 500."""
    OVERLOADED = "overloaded"
    """Status 503, in Anthropic's format 529."""
    HANG = "hang"
    """No reply as long as the client waits."""
    DRIP = "drip"
    """The reply, one byte at a time."""
    RESET = "reset"
    """Connection reset in the middle of the reply."""
    TRUNCATED = "truncated"
    """Status 200 with the first half of a JSON text."""
    HTML = "html"
    """Status 200 with a web page."""
    OVERFLOW = "overflow"
    """Status 400: the request is longer than the model's context."""
    NULL = "null"
    """Status 200 with `content: null`."""
    WRONG_MODEL = "wrong_model"
    """Status 404."""
    UNAUTHORIZED = "unauthorized"
    """Status 401."""


FATAL = frozenset({Fault.OVERFLOW, Fault.NULL, Fault.WRONG_MODEL, Fault.UNAUTHORIZED})
"""Faults after which the same request is not worth another attempt."""
TRANSIENT = frozenset(Fault) - FATAL
"""Faults after which another attempt may succeed."""


@dataclass(frozen=True)
class Faults:
    """Rates of the faults of an endpoint.

    Whether a request meets a fault depends only on the seed, on the request's content and on how often the same content
    was sent before: not on time, order or other requests. So equal runs meet equal faults, and a retry may succeed.

    Attributes:
        rates: Share of requests, 0 to 1, by the fault's name.
        seed: Another seed selects other requests.
        retry_after: Seconds in the Retry-After header of `rate_limited_after`.
        pause: Seconds between two bytes of `drip`.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    retry_after: float = 0.1
    pause: float = 0.05

    def __post_init__(self) -> None:
        unknown = sorted(set(self.rates) - set(Fault))
        if unknown:
            raise ValueError(f"unknown faults {', '.join(unknown)} (faults: {', '.join(Fault)})")
        if not (all(rate >= 0 for rate in self.rates.values()) and sum(self.rates.values()) <= 1 + 1e-9):
            raise ValueError(f"rates are shares of requests, each at least 0 and together at most 1, not {self.rates}")

    @classmethod
    def mixed(cls, transient: float, fatal: float, seed: int = 0) -> Faults:
        """Return all faults at once.

        Args:
            transient: Share of requests with a transient fault, all transient faults together.
            fatal: Share of requests with a fatal fault, for each fatal fault.
            seed: Seed of the faults.
        """
        rates = {fault.value: transient / len(TRANSIENT) if fault in TRANSIENT else fatal for fault in Fault}
        return cls(rates, seed)

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Parse `NAME:RATE,NAME:RATE,…`.

        Raises:
            ValueError: The text has another format.
        """
        rates = {}
        for item in text.split(","):
            name, colon, rate = item.strip().partition(":")
            if not colon:
                raise ValueError(f"{item!r} is not NAME:RATE")
            rates[name] = float(rate)
        return cls(rates)

    def draw(self, content: str, times_before: int) -> Fault | None:
        """Return the fault that a request meets; None for none.

        Args:
            content: Identifies the request's content.
            times_before: How often that content was sent before.
        """
        left = random.Random(f"{self.seed}:{times_before}:{content}").random()
        for fault in Fault:
            left -= self.rates.get(fault, 0.0)
            if left < 0:
                return fault
        return None

    def reply(self, fault: Fault, wire: WireFormat) -> Reply | None:
        """Return the reply for a fault; None for `drip`, which delays the script's own reply (see `slow_down`)."""
        match fault:
            case Fault.RATE_LIMITED:
                return Reply("too many requests", status=429)
            case Fault.RATE_LIMITED_AFTER:
                return Reply("too many requests", status=429, headers={"Retry-After": f"{self.retry_after:g}"})
            case Fault.SERVER_ERROR:
                return Reply("internal server error", status=500)
            case Fault.OVERLOADED:
                return Reply("overloaded, try again later", status=wire.overloaded_status)
            case Fault.HANG:
                return Reply(delivery="hang")
            case Fault.RESET:
                return Reply(INCOMPLETE_TEXT, delivery="reset")
            case Fault.TRUNCATED:
                text = json.dumps(wire.completion(Reply(INCOMPLETE_TEXT), {}, "scripted", 0, 0))
                return Reply(body=text[: len(text) // 2])
            case Fault.HTML:
                page = "<html><body><h1>Welcome to the proxy</h1></body></html>"
                return Reply(body=page, headers={"Content-Type": "text/html"})
            case Fault.OVERFLOW:
                return Reply(wire.overflow_message, status=400)
            case Fault.NULL:
                return Reply(None)
            case Fault.WRONG_MODEL:
                return Reply("the model does not exist", status=404)
            case Fault.UNAUTHORIZED:
                return Reply("invalid api key", status=401)
            case _:
                return None

    def slow_down(self, reply: Reply) -> Reply:
        """Return the reply with the delivery of `drip`."""
        return replace(reply, delivery="drip", pause=self.pause)

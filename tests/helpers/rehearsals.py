"""Requests of the rehearsal before a run, as a scripted server sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ictbench.runs.player_rehearsal import SAMPLE_END, SAMPLE_THOUGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.testing import Reply

REQUESTS = 5
"""Requests of a model at temperature 0: one of the shape of real ones, two questions twice for repetition."""


def is_rehearsal(body: dict[str, Any]) -> bool:
    """Return whether a request belongs to the rehearsal."""
    messages = json.dumps(body["messages"])
    return SAMPLE_THOUGHT in messages or SAMPLE_END in messages


def after_rehearsal(reply: str | Reply) -> Callable[[dict[str, Any]], str | Reply]:
    """Return a policy that answers the rehearsal, and then always `reply`."""
    return lambda body: "OK" if is_rehearsal(body) else reply

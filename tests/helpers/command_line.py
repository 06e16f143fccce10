"""Types of the fixture `call`, which runs the command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Completed(NamedTuple):
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


CommandLine = Callable[..., Completed]

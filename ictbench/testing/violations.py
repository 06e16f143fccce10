"""How a conformance check words what it found."""

from __future__ import annotations

EXCERPT = 300
"""Characters of what was seen that are shown."""


def broken(check: str, seen: str, remedy: str) -> AssertionError:
    """The error of a check that fails, on one line: which one, what was seen, what to do about it."""
    return AssertionError(" ".join(f"{check}: {seen}; {remedy}".splitlines()))


def excerpt(value: object) -> str:
    """The beginning of a value's repr."""
    text = repr(value)
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


def raised(error: BaseException) -> str:
    """An error in words."""
    return f"raised {type(error).__name__}: {error}" if str(error) else f"raised {type(error).__name__}"

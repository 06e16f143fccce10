"""Messages of the conformance checks."""

from __future__ import annotations

EXCERPT_CHARACTERS = 300


def violation(check: str, observed: str, remedy: str) -> AssertionError:
    """Return the error of a failed check, on one line: which check, what was observed, what to do about it."""
    return AssertionError(" ".join(f"{check}: {observed}; {remedy}".splitlines()))


def short_repr(value: object) -> str:
    """Return the start of a value's repr."""
    text = repr(value)
    return text if len(text) <= EXCERPT_CHARACTERS else f"{text[:EXCERPT_CHARACTERS]}…"

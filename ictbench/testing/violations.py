"""Messages of the conformance checks."""

from __future__ import annotations


def violation(check: str, observed: str, remedy: str) -> AssertionError:
    """Return the error of a failed check, on one line: which check, what was observed, what to do about it."""
    return AssertionError(" ".join(f"{check}: {observed}; {remedy}".splitlines()))

"""Problems that one check has found: the first as text, and the number of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.audit.verification import Check

if TYPE_CHECKING:
    from collections.abc import Iterable

QUOTED_CHARACTERS = 80


@dataclass
class Findings:
    """Problems found by the check called `name`."""

    name: str
    count: int = 0
    first: str = ""

    def add(self, problem: str) -> None:
        """Add a problem: its place, the value there and the expected one."""
        self.count += 1
        self.first = self.first or problem

    def extend(self, problems: Iterable[str]) -> None:
        """Add several problems."""
        for problem in problems:
            self.add(problem)

    def check(self, passed: str) -> Check:
        """Return the check; `passed` is its detail if there is no problem."""
        if not self.count:
            return Check(name=self.name, verdict="passed", detail=passed)
        more = f" (and {self.count - 1:,} more)" if self.count > 1 else ""
        return Check(name=self.name, verdict="failed", detail=f"{self.first}{more}")

    def skipped(self, reason: str) -> Check:
        """Return the check as skipped for this reason, or as failed if a problem was found before."""
        return self.check(reason) if self.count else Check(name=self.name, verdict="skipped", detail=reason)


def quote(value: object) -> str:
    """Return an untrusted value on one line, without invisible characters and not too long."""
    text = repr(value)
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[: QUOTED_CHARACTERS - 1]}…"

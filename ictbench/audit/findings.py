"""What a check has found wrong so far: the first of it in words, and how much more there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.audit.verification import Check

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_CHARACTERS = 80


@dataclass
class Findings:
    """Of one check."""

    name: str
    count: int = 0
    first: str = ""

    def add(self, what: str) -> None:
        """Note one thing that is wrong: its place, the value there and the one expected."""
        self.count += 1
        self.first = self.first or what

    def extend(self, found: Iterable[str]) -> None:
        """Note several."""
        for what in found:
            self.add(what)

    def check(self, passed: str) -> Check:
        """The check, in the words of `passed` where nothing was found."""
        if not self.count:
            return Check(name=self.name, verdict="passed", detail=passed)
        more = f" (and {self.count - 1:,} more)" if self.count > 1 else ""
        return Check(name=self.name, verdict="failed", detail=f"{self.first}{more}")

    def skipped(self, why: str) -> Check:
        """The check where it could not be made; what was found all the same goes first."""
        return self.check(why) if self.count else Check(name=self.name, verdict="skipped", detail=why)


def shown(value: object) -> str:
    """A value that somebody else wrote, on one line: nothing invisible in it, and not too long."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"

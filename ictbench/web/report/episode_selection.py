"""Which episodes go into a report, and what is said about those that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ictbench.errors import ConfigError
from ictbench.protocol import keys_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.protocol.loop_result import Purpose
    from ictbench.results.schema import Result

EpisodeChoice = Literal["all", "test", "none"] | int
"""All, those on test tasks, none, or at most so many of each run: experience first, then test, selection, others."""

DEFAULT_CHOICE = 20_000


def parse_choice(text: str) -> EpisodeChoice:
    """A choice as it is typed.

    Raises:
        ConfigError: it is none.
    """
    match text:
        case "all" | "test" | "none":
            return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise ConfigError(f"--episodes takes all, test, none or a number, not {text!r}")


def choose(result: Result, choice: EpisodeChoice) -> list[str]:
    """Keys of the episodes to show of a run, most telling first: each once, though several pools may share it."""
    purposes: tuple[Purpose, ...] = ("test",) if choice == "test" else ("experience", "test", "selection", "audit")
    keys = list(dict.fromkeys(key for purpose in purposes for key in _keys(result, purpose)))
    match choice:
        case "none":
            return []
        case int():
            return keys[:choice]
    return keys


def omission(result: Result, choice: EpisodeChoice, shown: int) -> str:
    """One line on how many of a run's episodes are shown, and why not all of them."""
    played, wanted = len(choose(result, "all")), len(choose(result, choice))
    line = f"{shown:,} of {played:,} episodes of finished loops are in this page"
    if wanted < played:
        line += f" (--episodes {choice})"
    if shown < wanted:
        line += f"; the journal lacks {wanted - shown:,}"
    return line + "."


def _keys(result: Result, purpose: Purpose) -> Iterator[str]:
    """By loop index, so that a bound cuts whole loops and treats families alike."""
    loops = [loop for family in result.families for loop in family.loops]
    for loop in sorted(loops, key=lambda loop: loop.index):
        yield from keys_for(loop, purpose)

"""Selection of the episodes that go into a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ictbench.errors import ConfigError
from ictbench.protocol import keys_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.protocol.loop_result import Purpose
    from ictbench.results.schema import Result

EpisodeChoice = Literal["all", "test", "none"] | int
"""All, those on test tasks, none, or a maximum per run: experience first, then test, selection, audit, online."""

DEFAULT_CHOICE = 20_000


def parse_choice(text: str) -> EpisodeChoice:
    """Parse the value of `--episodes`.

    Raises:
        ConfigError: The text is not a choice.
    """
    match text:
        case "all" | "test" | "none":
            return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise ConfigError(f"--episodes takes all, test, none or a number, not {text!r}")


def select_episodes(result: Result, choice: EpisodeChoice) -> list[str]:
    """Return the keys of the episodes to show of a run, each once even where several pools share an episode."""
    purposes: tuple[Purpose, ...] = (
        ("test",) if choice == "test" else ("experience", "test", "selection", "audit", "online")
    )
    keys = list(dict.fromkeys(key for purpose in purposes for key in _keys(result, purpose)))
    match choice:
        case "none":
            return []
        case int():
            return keys[:choice]
    return keys


def omission_note(result: Result, choice: EpisodeChoice, stored: int) -> str:
    """Return one line that says how many of a run's episodes the page holds, and why not all of them."""
    total, selected = len(select_episodes(result, "all")), len(select_episodes(result, choice))
    line = f"This page holds {stored:,} of {total:,} episodes of finished loops"
    if selected < total:
        line += f" (--episodes {choice})"
    if stored < selected:
        line += f"; {selected - stored:,} are missing from the journal"
    return line + "."


def _keys(result: Result, purpose: Purpose) -> Iterator[str]:
    """Yield episode keys by loop index, so that a maximum omits whole loops and treats families alike."""
    loops = [loop for family in result.families for loop in family.loops]
    for loop in sorted(loops, key=lambda loop: loop.index):
        yield from keys_for(loop, purpose)

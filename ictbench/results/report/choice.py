"""Which episodes go into a report, and what is said about those that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Pool
    from ictbench.results.schema import LoopResult, Result

EpisodeChoice = Literal["all", "test", "none"] | int
"""All, those on test tasks, none, or at most so many of each run: experience first, then test, then selection."""

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
    pools: tuple[Pool, ...] = ("test",) if choice == "test" else ("experience", "test", "selection")
    keys = list(dict.fromkeys(key for pool in pools for key in _keys(result, pool)))
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


def _keys(result: Result, pool: Pool) -> Iterator[str]:
    """By loop index, so that a bound cuts whole loops and treats families alike."""
    loops = [loop for family in result.families for loop in family.loops]
    for loop in sorted(loops, key=lambda loop: loop.index):
        yield from (f"{task}@{digest}" for task, digest in _played(loop, pool))


def _played(loop: LoopResult, pool: Pool) -> Iterator[tuple[str, str]]:
    """Task id and prompt digest."""
    digests = [prompt.digest for prompt in loop.prompts]
    match pool:
        case "experience":
            for batch, digest in zip(loop.batches, digests, strict=False):
                yield from ((task, digest) for task in batch.tasks)
        case "selection":
            yield from ((task, digest) for digest in digests for task in loop.selection_tasks)
        case "test":
            yield from ((task, digests[index]) for index in loop.test for task in loop.test_tasks)

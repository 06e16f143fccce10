"""Trajectories as events: only what changed, in words and few symbols, for reflectors with a small context.

Told are the symbols that are in sight at the start, what the player came to stand on, lines of prose that were not
there before, and what ended the episode. A line is told once: of an episode that was solved, all of its own; of others,
what no episode before them told. Actions that brought about nothing new are left out. Text without a map, as of
ALFWorld's, is told by its new lines.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

from ictbench.records import EnvEnd
from ictbench.reflectors.trajectory_text import describe_end
from ictbench.rules_text.screen import count_symbols, entered_symbol, prose_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.records import Step, Trajectory

COMMON = 4
"""A symbol that a map shows more often than this is its floor or its walls, and not told."""

_DIGIT = re.compile(r"\d")


def format_events(trajectories: Sequence[Trajectory], player: str | None) -> str:
    """All of a batch, numbered from 1; last the symbols that were met, the commonest first.

    `player` is the symbol of the player on a map.
    """
    told: set[str] = set()
    parts = []
    for number, trajectory in enumerate(trajectories, start=1):
        # How a task was solved is told as a whole.
        parts.append(f"Episode {number}:\n{events_of(trajectory, player, set() if trajectory.solved else told)}")
    met = Counter(symbol for trajectory in trajectories for symbol in _met(trajectory, player))
    if met:
        parts.append(f"Symbols: {_quoted(symbol for symbol, _ in met.most_common())}")
    return "\n".join(parts)


def events_of(trajectory: Trajectory, player: str | None, told: set[str]) -> str:
    """One episode, an event a line. Lines of prose in `told` are left out, and new ones added to it."""
    texts = [*(step.observation for step in trajectory.steps), trajectory.last_observation]
    lines = list(_start(texts[0], player, told))
    stood: set[str] = set()
    # What the environment ended the episode for is its last action's doing, even if nothing new is to be seen.
    decisive = trajectory.steps[-1] if trajectory.steps and trajectory.end in get_args(EnvEnd) else None
    for step, before, after in zip(trajectory.steps, texts, texts[1:], strict=False):
        news = list(_news(before, after, player, told, stood)) if step.executed is not None else []
        if step is decisive:
            ending = describe_end(trajectory)
            news.append(f"{ending[0].upper()}{ending[1:]}.")
        if news:
            lines.append(f"{_named(step)}: {' '.join(news)}")
    if decisive is None:
        lines.append(f"In the end {describe_end(trajectory)}.")
    return "\n".join(lines)


def _start(text: str, player: str | None, told: set[str]) -> Iterator[str]:
    """What is in sight at the start."""
    if lines := _untold(prose_lines(text), told):
        yield " ".join(lines)
    if player and (symbols := _symbols(text, player)):
        yield f"In sight: {_quoted(symbols)}"


def _news(before: str, after: str, player: str | None, told: set[str], stood: set[str]) -> Iterator[str]:
    """What one action brought about, as far as it was not told before; `stood` are the symbols that were stood on."""
    symbol = _came_onto(before, after, player)
    if symbol and symbol not in stood:
        stood.add(symbol)
        yield f"came onto {_quoted(symbol)}"
    was = prose_lines(before)
    yield from _untold([line for line in prose_lines(after) if line not in was], told)


def _came_onto(before: str, after: str, player: str | None) -> str | None:
    """The symbol that the player came to stand on, unless it is floor."""
    symbol = entered_symbol(before, after, player) if player else None
    return symbol if symbol in _symbols(before, player) else None


def _met(trajectory: Trajectory, player: str | None) -> list[str]:
    """The symbols that were in sight at the start of an episode, or that the player came to stand on; each once."""
    if player is None:
        return []
    texts = [*(step.observation for step in trajectory.steps), trajectory.last_observation]
    onto = (_came_onto(before, after, player) for before, after in pairwise(texts))
    return list(dict.fromkeys([*_symbols(texts[0], player), *filter(None, onto)]))


def _untold(lines: Sequence[str], told: set[str]) -> list[str]:
    """The lines that were not told yet, and say more than a table of numbers, as a status line is."""
    fresh = [line for line in lines if line not in told and not _is_table(line)]
    told.update(fresh)
    return fresh


def _is_table(line: str) -> bool:
    """Whether most of its words have digits in them."""
    return 2 * sum(bool(_DIGIT.search(word)) for word in line.split()) > len(line.split())


def _symbols(text: str, player: str | None) -> list[str]:
    """What stands on the map, rarest first: neither the player, nor floor and walls."""
    counts = count_symbols(text)
    counted = sorted((count, symbol) for symbol, count in counts.items() if symbol != player and count <= COMMON)
    return [symbol for _, symbol in counted]


def _quoted(symbols: Iterable[str]) -> str:
    """As rules name them."""
    return " ".join(f'"{symbol}"' for symbol in symbols)


def _named(step: Step) -> str:
    return step.executed or f"{step.proposed or 'no action'} (invalid)"

"""Trajectories as short lists of events, for models with a small context.

An event is the symbols in sight at the start, a symbol that the player came to stand on, a new line of prose, or what
ended the episode. A line of prose appears once: a solved episode keeps all of its lines, other episodes only those
that no earlier episode showed. Actions without a new event are left out. Text without a map, as in ALFWorld, consists
of its new lines.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

from ictbench.records import EnvEnd
from ictbench.reflectors.trajectory_text import describe_end
from ictbench.reflectors.unlabelled_trajectory import UnlabelledTrajectory
from ictbench.rules_text.screen import count_symbols, entered_symbol, prose_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.records import Step, Trajectory

MAX_COUNT = 4
"""A symbol that a map shows more often is taken for floor or walls and left out."""

_DIGIT = re.compile(r"\d")


def format_events(trajectories: Sequence[Trajectory], player: str | None) -> str:
    """Return the events of a batch: episodes numbered from 1, then all symbols met, the most frequent first.

    Args:
        trajectories: The batch.
        player: Symbol of the player on a map; None for text without a map.
    """
    shown: set[str] = set()
    parts = []
    for number, trajectory in enumerate(trajectories, start=1):
        # A solved episode keeps all of its lines, so that it can be understood by itself.
        events = format_episode_events(trajectory, player, set() if trajectory.solved else shown)
        parts.append(f"Episode {number}:\n{events}")
    symbols = Counter(symbol for trajectory in trajectories for symbol in symbols_met(trajectory, player))
    if symbols:
        parts.append(f"Symbols: {quoted(symbol for symbol, _ in symbols.most_common())}")
    return "\n".join(parts)


def format_episode_events(trajectory: Trajectory, player: str | None, shown: set[str]) -> str:
    """Return the events of one episode, one action a line.

    Args:
        trajectory: The episode.
        player: Symbol of the player on a map; None for text without a map.
        shown: Lines of prose to leave out; the lines of this episode are added.
    """
    texts = texts_of(trajectory)
    lines = list(_start_events(texts[0], player, shown))
    visited: set[str] = set()
    # The environment ended the episode in response to the last action, even if the screen shows no change.
    ending_step = trajectory.steps[-1] if trajectory.steps and trajectory.end in get_args(EnvEnd) else None
    for step, before, after in zip(trajectory.steps, texts, texts[1:], strict=False):
        events = list(_step_events(before, after, player, shown, visited)) if step.executed is not None else []
        if step is ending_step:
            ending = describe_end(trajectory)
            events.append(f"{ending[0].upper()}{ending[1:]}.")
        if events:
            lines.append(f"{_action_name(step)}: {' '.join(events)}")
    if ending_step is None and not isinstance(trajectory, UnlabelledTrajectory):
        lines.append(f"In the end {describe_end(trajectory)}.")
    return "\n".join(lines)


def texts_of(trajectory: Trajectory) -> list[str]:
    """Return the observations of an episode, the last one included."""
    return [*(step.observation for step in trajectory.steps), trajectory.last_observation]


def _start_events(text: str, player: str | None, shown: set[str]) -> Iterator[str]:
    if lines := new_lines(prose_lines(text), shown):
        yield " ".join(lines)
    if player and (symbols := _symbols(text, player)):
        yield f"In sight: {quoted(symbols)}"


def _step_events(before: str, after: str, player: str | None, shown: set[str], visited: set[str]) -> Iterator[str]:
    """Yield what one action changed; `visited` holds the symbols that the player has stood on."""
    symbol = entered_symbol_of(before, after, player)
    if symbol and symbol not in visited:
        visited.add(symbol)
        yield f"came onto {quoted(symbol)}"
    prose_before = prose_lines(before)
    yield from new_lines([line for line in prose_lines(after) if line not in prose_before], shown)


def entered_symbol_of(before: str, after: str, player: str | None) -> str | None:
    """Return the symbol that the player came to stand on, unless it is floor."""
    symbol = entered_symbol(before, after, player) if player else None
    return symbol if symbol in _symbols(before, player) else None


def symbols_met(trajectory: Trajectory, player: str | None) -> list[str]:
    """Return the symbols in sight at the start and those that the player came to stand on, each once."""
    if player is None:
        return []
    texts = texts_of(trajectory)
    entered = (entered_symbol_of(before, after, player) for before, after in pairwise(texts))
    return list(dict.fromkeys([*_symbols(texts[0], player), *filter(None, entered)]))


def new_lines(lines: Sequence[str], shown: set[str]) -> list[str]:
    """Return the lines that were not shown before and add them to `shown`; tables such as a status line are dropped."""
    new = [line for line in lines if line not in shown and not _is_table(line)]
    shown.update(new)
    return new


def _is_table(line: str) -> bool:
    """Return whether most words of a line contain digits."""
    return 2 * sum(bool(_DIGIT.search(word)) for word in line.split()) > len(line.split())


def _symbols(text: str, player: str | None) -> list[str]:
    """Return the symbols of a map, the rarest first, without the player, floor and walls."""
    counts = sorted(
        (count, symbol) for symbol, count in count_symbols(text).items() if symbol != player and count <= MAX_COUNT
    )
    return [symbol for _, symbol in counts]


def quoted(symbols: Iterable[str]) -> str:
    """Return symbols in quotation marks, as rules write them."""
    return " ".join(f'"{symbol}"' for symbol in symbols)


def _action_name(step: Step) -> str:
    return step.executed or f"{step.proposed or 'no action'} (invalid)"

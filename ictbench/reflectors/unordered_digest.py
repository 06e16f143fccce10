"""Trajectories as a list of actions in an order that does not depend on time, with the outcomes apart from it.

In the digest of `event_digest`, a solved episode ends with the action that solved it, so a reader finds that action
without reading the outcome. This digest has one line per kind of action that a batch offered, chosen or not, with the
episodes in which it was chosen and the new lines of prose that followed it. The outcomes are separate lines, and the
order of everything else is a hash of its content.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from ictbench.records import digest_of
from ictbench.reflectors.event_digest import entered_symbol_of, new_lines, quoted, symbols_met, texts_of
from ictbench.reflectors.trajectory_text import describe_end
from ictbench.reflectors.unlabelled_trajectory import UnlabelledTrajectory
from ictbench.rules_text.rules import action_kind
from ictbench.rules_text.screen import prose_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ictbench.records import Trajectory

INVALID = "an invalid action"
START = "At the start"

Episodes = tuple[int, ...]
"""Numbers of episodes, from 1."""


def format_unordered(trajectories: Sequence[Trajectory], player: str | None) -> str:
    """Return the digest of a batch: what it shows at the start, its actions, its outcomes, its symbols.

    Args:
        trajectories: The batch.
        player: Symbol of the player on a map; None for text without a map.
    """
    if not trajectories:
        return ""
    starts: dict[str, set[int]] = defaultdict(set)
    chosen: dict[str, set[int]] = {
        action_kind(action): set() for one in trajectories for step in one.steps for action in step.actions
    }
    followed: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, trajectory in enumerate(trajectories, start=1):
        texts = texts_of(trajectory)
        for line in new_lines(prose_lines(texts[0]), set()):
            starts[line].add(number)
        for step, (before, after) in zip(trajectory.steps, pairwise(texts), strict=True):
            kind = INVALID if step.executed is None else action_kind(step.executed)
            chosen.setdefault(kind, set()).add(number)
            for event in _events(before, after, player) if step.executed is not None else ():
                followed[kind][event].add(number)
    every = tuple(range(1, len(trajectories) + 1))
    lines = [f"{START}: {_texts(starts, every)}"] if starts else []
    actions = {_action_line(kind, episodes, followed[kind]) for kind, episodes in chosen.items()}
    lines += _shuffled(actions)
    lines += [
        f"Episode {number}: {describe_end(one)}."
        for number, one in enumerate(trajectories, start=1)
        if not isinstance(one, UnlabelledTrajectory)
    ]
    if symbols := {symbol for trajectory in trajectories for symbol in symbols_met(trajectory, player)}:
        lines.append(f"Symbols: {quoted(_shuffled(symbols))}")
    return "\n".join(lines)


def _events(before: str, after: str, player: str | None) -> Iterable[str]:
    """Yield the symbol that the player came onto, and the lines of prose that were not there before."""
    if symbol := entered_symbol_of(before, after, player):
        yield f"came onto {quoted([symbol])}"
    there = prose_lines(before)
    yield from new_lines([line for line in prose_lines(after) if line not in there], set())


def _action_line(kind: str, episodes: Collection[int], followed: dict[str, set[int]]) -> str:
    if not episodes:
        return f"{kind} (never)"
    numbers = tuple(sorted(episodes))
    return f"{kind} {_numbers(numbers)}" + (f": {_texts(followed, numbers)}" if followed else "")


def _texts(texts: dict[str, set[int]], usual: Episodes) -> str:
    """Return texts, each with its episodes unless these are the usual ones."""
    shown = {text: tuple(sorted(episodes)) for text, episodes in texts.items()}
    return " ".join(
        text if shown[text] == usual else f"{text} {_numbers(shown[text])}" for text in _shuffled(shown.keys())
    )


def _numbers(episodes: Episodes) -> str:
    return f"({' '.join(map(str, episodes))})"


def _shuffled(texts: Collection[str]) -> list[str]:
    """Return texts in an order that only the set of texts decides."""
    everything = sorted(texts)
    return sorted(everything, key=lambda text: digest_of([everything, text]))

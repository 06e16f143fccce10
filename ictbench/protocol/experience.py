"""The experience of a loop: which tasks are played in which turn."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from ictbench.records import Task
    from ictbench.reflectors import Experience
    from ictbench.suites import Sizes, Suite

Batches = tuple[tuple["Task", ...], ...]


def batches_of(suite: Suite, family: str, loop: int, sizes: Sizes, experience: Experience) -> Batches:
    """A batch a turn, in the order that the protocol fixes, which begins alike for every arm.

    Raises:
        PoolTooSmallError: the family has too few tasks.
    """
    turns, size = sizes.turns, sizes.batch_size
    match experience:
        case "retried":
            return (tuple(suite.experience_order(family, loop, size)),) * turns
        case "halved":
            # Of batches of 3, one and two by turns: half of all, as near as each turn can come to it.
            ends = [turn * size // 2 for turn in range(turns + 1)]
        case "fresh" | "foreign":
            ends = [turn * size for turn in range(turns + 1)]
    met = another_family(suite, family) if experience == "foreign" else family
    order = suite.experience_order(met, loop, ends[-1])
    return tuple(tuple(order[start:end]) for start, end in pairwise(ends))


def another_family(suite: Suite, family: str) -> str:
    """The next family of the suite; after the last comes the first.

    Raises:
        ConfigError: there is no other.
    """
    names = list(suite.families)
    if len(names) < 2:
        raise ConfigError(f"suite {suite.name} has one family only, so there are no episodes of another")
    return names[(names.index(family) + 1) % len(names)]


def check_experience(experience: Experience, sizes: Sizes, label: str, *, audit: bool) -> None:
    """Refuse sizes that a reflector's experience cannot be played in.

    Raises:
        ConfigError: they do not fit.
    """
    if experience == "halved" and sizes.batch_size < 2:
        raise ConfigError(f"reflector {label} plays half of each batch itself: it needs a batch size of 2 or more")
    if audit and sizes.turns < 2:
        raise ConfigError("an audit compares each turn with the next: it needs at least 2 turns, and there is 1")
    if audit and experience != "fresh":
        raise ConfigError(
            f"an audit compares each batch with the next, fresh one; the experience of {label} is {experience}"
        )

"""Experience batches of a loop: the tasks of each turn, by kind of experience."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from ictbench.records import Task
    from ictbench.reflectors.reflector import Experience
    from ictbench.suites import Sizes, Suite

Batches = tuple[tuple["Task", ...], ...]

STREAMED: tuple[Experience, ...] = ("fresh", "halved", "foreign")
"""Kinds of experience that keep the order of a stream; foreign experience is that of another stream."""


def batches_of(suite: Suite, family: str, loop: int, sizes: Sizes, experience: Experience) -> Batches:
    """Return one batch of tasks per turn, in the order that the protocol fixes for every arm.

    An optimiser, whose experience is `pooled`, may play them in any order and again.

    Raises:
        PoolTooSmallError: The family has too few tasks.
        ConfigError: The experience is that of another family, and there is none, or it does not fit a stream.
    """
    check_stream(suite, family, experience, "the reflector")
    turns, size = sizes.turns, sizes.batch_size
    match experience:
        case "retried":
            return (tuple(suite.experience_order(family, loop, size)),) * turns
        case "halved":
            # Half of all tasks: with batches of 3, turns get 1 and 2 tasks alternately.
            ends = [turn * size // 2 for turn in range(turns + 1)]
        case "fresh" | "foreign" | "pooled":
            ends = [turn * size for turn in range(turns + 1)]
    source = next_family(suite, family) if experience == "foreign" else family
    order = suite.experience_order(source, loop, ends[-1])
    return tuple(tuple(order[start:end]) for start, end in pairwise(ends))


def next_family(suite: Suite, family: str) -> str:
    """Return the family after `family` in the suite's order; the first follows the last.

    After a stream, it is the next one with the same order whose families are others.

    Raises:
        ConfigError: The suite has none.
    """
    names = list(suite.families)
    start = names.index(family) + 1
    stream = suite.families[family].stream
    for name in (*names[start:], *names[: start - 1]):
        other = suite.families[name].stream
        if stream is None and other is None:
            return name
        if stream and other and other.order == stream.order and not {*other.families} & {*stream.families}:
            return name
    if stream:
        raise ConfigError(
            f"suite {suite.name} has no other {stream.order} stream with other families than {family!r}; experience of "
            "another stream needs one"
        )
    raise ConfigError(
        f"suite {suite.name} has only the family {family!r}; experience of another family needs at least two"
    )


def measured_as_stream(suite: Suite, family: str, experience: Experience) -> tuple[bool, bool]:
    """Return whether the measures of a stream require a test of every prompt, and the online measures.

    Forgetting needs success on each family under every prompt, and regret the experience under the best one. Foreign
    experience has no regret.
    """
    streamed = suite.families[family].stream is not None
    return streamed, streamed and experience in STREAMED and experience != "foreign"


def check_stream(suite: Suite, family: str, experience: Experience, reflector: str) -> None:
    """Check that a kind of experience keeps the order of a family that is a stream.

    Raises:
        ConfigError: It does not.
    """
    if suite.families[family].stream is None or experience in STREAMED:
        return
    if experience == "pooled":
        reason = f"{reflector} is an optimiser, which plays its tasks in an order of its own"
    else:
        reason = f"the experience of {reflector} is {experience}"
    raise ConfigError(
        f"{reason}, and {family!r} is a stream, whose order is part of the task; only experience of the kinds "
        f"{', '.join(STREAMED)} keeps it: choose another reflector, or a suite without streams"
    )


def check_experience(
    experience: Experience, sizes: Sizes, reflector: str, *, audit: bool, online: bool = False
) -> None:
    """Check that the sizes, the audit and the online measures fit a reflector's kind of experience.

    Raises:
        ConfigError: They do not fit.
    """
    if experience == "halved" and sizes.batch_size < 2:
        raise ConfigError(
            f"reflector {reflector} plays half of each batch itself and needs a batch size of at least 2, "
            f"not {sizes.batch_size}"
        )
    if online and experience == "foreign":
        raise ConfigError(
            f"online measures are of the run's own families, and reflector {reflector} learns from another family; "
            "omit --online"
        )
    if online and experience == "pooled":
        raise ConfigError(
            f"online measures are of batches that every arm plays, and reflector {reflector} chooses its episodes "
            "itself; omit --online"
        )
    if audit and sizes.turns < 2:
        raise ConfigError(
            f"an audit compares each turn with the next and needs at least 2 turns, not {sizes.turns}; "
            "raise --turns or omit --audit"
        )
    if audit and experience != "fresh":
        raise ConfigError(
            f"an audit compares each batch with a fresh one, and the experience of reflector {reflector} is "
            f"{experience}; omit --audit"
        )

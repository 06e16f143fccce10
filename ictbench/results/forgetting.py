"""Measures of streams: what a loop forgets of a family while it meets others, and what others teach it about a family.

A stream mixes tasks of several families, and every prompt is tested on all of them. A pause of a family is a run of
turns without a task of it, after its first. Per loop:

- Forgetting: success on a family under the prompt before a pause minus that under the prompt after it, mean over the
  pauses and then over the families that have one. In a blocked stream, a family has one pause, from its last task to
  the end of the stream, and the last family has none; this is the backward transfer of Lopez-Paz and Ranzato (2017)
  with the opposite sign. The maximum over earlier prompts, which others subtract from, would be too high by chance.
- Forward transfer: success on a family under the last prompt before its first task minus that under prompt[0], mean
  over the families that the first turn does not have.

All differences are between success rates on the same test tasks.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from ictbench.results.intervals import DIGITS, Changes, Sample, mean_interval
from ictbench.results.outcomes import task_rates
from ictbench.results.samples import SHARE_BOUNDS, rates_by_loop
from ictbench.results.schema import StreamFamily, StreamMeasures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.results.schema import Interval
    from ictbench.results.standard_errors import Floats

    Change = Callable[["Course"], Floats | None]

DIFFERENCE_BOUNDS = (-1.0, 1.0)


class Course:
    """Success of one loop on the test tasks of one family, by prompt, and the turns that have tasks of the family."""

    def __init__(self, loop: LoopResult, family: str) -> None:
        """Read the outcomes of a loop whose prompts are all tested."""
        mine = [index for index, name in enumerate(loop.test_families) if name == family]
        outcomes = (loop.test[index] for index in range(loop.last + 1))
        self.rates = task_rates(outcomes, len(loop.test_tasks))[:, mine]
        """Prompts × tasks."""
        self.turns = [turn for turn, batch in enumerate(loop.batches, 1) if family in batch.families]

    @property
    def first(self) -> int | None:
        """First turn with a task of the family."""
        return self.turns[0] if self.turns else None

    @property
    def after(self) -> int | None:
        """Index of the prompt that the last turn with a task of the family produced."""
        return self.turns[-1] if self.turns else None

    def pauses(self) -> Iterator[tuple[int, int]]:
        """Yield the indices of the prompts before and after each pause."""
        later = [turn for turn in range((self.first or len(self.rates)) + 1, len(self.rates)) if turn not in self.turns]
        # Consecutive turns differ from their position in the list by the same number.
        for _, run in groupby(enumerate(later), lambda place: place[1] - place[0]):
            pause = [turn for _, turn in run]
            yield pause[0] - 1, pause[-1]


def forgotten(course: Course) -> Floats | None:
    """Return the mean loss over the pauses, by task; None without a pause."""
    losses = [course.rates[before] - course.rates[after] for before, after in course.pauses()]
    return np.asarray(np.mean(losses, axis=0)) if losses else None


def transferred(course: Course) -> Floats | None:
    """Return the gain before the first task of the family, by task; None if the first turn has one, or none has."""
    return course.rates[course.first - 1] - course.rates[0] if course.first and course.first > 1 else None


def stream_measures(streams: Sequence[Sequence[LoopResult]], *, constant: bool = False) -> StreamMeasures | None:
    """Return the measures of one stream, or their means over several; None unless all loops are those of streams.

    Args:
        streams: Finished loops by stream.
        constant: Whether the reflector keeps prompt[0] by design.
    """
    if not all(is_measured(loop) for loops in streams for loop in loops):
        return None
    one = streams[0] if len(streams) == 1 else ()
    names = list(dict.fromkeys(one[0].test_families)) if one else []
    return StreamMeasures(
        forgetting=_mean(streams, forgotten, constant),
        forward_transfer=_mean(streams, transferred, constant),
        families={name: _family(one, name, constant) for name in names},
        curves=_curves(one) if one else (),
    )


def is_measured(loop: LoopResult) -> bool:
    """Return whether a loop is one of a stream, with a test of every prompt."""
    return bool(loop.test_families) and len(loop.test) == loop.last + 1


def stream_rates(loop: LoopResult) -> tuple[float | None, float | None]:
    """Return forgetting and forward transfer of one loop; None where no family has a value."""
    values = (_of_loop(loop, change) for change in (forgotten, transferred))
    forgetting, transfer = (None if value is None else float(value.mean()) for value in values)
    return forgetting, transfer


def _mean(streams: Sequence[Sequence[LoopResult]], change: Change, constant: bool) -> Interval | None:
    """Return the mean change over the streams that have one."""
    samples = [_sample([_of_loop(loop, change) for loop in loops], constant) for loops in streams]
    known = [sample for sample in samples if sample]
    return mean_interval(known) if known else None


def change_sample(values: Floats, *, constant: bool = False) -> Sample:
    """Return the sample of changes on the same tasks, loops × tasks; leading axes hold independent samples.

    A loop in which no outcome changes counts as one that keeps its prompt: it does not show how much others change. If
    no loop shows a change, any is possible, unless the prompt is constant by design.
    """
    possible = 0.0 if constant else 1.0
    unchanged = np.asarray((values == 0).all(axis=-1))
    return Sample(values, DIFFERENCE_BOUNDS, (Changes(values.mean(axis=-1), unchanged, -possible, possible),))


def _sample(values: Sequence[Floats | None], constant: bool) -> Sample | None:
    """Return the sample of the loops that have a change; None if no loop has one."""
    known = [one for one in values if one is not None]
    return change_sample(np.array(known), constant=constant) if known else None


def _of_loop(loop: LoopResult, change: Change) -> Floats | None:
    """Return the changes of all families that have one, by task."""
    found = [change(Course(loop, name)) for name in dict.fromkeys(loop.test_families)]
    known = [one for one in found if one is not None]
    return np.concatenate(known) if known else None


def _family(loops: Sequence[LoopResult], name: str, constant: bool) -> StreamFamily:
    """Return the measures of one family of a stream."""
    courses = [Course(loop, name) for loop in loops]
    met = [course for course in courses if course.after]

    def change(of: Change) -> Interval | None:
        sample = _sample([of(course) for course in courses], constant)
        return mean_interval([sample]) if sample else None

    return StreamFamily(
        base=mean_interval([Sample(np.array([course.rates[0] for course in courses]), SHARE_BOUNDS)]),
        after=mean_interval([rates_by_loop(np.array([course.rates[course.after or 0] for course in met]))])
        if met
        else None,
        last=mean_interval([rates_by_loop(np.array([course.rates[-1] for course in courses]))]),
        forgetting=change(forgotten),
        forward_transfer=change(transferred),
    )


def _curves(loops: Sequence[LoopResult]) -> tuple[tuple[float, ...], ...]:
    """Return the mean success by prompt on the family that a loop meets first, on that it meets second, and so on."""
    by_loop = []
    for loop in loops:
        met = dict.fromkeys(name for batch in loop.batches for name in batch.families)
        # Of a stream whose experience is foreign, no family is met.
        names = sorted(dict.fromkeys(loop.test_families), key=lambda name: [*met, name].index(name))
        by_loop.append([Course(loop, name).rates.mean(axis=-1) for name in names])
    return tuple(tuple(round(float(value), DIGITS) for value in curve) for curve in np.mean(by_loop, axis=0))

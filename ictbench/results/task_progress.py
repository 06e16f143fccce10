"""Progress on test tasks, where the environment measures it: the share of a task that is done at the end."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from ictbench.protocol import keys_for
from ictbench.results.intervals import mean_interval
from ictbench.results.outcomes import Levels, outcomes_by_prompt
from ictbench.results.samples import gain_sample, level_sample
from ictbench.results.schema import ProgressMeasures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.results.outcomes import Outcomes
    from ictbench.results.standard_errors import Floats


def with_progress(loop: LoopResult, progress_of_episode: Callable[[str], float | None]) -> LoopResult:
    """Return a finished loop with the progress of its test episodes; without, unless it is known for all of them.

    Args:
        loop: The loop.
        progress_of_episode: Returns the progress of the episode with a key; None if it is not known.
    """
    values = {index: [progress_of_episode(key) for key in keys_for(loop, "test", index)] for index in loop.test}
    if any(value is None for row in values.values() for value in row):
        values = {}
    return loop.model_copy(update={"progress": {index: tuple(row) for index, row in values.items()}})


def progress_measures(
    families: Sequence[Sequence[LoopResult]], *, shared: bool, constant: bool = False
) -> ProgressMeasures | None:
    """Return the progress in one family, or its mean over several; None unless all loops have it.

    Args:
        families: Finished loops by family.
        shared: Whether all loops of a family have the same tasks.
        constant: Whether the reflector keeps prompt[0] by design.
    """
    if not all(loop.progress for loops in families for loop in loops):
        return None
    values = [_by_prompt(loops, constant=constant) for loops in families]
    base = mean_interval([level_sample(family, "base") for family in values], shared=shared)
    return ProgressMeasures(
        base=base,
        best=mean_interval([level_sample(family, "best") for family in values], shared=shared),
        last=mean_interval([level_sample(family, "last") for family in values], shared=shared),
        gain=mean_interval([gain_sample(family, "best", base) for family in values], shared=shared),
    )


def progress_of(loop: LoopResult) -> Levels | None:
    """Return the mean progress of a loop on its test tasks; None if it is not known."""
    if not loop.progress:
        return None
    return Levels(*(fmean(loop.progress[index]) for index in (0, loop.best, loop.last)))


def _by_prompt(loops: Sequence[LoopResult], *, constant: bool) -> Outcomes:
    """Return the mean progress of each test task under prompt[0], the best and the last prompt."""

    def mean(loop: LoopResult, prompt: int) -> Floats:
        return np.asarray(np.array(loop.progress[prompt]).reshape(len(loop.test_tasks), -1).mean(axis=-1))

    values = {
        "base": np.array([mean(loop, 0) for loop in loops]),
        "best": np.array([mean(loop, loop.best) for loop in loops]),
        "last": np.array([mean(loop, loop.last) for loop in loops]),
    }
    return replace(outcomes_by_prompt(loops, constant=constant), values=values)

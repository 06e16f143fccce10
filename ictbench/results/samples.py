"""Samples for intervals: values of loops and tasks, with the changes by the prompts that loops found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ictbench.results.intervals import Changes, Sample

if TYPE_CHECKING:
    from ictbench.results.intervals import Bools
    from ictbench.results.outcomes import Outcomes
    from ictbench.results.schema import Interval
    from ictbench.results.standard_errors import Floats

SHARE_BOUNDS, GAIN_BOUNDS = (0.0, 1.0), (-1.0, 1.0)


def level_sample(family: Outcomes, prompt: str) -> Sample:
    """Return success, or progress, under prompt[0], the best or the last prompt: `base`, `best` or `last`."""
    if prompt == "base" or family.constant:
        return Sample(family[prompt], SHARE_BOUNDS)
    return Sample(family[prompt], SHARE_BOUNDS, (changes(family[prompt], family["base"], family.kept[prompt]),))


def gain_sample(family: Outcomes, prompt: str, base: Interval) -> Sample:
    """Return, by task, the value under the best or the last prompt minus that under prompt[0]."""
    weight = 0.0 if family.constant else 1.0
    change = changes(family[prompt], family["base"], family.kept[prompt], level=base, weight=weight)
    return Sample(family[prompt] - family["base"], GAIN_BOUNDS, (change,))


def changes(
    values: Floats, base: Floats, kept: Bools, *, level: Interval | None = None, weight: float = 1.0
) -> Changes:
    """Return the changes of success rates by later prompts.

    Args:
        values: Under later prompts, loops × tasks.
        base: Under prompt[0], on the same tasks.
        kept: Whether a loop kept prompt[0].
        level: Interval of the mean of `base`, for changes from the true mean; None for changes from the observed one.
        weight: Share of the values that later prompts determine.
    """
    low: Any
    high: Any
    low = high = base.mean(axis=(-2, -1))
    if level is not None and level.low is not None and level.high is not None:
        low, high = level.low, level.high
    return Changes((values - base).mean(axis=-1), kept, -weight * high, weight * (1 - low))


def rates_by_loop(values: Floats) -> Sample:
    """Return the sample of shares that differ between loops for any reason, loops × units."""
    return Sample(values, SHARE_BOUNDS, (Changes(values.mean(axis=-1), np.zeros(len(values), bool), *SHARE_BOUNDS),))

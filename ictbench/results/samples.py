"""Samples for intervals: values of loops and tasks, with the changes by the prompts that loops found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ictbench.results.intervals import Changes, Sample

if TYPE_CHECKING:
    from ictbench.results.intervals import Bools
    from ictbench.results.schema import Interval
    from ictbench.results.standard_errors import Floats

SHARE_BOUNDS = (0.0, 1.0)


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

"""Standard errors of a mean over families, with degrees of freedom for Student's t.

- Independent loops: the variance of the loops' means.
- Loops that share their games: loops and games are crossed random effects, with the variance of the analysis of
  variance and the degrees of freedom of Hillis (2007).
- Families are fixed and equally weighted; their variances are combined after Welch (1947) and Satterthwaite (1946).
- The squared standard error of a family has a lower bound in the manner of Agresti and Coull (1998), as if two more
  tasks had been observed, so that outcomes that happen to agree do not suggest certainty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class MeanError(NamedTuple):
    """Mean over families with its standard error; arrays if many samples are estimated at once."""

    value: Any
    error: Any
    freedom: Any
    """Degrees of freedom of the error, for Student's t."""


def mean_error(families: Sequence[Floats], *, shared: bool = False, scale: float = 1.0) -> MeanError:
    """Estimate the mean over families of the mean over their loops' tasks.

    Args:
        families: Values or paired differences of each family, loops × tasks, with at least two loops; leading axes hold
            independent samples.
        shared: Whether all loops of a family have the same tasks, in the same order.
        scale: Values lie from -scale to scale.
    """
    value = np.mean([family.mean(axis=(-2, -1)) for family in families], axis=0)
    errors = [(crossed_error if shared else independent_error)(family, scale) for family in families]
    variances = [(error / len(families) ** 2, freedom) for error, freedom in errors]
    total = sum(variance for variance, _ in variances)
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in variances)
    return MeanError(value, total**0.5, freedom)


def independent_error(family: Floats, scale: float) -> tuple[Any, Any]:
    """Return squared error and degrees of freedom of a family whose loops are independent."""
    loops, tasks = family.shape[-2:]
    variance = family.mean(axis=-1).var(axis=-1, ddof=1) / loops
    flat = family.reshape(*family.shape[:-2], loops * tasks)
    return np.maximum(variance, error_floor(flat, scale)), loops - 1.0


def crossed_error(family: Floats, scale: float) -> tuple[Any, Any]:
    """Return squared error and degrees of freedom of a family whose loops share their tasks.

    With mean squares of loops, tasks and their interaction, the variance is (MS_L + max(0, MS_T - MS_LT)) / LT, and
    its degrees of freedom are (MS_L + max(0, MS_T - MS_LT))² / (MS_L² / (L - 1)). If loops agree, the latter grow
    without bound although the tasks are few, so they are limited to the degrees of freedom of the tasks.
    """
    loops, tasks = family.shape[-2:]
    by_loop, by_task = family.mean(axis=-1), family.mean(axis=-2)
    floor = error_floor(by_task, scale)
    if tasks < 2:
        return floor, np.ones_like(floor)
    rest = family - by_loop[..., :, None] - by_task[..., None, :] + family.mean(axis=(-2, -1))[..., None, None]
    of_loops = tasks * by_loop.var(axis=-1, ddof=1)
    of_tasks = loops * by_task.var(axis=-1, ddof=1)
    of_rest = (rest**2).sum(axis=(-2, -1)) / ((loops - 1) * (tasks - 1))
    both = of_loops + np.maximum(0.0, of_tasks - of_rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(of_loops > 0, both**2 / (of_loops**2 / (loops - 1)), np.inf)
    return np.maximum(both / (loops * tasks), floor), np.minimum(freedom, tasks - 1.0)


def error_floor(values: Floats, scale: float) -> Any:
    """Return the smallest squared standard error of a mean of values from -scale to scale.

    It is that of a sample with two more values, whose squares add up to scale².
    """
    count = values.shape[-1] + 2
    mean_square = ((values**2).sum(axis=-1) + scale**2) / count
    return (mean_square - (values.sum(axis=-1) / count) ** 2) / count

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
    return MeanError(value, *combined_error(errors))


def combined_error(errors: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    """Return standard error and degrees of freedom of a mean over families, from their squared errors and freedoms."""
    variances = [(error / len(errors) ** 2, freedom) for error, freedom in errors]
    total = sum(variance for variance, _ in variances)
    return total**0.5, total**2 / sum(variance**2 / freedom for variance, freedom in variances)


def independent_error(family: Floats, scale: float) -> tuple[Any, Any]:
    """Return squared error and degrees of freedom of a family whose loops are independent."""
    loops, tasks = family.shape[-2:]
    variance = family.mean(axis=-1).var(axis=-1, ddof=1) / loops
    flat = family.reshape(*family.shape[:-2], loops * tasks)
    return np.maximum(variance, error_floor(flat, scale)), loops - 1.0


def crossed_error(family: Floats, scale: float) -> tuple[Any, Any]:
    """Return squared error and degrees of freedom of a family whose loops share their tasks."""
    loops, tasks = family.shape[-2:]
    by_loop, by_task = family.mean(axis=-1), family.mean(axis=-2)
    squares = (
        ((by_loop - by_loop.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1),
        ((by_task - by_task.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1),
        interaction(family),
    )
    return crossed_variance(*squares, error_floor(by_task, scale), loops, tasks)


def crossed_variance(of_loops: Any, of_tasks: Any, of_rest: Any, floor: Any, loops: int, tasks: int) -> tuple[Any, Any]:
    """Return squared error and degrees of freedom from sums of squares of loops' means, tasks' means and the rest.

    With mean squares of loops, tasks and their interaction, the variance is (MS_L + max(0, MS_T - MS_LT)) / LT, and
    its degrees of freedom are (MS_L + max(0, MS_T - MS_LT))² / (MS_L² / (L - 1)). If loops agree, the latter grow
    without bound although the tasks are few, so they are limited to the degrees of freedom of the tasks.

    Args:
        of_loops: Sum of squared deviations of the loops' means from their mean.
        of_tasks: That of the tasks' means.
        of_rest: Sum of squared interactions of loops and tasks.
        floor: Smallest squared error.
        loops: Number of loops, at least 2.
        tasks: Number of tasks.
    """
    if tasks < 2:
        return floor, np.ones_like(floor)
    loops_square = tasks * of_loops / (loops - 1)
    excess = loops * of_tasks / (tasks - 1) - of_rest / ((loops - 1) * (tasks - 1))
    both = loops_square + np.maximum(0.0, excess)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(loops_square > 0, both**2 / (loops_square**2 / (loops - 1)), np.inf)
    return np.maximum(both / (loops * tasks), floor), np.minimum(freedom, tasks - 1.0)


def interaction(family: Floats) -> Any:
    """Return the sum of squared interactions of loops and tasks."""
    by_loop, by_task = family.mean(axis=-1), family.mean(axis=-2)
    rest = family - by_loop[..., :, None] - by_task[..., None, :] + family.mean(axis=(-2, -1))[..., None, None]
    return (rest**2).sum(axis=(-2, -1))


def task_variance(family: Floats) -> Any:
    """Return the variance between tasks that all loops of a family share, without that of single episodes.

    It is estimated from the mean squares of tasks and of the interaction with loops, and is at least 0.
    """
    loops, tasks = family.shape[-2:]
    if tasks < 2:
        return np.zeros(family.shape[:-2])
    of_rest = interaction(family) / ((loops - 1) * (tasks - 1))
    return np.maximum(0.0, family.mean(axis=-2).var(axis=-1, ddof=1) - of_rest / loops)


def error_floor(values: Floats, scale: float) -> Any:
    """Return the smallest squared standard error of a mean of values from -scale to scale.

    It is that of a sample with two more values, whose squares add up to scale².
    """
    return floor_of_sums(values.sum(axis=-1), (values**2).sum(axis=-1), values.shape[-1], scale)


def floor_of_sums(total: Any, squares: Any, count: int, scale: float) -> Any:
    """Return `error_floor` from the sum of the values, the sum of their squares and their number."""
    mean, mean_square = total / (count + 2), (squares + scale**2) / (count + 2)
    return (mean_square - mean**2) / (count + 2)

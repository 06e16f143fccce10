"""Reliability of success where tasks are played several times: pass^k and the share of sampling noise.

- pass^k is the probability that k episodes of a task are all solved. C(c, k) / C(R, k) estimates it without bias from c
  of R episodes solved, as it is the share of solved subsets of k episodes (Yao et al. 2024, after Chen et al. 2021).
- Sampling noise is the component of variance between repeats of a task under one prompt, in a nested design: loops,
  tasks in loops, repeats. The analysis of variance estimates the components without bias (Searle, Casella and
  McCulloch 1992), also of outcomes that are 0 or 1 (Ridout, Demétrio and Firth 1999).
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np

from ictbench.results.intervals import Sample, mean_interval
from ictbench.results.outcomes import outcomes_by_prompt, repeated_outcomes_by_prompt
from ictbench.results.samples import SHARE_BOUNDS, changes
from ictbench.results.schema import Reliability, Repeated
from ictbench.results.standard_errors import task_variance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.protocol import LoopResult
    from ictbench.results.intervals import Bools
    from ictbench.results.standard_errors import Floats


def reliability(
    families: Sequence[Sequence[LoopResult]], *, shared: bool, constant: bool = False
) -> Reliability | None:
    """Return the reliability in one family, or its mean over several; None if every task is played once.

    Args:
        families: Finished loops by family.
        shared: Whether all loops of a family have the same tasks.
        constant: Whether the reflector keeps prompt[0] by design.
    """
    outcomes = [repeated_outcomes_by_prompt(loops) for loops in families]
    base = [family["base"] for family in outcomes]
    if base[0].shape[-1] == 1:
        return None
    best, last = ([family[name] for family in outcomes] for name in ("best", "last"))
    kept, before = [outcomes_by_prompt(loops).kept for loops in families], None if constant else base
    return Reliability(
        base=_repeated(base, None, (), shared),
        best=_repeated(best, before, [family["best"] for family in kept], shared),
        last=_repeated(last, before, [family["last"] for family in kept], shared),
    )


def pass_k(outcomes: Floats, k: int) -> Floats:
    """Return the estimate of pass^k of each task from its outcomes, which are on the last axis."""
    repeats = outcomes.shape[-1]
    estimates = np.array([comb(solved, k) / comb(repeats, k) for solved in range(repeats + 1)])
    return np.asarray(estimates[outcomes.sum(axis=-1).astype(int)])


def noise_share(families: Sequence[Floats], *, shared: bool) -> float | None:
    """Return the share of the variance of episodes within a family that lies between repeats of a task.

    Args:
        families: Outcomes under one prompt, loops × tasks × repeats.
        shared: Whether all loops of a family have the same tasks.

    Returns:
        A share; None if all episodes of a family ended alike, or a family has only one task.
    """
    if any(family[..., 0].size == 1 for family in families):
        return None
    noise = sum(float(family.var(axis=-1, ddof=1).mean()) for family in families)
    total = sum(_variance(family, shared) for family in families)
    return min(1.0, noise / total) if total > 0 else None


def _repeated(
    outcomes: Sequence[Floats], base: Sequence[Floats] | None, kept: Sequence[Bools], shared: bool
) -> Repeated:
    """Return the reliability under one prompt; `base` holds the outcomes under prompt[0], None if it is that prompt."""

    def sample(family: int, k: int) -> Sample:
        values = pass_k(outcomes[family], k)
        if base is None:
            return Sample(values, SHARE_BOUNDS)
        return Sample(values, SHARE_BOUNDS, (changes(values, pass_k(base[family], k), kept[family]),))

    return Repeated(
        pass_k=tuple(
            mean_interval([sample(family, k) for family in range(len(outcomes))], shared=shared)
            for k in range(1, outcomes[0].shape[-1] + 1)
        ),
        noise=noise_share(outcomes, shared=shared),
    )


def _variance(family: Floats, shared: bool) -> float:
    """Return the variance of the outcome of one episode, of a task and a loop drawn at random.

    An outcome that is 1 with probability p has the variance p(1 − p). With the mean m as an estimate of p,
    m(1 − m) + Var(m) is unbiased. It equals the sum of the components of the analysis of variance.
    """
    mean = float(family.mean())
    return mean * (1 - mean) + _variance_of_mean(family.mean(axis=-1), shared=shared)


def _variance_of_mean(values: Floats, *, shared: bool) -> float:
    """Return the variance of the mean of values, loops × tasks, of which at least one number is greater than 1."""
    loops, tasks = values.shape
    if loops == 1:
        return float(np.var(values, ddof=1) / tasks)
    of_loops = np.var(values.mean(axis=1), ddof=1) / loops
    return float(of_loops + task_variance(values) / tasks if shared else of_loops)

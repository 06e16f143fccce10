"""Coverage of intervals and bias of the estimates of a result with repeats, on simulated outcomes of known truth.

    python benchmarks/repeats_noise.py [--samples 2000]

Every loop has tasks of its own. Each task has its own probability of success p, from a beta distribution with mean 0.5:
narrow, so that nearly all variance is sampling noise; medium; and wide, so that tasks are nearly all solved always or
never. An episode is solved with probability p. Coverage is that of the interval of the success rate and of pass^R.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np

from ictbench.results.formatting import markdown_table
from ictbench.results.intervals import Sample, mean_interval
from ictbench.results.reliability import noise_share, pass_k

SIZES = ((3, 20), (10, 50))
"""Loops and tasks."""
REPEATS = (1, 2, 5)
SHAPES = {"narrow": 50.0, "medium": 1.0, "wide": 0.05}
"""Both parameters of the beta distribution."""
BOUNDS = (0.0, 1.0)
COLUMNS = (
    *("loops x tasks", "tasks' p", "R", "coverage of success", "width", "coverage of pass^R"),
    *("pass^R true", "estimated", "noise true", "estimated"),
)


def main() -> None:
    """Print one row per cell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2000)
    samples = parser.parse_args().samples
    rows = [cell(*each, samples) for each in itertools.product(SIZES, SHAPES, REPEATS)]
    print(markdown_table(COLUMNS, rows))


def cell(size: tuple[int, int], shape: str, repeats: int, samples: int) -> list[str]:
    """Simulate one cell and return its row."""
    rng = np.random.default_rng(1)
    a = SHAPES[shape]
    covered, widths, all_covered, all_solved, noise = [], [], [], [], []
    # Moments of the beta distribution.
    pass_r = float(np.prod([(a + i) / (2 * a + i) for i in range(repeats)]))
    true_noise = 1 - 1 / (2 * a + 1)
    for _ in range(samples):
        p = rng.beta(a, a, size)
        outcomes = (rng.random((*size, repeats)) < p[..., None]).astype(float)
        low, high = ends(outcomes.mean(axis=-1))
        covered.append(low <= 0.5 <= high)
        widths.append(high - low)
        solved = pass_k(outcomes, repeats)
        low, high = ends(solved)
        all_covered.append(low <= pass_r <= high)
        all_solved.append(solved.mean())
        if repeats > 1 and (share := noise_share([outcomes], shared=False)) is not None:
            noise.append(share)
    figures = [np.mean(covered), np.mean(widths), np.mean(all_covered), pass_r, np.mean(all_solved)]
    shares = [f"{true_noise:.3f}", f"{np.mean(noise):.3f}" if noise else ""]
    return [f"{size[0]} x {size[1]}", shape, str(repeats), *(f"{figure:.3f}" for figure in figures), *shares]


def ends(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of the interval of the mean of values, loops x tasks."""
    interval = mean_interval([Sample(values, BOUNDS)])
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


if __name__ == "__main__":
    main()

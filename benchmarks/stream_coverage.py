"""Coverage of the intervals of forgetting and forward transfer, on simulated streams whose truth is known.

    python benchmarks/stream_coverage.py [--samples 250] [--cells TEXT]

A stream has four families; each loop meets them in its own rotation. Some loops are steady: their success before and
after is equal, task by task. The others lose a share of what they had learned, uniform in a range, or gain a share of
what is missing; families differ in how much. Tasks are alike, or most of them are easy or hopeless. Each table has one
row per group of cells: the lowest coverage, the share of cells with a coverage below 93 %, and the mean width.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ictbench.results.forgetting import change_sample
from ictbench.results.formatting import markdown_table
from ictbench.results.intervals import mean_ends

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ictbench.results.intervals import Sample

    Floats = NDArray[np.float64]

FAMILIES = 4
LEAST_COVERAGE = 0.93
ROUNDING = 1e-9


@dataclass(frozen=True)
class Cell:
    """One cell of the simulation."""

    loops: int
    tasks: int
    """Test tasks of each family."""
    streams: int
    pauses: int
    """Pauses of a family: 1 in a blocked stream, more in others."""
    learned: float
    """Success on a family before a pause; in forward transfer, under prompt[0]."""
    change: tuple[float, float]
    """Range of the share that is lost; negative shares are gained of what is missing."""
    steady: float
    """Share of loops without any change."""
    differ: bool
    """Whether tasks differ."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The cell in words."""
        low, high = self.change
        return (
            f"{self.loops} x {self.tasks}",
            f"{self.streams} streams",
            f"{self.pauses} pauses",
            f"success {self.learned:g}",
            f"{low:g} to {high:g} lost",
            f"{self.steady:g} steady",
            "tasks differ" if self.differ else "tasks alike",
        )


CELLS = [
    Cell(loops, tasks, streams, pauses, learned, change, steady, differ)
    for (loops, tasks), streams, pauses, learned, change, steady, differ in itertools.product(
        ((4, 10), (8, 20)),
        (1, 3),
        (1, 3),
        (0.1, 0.5, 0.9),
        ((-0.3, 0.3), (0.0, 0.5), (0.9, 1.0), (-1.0, -0.7)),
        (0.0, 0.3, 0.5, 0.8),
        (False, True),
    )
]


def simulate(cell: Cell, samples: int, rng: np.random.Generator) -> tuple[list[Sample], float]:
    """Return samples of one measure, one per stream, and the true mean of all."""
    return [_stream(cell, samples, rng) for _ in range(cell.streams)], _truth(cell)


def _stream(cell: Cell, samples: int, rng: np.random.Generator) -> Sample:
    # The family that a loop meets last has no pause: three of four are left, and which they are depends on the loop.
    loops = np.arange(cell.loops)
    families = np.stack([(loops + place) % FAMILIES for place in range(FAMILIES - 1)], axis=-1)
    strength = (families + 1) / FAMILIES
    shape = (samples, cell.loops, FAMILIES - 1, cell.tasks)
    chance = rng.beta(2 * cell.learned, 2 * (1 - cell.learned), shape) if cell.differ else np.full(shape, cell.learned)
    steady = rng.random((samples, cell.loops, 1, 1)) < cell.steady
    values = np.zeros(shape)
    for _ in range(cell.pauses):
        share = rng.uniform(*cell.change, (samples, cell.loops, 1, 1)) * strength[:, :, None]
        before, after = (rng.random(shape) < one for one in (chance, _after(chance, share)))
        values += np.where(steady, 0.0, before.astype(float) - after)
    mean = (values / cell.pauses).reshape(samples, cell.loops, -1)
    return change_sample(mean)


def _after(chance: Floats, share: Floats) -> Floats:
    """Return success after a share of it is lost, or, if the share is negative, a share of what is missing gained."""
    return np.where(share > 0, chance * (1 - share), chance - share * (1 - chance))


def _truth(cell: Cell) -> float:
    """Return the mean over loops, in which each family is met last equally often."""
    share = np.linspace(*cell.change, 10001)[:, None] * (np.arange(FAMILIES) + 1) / FAMILIES
    chance = np.full_like(share, cell.learned)
    return (1 - cell.steady) * float(np.mean(chance - _after(chance, share)))


def main() -> None:
    """Run the simulation and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=250, help="samples per cell")
    parser.add_argument("--cells", default="", help="only cells whose description contains this text")
    arguments = parser.parse_args()
    start, found = time.monotonic(), dict[Cell, tuple[float, float]]()
    cells = [(seed, cell) for seed, cell in enumerate(CELLS) if arguments.cells in ", ".join(cell.columns)]
    if not cells:
        parser.error(f"no cell contains {arguments.cells!r}")
    for seed, cell in cells:
        samples, truth = simulate(cell, arguments.samples, np.random.default_rng(seed))
        _, low, high = mean_ends(samples)
        held = (low <= truth + ROUNDING) & (truth - ROUNDING <= high)
        found[cell] = float(np.mean(held)), float(np.mean(high - low))
    for column in range(len(CELLS[0].columns)):
        print(summary(found, lambda cell, column=column: cell.columns[column]), "\n")  # type: ignore[misc]
    worst = sorted(found, key=lambda cell: found[cell][0])[:5]
    print("Lowest:", *(f"{found[cell][0]:.3f} {', '.join(cell.columns)}" for cell in worst), sep="\n  ")
    print(f"{arguments.samples} samples in each of {len(cells)} cells, {time.monotonic() - start:.0f} s")


def summary(found: dict[Cell, tuple[float, float]], group: Callable[[Cell], str]) -> str:
    """Return a Markdown table with one row per group of cells."""
    groups: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for cell, values in found.items():
        groups[group(cell)].append(values)
    rows = [
        (
            name,
            f"{min(coverage for coverage, _ in values):.3f}",
            f"{np.mean([coverage < LEAST_COVERAGE for coverage, _ in values]):.1%}",
            f"{np.mean([width for _, width in values]):.2f}",
        )
        for name, values in groups.items()
    ]
    return markdown_table(("", "lowest coverage", "cells below 93 %", "mean width"), rows)


if __name__ == "__main__":
    main()

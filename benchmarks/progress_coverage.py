"""Coverage of the intervals of mean progress, on simulated runs whose truth is known.

    python benchmarks/progress_coverage.py [--samples 250] [--cells TEXT]

A task has parts that are done in an order, each with the chance of its task; the first that fails ends the episode.
Progress is the share of parts that are done. Some loops keep prompt[0]; in the others the chance rises by a share of
what is missing that differs from loop to loop. Each table has one row per group of cells and measure: the lowest
coverage, the share of cells with a coverage below 93 %, and the mean width.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ictbench.results.formatting import markdown_table
from ictbench.results.intervals import Sample, mean_ends
from ictbench.results.samples import GAIN_BOUNDS, SHARE_BOUNDS, changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_COVERAGE = 0.93
ROUNDING = 1e-9
MEASURES = ("base", "best", "gain")
DRAWS = 200_000
"""Simulated loops from which the truth is taken."""


@dataclass(frozen=True)
class Cell:
    """One cell of the simulation."""

    loops: int
    tasks: int
    parts: int
    chance: float
    """Mean chance of a part under prompt[0]."""
    learned: tuple[float, float]
    """Range of the share of what is missing by which the chance rises."""
    kept: float
    """Share of loops that keep prompt[0]."""
    differ: bool
    """Whether tasks differ."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The cell in words."""
        return (
            f"{self.loops} x {self.tasks}",
            f"{self.parts} {'part' if self.parts == 1 else 'parts'}",
            f"chance {self.chance:g}",
            f"{self.learned[0]:g} to {self.learned[1]:g} learned",
            f"{self.kept:g} kept",
            "tasks differ" if self.differ else "tasks alike",
        )


CELLS = [
    Cell(*sizes, parts, chance, learned, kept, differ)
    for sizes, parts, chance, learned, kept, differ in itertools.product(
        ((3, 20), (5, 20), (10, 50)),
        (1, 2, 3),
        (0.1, 0.5, 0.9),
        ((0.0, 0.5), (0.2, 1.0)),
        (0.0, 0.5, 0.8),
        (False, True),
    )
]


class Played(NamedTuple):
    """Progress of simulated runs, runs × loops × tasks, and which loops kept prompt[0]."""

    base: Floats
    best: Floats
    kept: NDArray[np.bool_]


def play(cell: Cell, runs: int, loops: int, tasks: int, rng: np.random.Generator) -> Played:
    """Return the progress of runs of so many loops and tasks."""
    shape = (runs, loops, tasks)
    spread = rng.beta(2 * cell.chance, 2 * (1 - cell.chance), shape) if cell.differ else np.full(shape, cell.chance)
    kept = rng.random((runs, loops)) < cell.kept
    learned = np.where(kept, 0.0, rng.uniform(*cell.learned, (runs, loops)))[..., None]
    base = _done(spread, cell.parts, rng)
    best = _done(spread + learned * (1 - spread), cell.parts, rng)
    # A prompt that is kept plays the same episodes.
    return Played(base, np.where(kept[..., None], base, best), kept)


def _done(chance: Floats, parts: int, rng: np.random.Generator) -> Floats:
    """Return the share of parts that are done before the first that fails."""
    done = rng.random((parts, *chance.shape)) < chance
    return np.asarray(np.logical_and.accumulate(done, axis=0).mean(axis=0))


def ends(played: Played) -> dict[str, tuple[Floats, Floats]]:
    """Return the ends of the intervals by measure, as `ictbench.results.task_progress` computes them."""
    base = mean_ends([Sample(played.base, SHARE_BOUNDS)])
    change = changes(played.best, played.base, played.kept)
    gain = changes(played.best, played.base, played.kept, level=base)  # type: ignore[arg-type]
    best = mean_ends([Sample(played.best, SHARE_BOUNDS, (change,))])
    gains = mean_ends([Sample(played.best - played.base, GAIN_BOUNDS, (gain,))])
    return {name: (one.low, one.high) for name, one in zip(MEASURES, (base, best, gains), strict=True)}


def truth(cell: Cell, rng: np.random.Generator) -> dict[str, float]:
    """Return the true means."""
    played = play(cell, DRAWS, 1, 1, rng)
    base, best = float(played.base.mean()), float(played.best.mean())
    return {"base": base, "best": best, "gain": best - base}


def main() -> None:
    """Run the simulation and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=250, help="samples per cell")
    parser.add_argument("--cells", default="", help="only cells whose description contains this text")
    arguments = parser.parse_args()
    start, found = time.monotonic(), dict[tuple[Cell, str], tuple[float, float]]()
    cells = [(seed, cell) for seed, cell in enumerate(CELLS) if arguments.cells in ", ".join(cell.columns)]
    if not cells:
        parser.error(f"no cell contains {arguments.cells!r}")
    for seed, cell in cells:
        rng = np.random.default_rng(seed)
        true = truth(cell, rng)
        for name, (low, high) in ends(play(cell, arguments.samples, cell.loops, cell.tasks, rng)).items():
            held = (low <= true[name] + ROUNDING) & (true[name] - ROUNDING <= high)
            found[cell, name] = float(np.mean(held)), float(np.mean(high - low))
    for column in range(len(CELLS[0].columns)):
        groups: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for (cell, name), values in found.items():
            groups[cell.columns[column], name].append(values)
        rows = [(group, name, *_summary(values)) for (group, name), values in groups.items()]
        print(markdown_table(("cells", "measure", "lowest coverage", "cells below 93 %", "mean width"), rows), "\n")
    worst = sorted(found, key=lambda key: found[key][0])[:5]
    print("Lowest:", *(f"{found[key][0]:.3f} {key[1]}, {', '.join(key[0].columns)}" for key in worst), sep="\n  ")
    print(f"{arguments.samples} samples in each of {len(cells)} cells, {time.monotonic() - start:.0f} s")


def _summary(values: list[tuple[float, float]]) -> tuple[str, str, str]:
    coverage, width = zip(*values, strict=True)
    below = sum(one < LEAST_COVERAGE for one in coverage)
    return f"{min(coverage):.3f}", f"{below / len(coverage):.1%}", f"{np.mean(width):.3f}"


if __name__ == "__main__":
    main()

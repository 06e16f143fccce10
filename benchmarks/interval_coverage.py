"""Coverage and width of 95 % intervals, by method, on simulated results whose truth is known.

    python benchmarks/interval_coverage.py [--quick] [--samples 1000] [--methods chosen,t] [--transfer] [--csv FILE]

The tables show three numbers by method and group: the lowest coverage of any measure in any cell, the share of cells
and measures with a coverage below 93 %, and the mean width relative to that of the method used before, over the cells
and measures that both cover. `--csv` writes coverage and mean width of every cell, measure and method.
`interval_simulation.py` describes the cells, `interval_methods.py` the methods.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

import numpy as np
from interval_methods import METHODS
from interval_simulation import CELLS, simulate, simulate_transfer

from ictbench.results.formatting import markdown_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interval_simulation import Cell, Simulated

    Simulate = Callable[[Cell, int, np.random.Generator], dict[str, Simulated]]

BATCH_OF_SAMPLES = 250
"""Samples simulated at a time, so that arrays fit in the processor's cache."""
LEAST_COVERAGE = 0.93
BEFORE = "two floors"
ROUNDING = 1e-9
COLUMNS = ("loops x tasks", "families", "games", "tasks", "rates", "kept")


class Found(NamedTuple):
    """Coverage and mean width of one method in one cell."""

    coverage: float
    width: float


Row = tuple["Cell", str, str]
"""Cell, measure, method."""


def measure_cell(simulate: Simulate, cell: Cell, samples: int, methods: Sequence[str], seed: int) -> dict[Row, Found]:
    """Return coverage and mean width by measure and method, over this many samples."""
    rng, batches = np.random.default_rng(seed), samples // BATCH_OF_SAMPLES
    found: defaultdict[Row, list[Found]] = defaultdict(list)
    for _ in range(batches):
        for measure, simulated in simulate(cell, BATCH_OF_SAMPLES, rng).items():
            for method in methods:
                low, high = METHODS[method](simulated.samples, simulated.shared)
                held = (low <= simulated.truth + ROUNDING) & (simulated.truth - ROUNDING <= high)
                width = float(np.mean(high - low)) / simulated.per
                found[cell, measure, method].append(Found(float(np.mean(held)), width))
    return {row: Found(*map(float, np.mean(parts, axis=0))) for row, parts in found.items()}


def summary(found: dict[Row, Found], methods: Sequence[str], group: Callable[[Row], str]) -> str:
    """Return a Markdown table with one row per group and one column per method."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in found:
        if row[2] == methods[0]:
            groups[group(row)].append(row)
    rows = [(name, *(_cell(found, members, method) for method in methods)) for name, members in groups.items()]
    every = [row for members in groups.values() for row in members]
    rows.append(("all", *(_cell(found, every, method) for method in methods)))
    return markdown_table(("", *methods), rows)


def _cell(found: dict[Row, Found], rows: Sequence[Row], method: str) -> str:
    """Return least coverage, share of rows below 93 %, and width relative to before where both cover."""
    values = [found[cell, measure, method] for cell, measure, _ in rows]
    missed = np.mean([value.coverage < LEAST_COVERAGE for value in values])
    both = [
        (value.width, found[cell, measure, BEFORE].width)
        for value, (cell, measure, _) in zip(values, rows, strict=True)
        if min(value.coverage, found.get((cell, measure, BEFORE), value).coverage) >= LEAST_COVERAGE
        and (cell, measure, BEFORE) in found
    ]
    ratio = f"{np.mean([one for one, _ in both]) / np.mean([other for _, other in both]):.2f}" if both else "-"
    return f"{min(value.coverage for value in values):.3f}, {missed:.0%}, {ratio}"


def write_rows(file: TextIO, found: dict[Row, Found]) -> None:
    """Write one line per cell, measure and method."""
    writer = csv.writer(file, lineterminator="\n")
    for (cell, measure, method), value in found.items():
        writer.writerow((*cell.columns, measure, method, f"{value.coverage:.4f}", f"{value.width:.4f}"))
    file.flush()


def main() -> None:
    """Run the simulation and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1000, help="samples per cell, in batches of 250")
    parser.add_argument("--quick", action="store_true", help="250 samples per cell")
    parser.add_argument("--methods", default=",".join(METHODS), help="names separated by commas")
    parser.add_argument("--cells", default="", help="only cells whose description contains this text")
    parser.add_argument("--transfer", action="store_true", help="only the difference of a transfer of prompts")
    parser.add_argument("--csv", type=Path, help="file for all cells")
    arguments = parser.parse_args()
    samples = BATCH_OF_SAMPLES if arguments.quick else arguments.samples
    methods = [name for name in METHODS if name in arguments.methods.split(",")]
    cells = [(seed, cell) for seed, cell in enumerate(CELLS) if arguments.cells in ", ".join(cell.columns)]
    if not cells or not methods:
        parser.error(f"no cell contains {arguments.cells!r}, or none of these methods exists: {', '.join(METHODS)}")
    simulated = simulate_transfer if arguments.transfer else simulate
    start, found = time.monotonic(), dict[Row, Found]()
    with arguments.csv.open("w", encoding="utf-8") if arguments.csv else nullcontext() as file:
        if file:
            print(",".join((*COLUMNS, "measure", "method", "coverage", "width")), file=file)
        for seed, cell in cells:
            measured = measure_cell(simulated, cell, samples, methods, seed)
            found |= measured
            if file:
                write_rows(file, measured)
    print("Least coverage, share of cells below 93 %, width relative to before:\n")
    for group in GROUPS:
        print(summary(found, methods, group), "\n")
    print(f"{samples} samples in each of {len(cells)} cells, {time.monotonic() - start:.0f} s")


GROUPS: tuple[Callable[[Row], str], ...] = (
    lambda row: row[1],
    lambda row: ", ".join(row[0].columns[:3]),
    lambda row: f"kept {row[0].kept:g}",
    lambda row: row[0].rates.name,
)

if __name__ == "__main__":
    main()

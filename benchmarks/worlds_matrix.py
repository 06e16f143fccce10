"""Matrix of an experiment across worlds: trained in one, judged on the held-out families of each.

    python benchmarks/worlds_matrix.py demo-minihack demo-alfworld [--seeds 0,1,2]

Reads the `arms.csv` that `train_demo.py` wrote into both folders, and into `from-OTHER` of each (`--checkpoints`). One
row per cell and family: success with the first prompt, of the untrained and of the trained reflector, and the required
arms over which no lead is shown (Student's t over seeds, p > 0.05) and in which measures. "all" means that each
required arm lacks a lead in at least one measure.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from seeds_table import MEASURES, MIN_SEEDS, REQUIRED, Lead, seed_list
from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEVELS = ("none", "untrained", "trained")
"""Arms whose success is shown."""

Arms = dict[tuple[str, int, str], dict[str, float]]


def main() -> None:
    """Read the tables and print the matrix."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("worlds", type=Path, nargs=2, help="folders of train_demo.py")
    parser.add_argument("--seeds", type=seed_list, default=[0, 1, 2], help="at least three, separated by commas")
    options = parser.parse_args()
    if len(options.seeds) < MIN_SEEDS:
        parser.error(f"--seeds: {len(options.seeds)} given, leads over seeds need at least {MIN_SEEDS}")
    rows = []
    worlds = [world.resolve() for world in options.worlds]
    for judged in worlds:
        for trained in worlds:
            folder = judged if judged == trained else judged / f"from-{trained.name}"
            try:
                arms = read_arms(folder / "arms.csv")
                rows += [[trained.name, judged.name, *row] for row in cell_rows(arms, options.seeds)]
            except OSError as error:
                parser.error(f"{error.filename}: {error.strerror} (train_demo.py writes it)")
            except KeyError as error:
                parser.error(f"{folder / 'arms.csv'} has no row of {error}")
    headers = ["trained in", "judged in", "family", *(f"{arm}: {', '.join(MEASURES)}" for arm in LEVELS)]
    headers.append("required arms without a shown lead")
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))


def read_arms(file: Path) -> Arms:
    """Return the measures by arm, seed and family."""
    with file.open(encoding="utf-8") as stream:
        return {
            (row["arm"], int(row["seed"]), row["family"]): {name: float(row[name]) for name in ("base", *MEASURES)}
            for row in csv.DictReader(stream)
        }


def cell_rows(arms: Arms, seeds: Sequence[int]) -> Iterator[list[str]]:
    """Yield one row per family."""
    for family in dict.fromkeys(family for _, _, family in arms):
        success = {name: [arms[name, seed, family] for seed in seeds] for name in {*LEVELS, *REQUIRED}}
        missed: dict[str, list[str]] = {}
        for name in REQUIRED:
            for measure in MEASURES:
                pairs = zip(success["trained"], success[name], strict=True)
                if not Lead.over([own[measure] - other[measure] for own, other in pairs]).shown:
                    missed.setdefault(name, []).append(measure)
        levels = [
            ", ".join(f"{fmean(one[measure] for one in success[name]):.2f}" for measure in MEASURES) for name in LEVELS
        ]
        texts = [
            name if len(measures) == len(MEASURES) else f"{name} ({', '.join(measures)})"
            for name, measures in missed.items()
        ]
        yield [family, *levels, "all" if len(missed) == len(REQUIRED) else "; ".join(texts) or "none"]


if __name__ == "__main__":
    main()

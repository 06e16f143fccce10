"""Matrix of an experiment across worlds: trained in one, judged on the held-out families of each.

    python benchmarks/worlds_matrix.py demo-minihack demo-alfworld [--seeds 0,1,2]

Reads the `arms.csv` that `train_demo.py` wrote into both folders, and into `from-OTHER` of each (`--checkpoints`). One
row per cell, family and measure: success of the trained reflector, its lead over the untrained one, and its smallest
lead over a required arm, with Student's t over seeds.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from seeds_table import MEASURES, REQUIRED, Lead
from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Arms = dict[tuple[str, int, str], dict[str, float]]


def main() -> None:
    """Read the tables and print the matrix."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("worlds", type=Path, nargs=2, help="folders of train_demo.py")
    parser.add_argument("--seeds", default="0,1,2", help="seeds, separated by commas")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    rows = []
    for judged in options.worlds:
        for trained in options.worlds:
            folder = judged if judged == trained else judged / f"from-{trained.name}"
            rows += [[trained.name, judged.name, *row] for row in cell_rows(read_arms(folder / "arms.csv"), seeds)]
    headers = ["trained in", "judged in", "family", "measure", "first prompt", "trained", "lead over untrained"]
    headers += ["smallest lead over a required arm", "that arm", "passes"]
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))


def read_arms(file: Path) -> Arms:
    """Return the measures by arm, seed and family."""
    with file.open(encoding="utf-8") as stream:
        return {
            (row["arm"], int(row["seed"]), row["family"]): {name: float(row[name]) for name in ("base", *MEASURES)}
            for row in csv.DictReader(stream)
        }


def cell_rows(arms: Arms, seeds: Sequence[int]) -> Iterator[list[str]]:
    """Yield one row per family and measure; a family passes if all leads are shown in all measures."""
    for family in dict.fromkeys(family for _, _, family in arms):
        own = [arms["trained", seed, family] for seed in seeds]
        leads = {
            (measure, name): Lead.over(
                [one[measure] - arms[name, seed, family][measure] for one, seed in zip(own, seeds, strict=True)]
            )
            for measure in MEASURES
            for name in REQUIRED
        }
        passes = all(lead.shown for lead in leads.values())
        for measure in MEASURES:
            least = min(REQUIRED, key=lambda name: leads[measure, name].mean)
            base, success = own[0]["base"], fmean(one[measure] for one in own)
            lead, smallest = (str(leads[measure, name]) for name in ("untrained", least))
            answer = "yes" if passes else "no"
            yield [family, measure, f"{base:.2f}", f"{success:.2f}", lead, smallest, least, answer]


if __name__ == "__main__":
    main()

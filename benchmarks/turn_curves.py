"""Plot of success by turn of an experiment's arms, as in docs/learning-experiment.md.

    python benchmarks/turn_curves.py train-demo/by-turn.csv docs/images/turn-curves.svg

One panel per family. Thin lines are seeds of the trained reflector, thick ones means over seeds. Needs matplotlib,
which `make train-demo` installs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib import pyplot as plt

ARMS = {
    "trained": "#0b6bcb",
    "untrained": "#d97706",
    "trained, unlabelled": "#7c3aed",
    "trained, flipped": "#be123c",
    "copy-last": "#6b7280",
    "random action": "#a8a29e",
    "rules": "#15803d",
}


def main() -> None:
    """Read the file and write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("turns", type=Path, help="by-turn.csv of train_demo.py")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    if not options.turns.is_file():
        parser.error(f"{options.turns} is not a file (train_demo.py writes it)")
    rows = pd.read_csv(options.turns)
    families = list(dict.fromkeys(rows["family"]))
    # Reproducible file: no date, no random ids.
    mpl.rcParams["svg.hashsalt"] = "ictbench"
    figure, panels = plt.subplots(
        1, len(families), figsize=(3.2 * len(families), 3.4), sharey=True, squeeze=False, layout="constrained"
    )
    for panel, family in zip(panels.flat, families, strict=True):
        of_family = rows[rows["family"] == family]
        for arm, color in ARMS.items():
            of_arm = of_family[of_family["arm"] == arm]
            if arm == "trained":
                for _, seed in of_arm.groupby("seed"):
                    panel.plot(seed["turn"], seed["success"], color=color, linewidth=0.7, alpha=0.5)
            mean = of_arm.groupby("turn")["success"].mean()
            panel.plot(mean.index, mean.values, color=color, linewidth=2 if arm == "trained" else 1.3, label=arm)
        panel.set_title(family, fontsize=10)
        panel.set_xlabel("turn", fontsize=9)
        panel.set_ylim(-0.03, 1.03)
        panel.grid(alpha=0.3)
    panels.flat[0].set_ylabel("success on selection tasks", fontsize=9)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(ARMS), fontsize=8)
    figure.savefig(options.picture, metadata={"Date": None})
    print(options.picture)


if __name__ == "__main__":
    main()

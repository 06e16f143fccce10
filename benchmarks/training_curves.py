"""Plot of a training's metrics by step, as in docs/training.md.

    python benchmarks/training_curves.py first-demo/seed-0/trained/checkpoint-80 docs/images/training-curves.svg

Points are steps; lines are means over the last 20 steps. Needs matplotlib, which is among the
packages of `make train-demo`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import fmean

import matplotlib as mpl
from matplotlib import pyplot as plt

WINDOW = 20
METRICS = {
    "reward": "reward: share solved",
    "frac_reward_zero_std": "groups without variance",
    "kl": "KL from the untrained model",
    "completions/mean_length": "tokens of a reply",
    "parse_failures": "unusable replies",
    "probe/overfitting_gap": "overfitting gap",
}


def main() -> None:
    """Read the history of a checkpoint and write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    history = json.loads((options.checkpoint / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    # Reproducible file: no date, no random ids.
    mpl.rcParams["svg.hashsalt"] = "ictbench"
    figure, panels = plt.subplots(2, 3, figsize=(11, 5.5), layout="constrained")
    for panel, (key, title) in zip(panels.flat, METRICS.items(), strict=True):
        points = [(entry["step"], entry[key]) for entry in history if entry.get(key) is not None]
        steps, values = zip(*points, strict=True)
        panel.plot(steps, values, ".", color="#9aa5b1", markersize=4)
        if len(points) > WINDOW:
            means = [fmean(values[max(0, end - WINDOW) : end]) for end in range(1, len(values) + 1)]
            panel.plot(steps, means, color="#0b6bcb")
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("step", fontsize=9)
        panel.grid(alpha=0.3)
    figure.savefig(options.picture, metadata={"Date": None})
    rewards = [entry["reward"] for entry in history if "reward" in entry]
    print("mean reward by tens of steps:", *(f"{fmean(rewards[i : i + 10]):.2f}" for i in range(0, len(rewards), 10)))
    print(options.picture)


if __name__ == "__main__":
    main()

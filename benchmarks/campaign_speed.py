"""A campaign of twelve cells of the scripted pair against the same twelve runs one after the other.

    python benchmarks/campaign_speed.py
    python benchmarks/campaign_speed.py --rounds 3

Both play the same cells, each run by its own command, as a shell loop would. Wall time
depends on what else the machine does; processor seconds count this process's children only.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench import load_campaign, load_run
from ictbench.campaigns.plan_campaign import plan_campaign

if TYPE_CHECKING:
    from collections.abc import Callable

CAMPAIGN = {
    "options": {"env": "minihack", "actor": "rules", "loops": 6, "turns": 3, "selection_size": 6, "test_size": 10},
    "matrix": {"reflector": ["none", "rules", "blind:rules"], "families": ["read", "zap"], "batch_size": [1, 3]},
}


def command(*arguments: str) -> None:
    """Run `ictbench` and stop at an error."""
    subprocess.run([sys.executable, "-m", "ictbench", *arguments, "--quiet"], check=True)


def measure(name: str, play: Callable[[], None], folder: Path) -> None:
    """Print wall time and processor seconds of a function's children, and the episodes that were played."""
    clock, before = time.monotonic(), processor_seconds()
    play()
    wall, processor = time.monotonic() - clock, processor_seconds() - before
    keys = [key for path in folder.rglob("run.json") for key in load_run(path.parent).episode_keys()]
    # All cells have one actor, so that equal keys are the same episode, which a campaign plays once.
    played = len({*keys}) if (folder / "campaign.json").exists() else len(keys)
    print(f"| {name} | {wall:.1f} | {processor:.1f} | {played:,} |", flush=True)


def processor_seconds() -> float:
    """Return the processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def play_alone(folder: Path) -> None:
    """Play each cell by a command of its own."""
    for cell in plan_campaign(CAMPAIGN).cells:
        config = folder / f"{cell.name}.yaml"
        config.write_text(json.dumps(dict(cell.cell.options)), encoding="utf-8")
        command("run", "--config", str(config), "--out", str(folder / cell.name))


def main() -> None:
    """Measure both ways, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds
    # All cells have one actor, so that equal keys are the same episode.
    print("| round | way | wall s | processor s | episodes played |")
    print("|---|---|---|---|---|")
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as scratch:
            alone, together = Path(scratch, "alone"), Path(scratch, "together")
            alone.mkdir()
            file = Path(scratch, "campaign.yaml")
            file.write_text(json.dumps(CAMPAIGN), encoding="utf-8")
            measure(f"{number} | campaign", partial(command, "campaign", str(file), "--out", str(together)), together)
            measure(f"{number} | single runs", partial(play_alone, alone), alone)
            for name, cell in load_campaign(together).cells.items():
                assert load_run(alone / name).result.families == cell.result.families, name


if __name__ == "__main__":
    main()

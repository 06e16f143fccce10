"""A campaign of twelve cells of the scripted pair against the same twelve runs one after the other.

    python benchmarks/campaign_speed.py            # about two minutes
    python benchmarks/campaign_speed.py --rounds 3

Both play the cells of `examples/campaigns/controls.yaml`, each run by its own command, as a shell loop would. Wall time
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
from pathlib import Path

from ictbench import load_campaign, load_run
from ictbench.campaigns.plan_campaign import plan_campaign

FILE = Path(__file__).parents[1] / "examples/campaigns/controls.yaml"


def command(*arguments: str) -> None:
    """Run `ictbench` and stop at an error."""
    subprocess.run([sys.executable, "-m", "ictbench", *arguments, "--quiet"], check=True)


def measured(play: object) -> tuple[float, float]:
    """Return wall time and processor seconds of a function's children."""
    assert callable(play)
    clock, before = time.monotonic(), processor_seconds()
    play()
    return time.monotonic() - clock, processor_seconds() - before


def processor_seconds() -> float:
    """Return the processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def play_alone(folder: Path) -> None:
    """Play each cell by a command of its own."""
    for cell in plan_campaign(FILE).cells:
        config = folder / f"{cell.name}.yaml"
        config.write_text(json.dumps(dict(cell.cell.options)), encoding="utf-8")
        command("run", "--config", str(config), "--out", str(folder / cell.name))


def main() -> None:
    """Measure both ways, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds
    # All cells have one actor, so that equal keys are the same episode.
    print("| round | way | wall s | processor s | episodes recorded | episodes played |")
    print("|---|---|---|---|---|---|")
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as scratch:
            alone, together = Path(scratch, "alone"), Path(scratch, "together")
            alone.mkdir()
            single = measured(lambda folder=alone: play_alone(folder))
            campaign = measured(lambda folder=together: command("campaign", str(FILE), "--out", str(folder)))
            runs = {folder.name: load_run(folder) for folder in alone.iterdir() if folder.is_dir()}
            cells = load_campaign(together).cells
            for name, run in runs.items():
                assert run.result.families == cells[name].result.families, name
            keys = [key for run in runs.values() for key in run.episode_keys()]
        recorded, played = len(keys), len({*keys})
        print(f"| {number} | {len(runs)} runs | {single[0]:.1f} | {single[1]:.1f} | {recorded:,} | {recorded:,} |")
        print(f"| {number} | campaign | {campaign[0]:.1f} | {campaign[1]:.1f} | {recorded:,} | {played:,} |")


if __name__ == "__main__":
    main()

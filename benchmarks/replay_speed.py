"""How fast recorded actions are played again, with one worker and with two.

    python benchmarks/replay_speed.py                          # makes small runs of both environments: two minutes
    python benchmarks/replay_speed.py runs/mine --sample 2000  # takes one

A decision counts from the reading of its record to the comparison of what it led to; starting workers counts, too,
and weighs less the more is played. CPU seconds are those of all processes: on a machine that does something else as
well they tell more than the clock.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tabulate import tabulate

import ictbench
from ictbench.audit.replay import draw_sample, replay
from ictbench.audit.result_checks import make_plans
from ictbench.runs.options import Options
from ictbench.submissions.episode_records import evidence_of_run

MINIHACK: dict[str, Any] = {"loops": 3, "turns": 4, "selection_size": 10, "test_size": 20}
ALFWORLD: dict[str, Any] = {"loops": 1, "turns": 2, "batch_size": 2, "selection_size": 2, "test_size": 4}
RUNS = {"minihack-v1": MINIHACK, "alfworld-procgen-v1": ALFWORLD}


def measure(folder: Path, workers: int, sample: int | None) -> dict[str, Any]:
    """One row: what was played, in how many seconds."""
    evidence = evidence_of_run(folder)
    suite = ictbench.load_suite(evidence.result.suite.name)
    tasks = {task.id: task for plan in make_plans(evidence.result, suite).values() for task in plan.tasks}
    sampled = draw_sample((record.key for record in evidence.episodes()), sample, "speed") if sample else None
    clock, before = time.monotonic(), cpu_seconds()
    found = replay(evidence, tasks, Options(workers=workers), sample=sampled)
    seconds, cpu = time.monotonic() - clock, cpu_seconds() - before
    assert all(check.verdict == "passed" for check in found.checks), found.checks
    return {
        "suite": suite.name,
        "workers": workers,
        "episodes": found.episodes,
        "decisions": found.decisions,
        "seconds": seconds,
        "CPU seconds": cpu,
        "decisions/s": found.decisions / seconds,
        "decisions/CPU s": found.decisions / cpu,
    }


def cpu_seconds() -> float:
    """Of this process, and of the workers that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Make the runs, if none is named, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--sample", type=int)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        made = (ictbench.run(suite=name, out=Path(folder) / name, **sizes).folder for name, sizes in RUNS.items())
        for run in given.runs or made:
            rows += [measure(run, workers, given.sample) for workers in (1, 2)]
    print(tabulate(rows, headers="keys", floatfmt=".0f", tablefmt="github"))


if __name__ == "__main__":
    main()

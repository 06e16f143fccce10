"""Speed of replay verification with one worker and with two.

    python benchmarks/replay_speed.py                          # makes small runs of both environments: two minutes
    python benchmarks/replay_speed.py runs/mine --sample 2000  # replays an existing run

The time of a decision includes everything from reading its record to comparing its outcome. It also includes the start
of the workers, which matters less the more is replayed. CPU seconds are those of all processes; if the machine does
other work at the same time, they say more than the clock.
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


def measure(folder: Path, workers: int, sample_size: int | None) -> dict[str, Any]:
    """Replay a run and return a row of the table."""
    evidence = evidence_of_run(folder)
    suite = ictbench.load_suite(evidence.result.suite.name)
    tasks = {task.id: task for plan in make_plans(evidence.result, suite).values() for task in plan.tasks}
    keys = (record.key for record in evidence.episodes())
    sample = draw_sample(keys, sample_size, "speed") if sample_size else None
    clock, before = time.monotonic(), cpu_seconds()
    outcome = replay(evidence, tasks, Options(workers=workers), sample=sample)
    seconds, cpu = time.monotonic() - clock, cpu_seconds() - before
    assert all(check.verdict == "passed" for check in outcome.checks), outcome.checks
    return {
        "suite": suite.name,
        "workers": workers,
        "episodes": outcome.episodes,
        "decisions": outcome.decisions,
        "seconds": seconds,
        "CPU seconds": cpu,
        "decisions/s": outcome.decisions / seconds,
        "decisions/CPU s": outcome.decisions / cpu,
    }


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its workers that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Make the runs, if none is given, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--sample", type=int)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        new_runs = (ictbench.run(suite=name, out=Path(folder) / name, **sizes).folder for name, sizes in RUNS.items())
        for run in arguments.runs or new_runs:
            rows += [measure(run, workers, arguments.sample) for workers in (1, 2)]
    print(tabulate(rows, headers="keys", floatfmt=".0f", tablefmt="github"))


if __name__ == "__main__":
    main()

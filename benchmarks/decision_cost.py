"""CPU time of one decision by process, for one or two source trees, measured alternately in one run.

    python benchmarks/decision_cost.py                            # this tree
    python benchmarks/decision_cost.py --before ../older-tree     # two trees, and their ratios
    python benchmarks/decision_cost.py --cases 64:0 1024:0.2 --repeats 5

A case is a number of episodes in flight and the constant latency of a reply in seconds. Episodes are real MiniHack
(`eat` and `room-random`, 25 decisions), with the ReAct actor and real HTTP to a model server in another process, whose
source is this tree's. CPU is user and system time in milliseconds per decision: of the coordinator, of the workers
together, and of the server. `cold` is the first round, which creates the environments; `warm` are the rounds after it.
Figures are medians over the repeats. Both trees must play the same episodes; the program checks it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from engine_speed import TICKS, bench, descendants, tasks
from latency_server import latency_server
from tabulate import tabulate

from ictbench.rollout import cores
from ictbench.testing import Latency

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).resolve().parent
COSTS = ("decisions/s", "coordinator", "workers", "server")

Row = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="source tree to compare with, e.g. a git worktree")
    parser.add_argument("--cases", nargs="+", default=["64:0", "64:0.2", "1024:0.2"], metavar="EPISODES:SECONDS")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2, help="warm rounds after the cold one")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        url, case, rounds = options.measure
        print(json.dumps(asyncio.run(measure(url, int(case), int(rounds)))))
        return
    trees = {"before": options.before, "after": HERE.parent} if options.before else {"this": HERE.parent}
    rows = [
        row
        for repeat in range(options.repeats)
        for case in options.cases
        for row in compare(case, trees, options.rounds, reverse=repeat % 2 == 1)
    ]
    for table in (medians(rows, trees), ratios(rows, options.cases)):
        if table:
            print(tabulate(table, headers="keys", floatfmt=".3f"), flush=True)


def compare(case: str, trees: dict[str, Path], rounds: int, *, reverse: bool) -> list[Row]:
    """Play one case with each tree, one after the other; exit with an error if the episodes differ."""
    count, _, seconds = case.partition(":")
    rows: list[Row] = []
    for name in sorted(trees, reverse=reverse):
        with latency_server(Latency.constant(float(seconds))) as url:
            command = [sys.executable, __file__, "--measure", url, count, str(rounds)]
            path = os.pathsep.join(map(str, (trees[name].resolve(), HERE)))
            output = subprocess.run(
                command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, check=True, text=True
            ).stdout
        rows += [{"case": case, "tree": name, **row} for row in json.loads(output)]
        print(f"{case} {name}: {rows[-1]['decisions/s']:.0f} decisions/s", file=sys.stderr, flush=True)
    if len({row["digest"] for row in rows if row["start"] == "cold"}) > 1:
        sys.exit(f"{case}: the trees played different episodes")
    return rows


async def measure(url: str, count: int, rounds: int) -> list[Row]:
    """Play `count` episodes once with new environments and `rounds` times with reused ones."""
    rows: list[Row] = []
    parent, others = os.getppid(), {os.getpid()}
    async with bench(url, "process", cores(), cap=count) as engine:
        await engine.play(tasks(0, 2 * cores()))
        own = descendants(os.getpid())
        server = descendants(parent) - own - others

        def cpu() -> list[float]:
            return [cpu_seconds([os.getpid()]), cpu_seconds(own), cpu_seconds(server)]

        for number in range(rounds + 1):
            before = cpu()
            episodes, wall = await engine.play(tasks(100 + number * count, count))
            decisions = sum(len(episode.trajectory.steps) for episode in episodes)
            spent = [1e3 * (now - then) / decisions for now, then in zip(cpu(), before, strict=True)]
            row = dict(zip(COSTS, (decisions / wall, *spent), strict=True))
            digest = hashlib.sha256("".join(map(episode_text, episodes)).encode()).hexdigest()
            rows.append({"start": "warm" if number else "cold", **row, "digest": digest})
    return rows


def episode_text(episode: Any) -> str:
    """Return what of an episode must be equal in both trees."""
    return f"{episode.key} {[step.model_dump_json() for step in episode.trajectory.steps]} {episode.trajectory.end}"


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time of processes."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / TICKS


def medians(rows: list[Row], trees: dict[str, Path]) -> list[Row]:
    """Return the median figures by case, start and tree."""
    groups = dict.fromkeys((row["case"], row["start"], row["tree"]) for row in rows)
    return [
        {"in flight:latency": case, "start": start, "tree": tree}
        | {cost: median(row[cost] for row in pick(rows, case, start, tree)) for cost in COSTS}
        for case, start, tree in sorted(groups, key=lambda group: (group[0], group[1], list(trees).index(group[2])))
    ]


def ratios(rows: list[Row], cases: list[str]) -> list[Row]:
    """Return the median ratios after ÷ before by case and start; the figures of one repeat are paired."""
    table: list[Row] = []
    for case in cases:
        for start in ("cold", "warm"):
            pairs = list(zip(pick(rows, case, start, "before"), pick(rows, case, start, "after"), strict=False))
            if pairs:
                row: Row = {"after ÷ before": case, "start": start}
                table.append(row | {cost: median(new[cost] / old[cost] for old, new in pairs) for cost in COSTS})
    return table


def pick(rows: list[Row], case: str, start: str, tree: str) -> list[Row]:
    """Return the rows of one case, start and tree in order of time."""
    return [row for row in rows if (row["case"], row["start"], row["tree"]) == (case, start, tree)]


if __name__ == "__main__":
    main()

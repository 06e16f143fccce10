"""Speed of the rollout workers, compared with the ideal schedule of the same episodes and with lockstep.

    python benchmarks/engine_speed.py                 # the whole table: about 10 minutes
    python benchmarks/engine_speed.py lockstep        # also measures one loop in lockstep: 15 minutes more
    python benchmarks/engine_speed.py batch zero      # single parts: see PARTS
    python benchmarks/engine_speed.py --fast          # a tenth of the latencies, so overheads matter ten times as much

The benchmark uses real MiniHack (eat and room-random, 25 decisions) and real HTTP to a model server in another process.
Its latencies are lognormal, and each reply states its own. Efficiency is ideal ÷ wall time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ideal import RunTimes, chain, ideal
from latency_server import latency_server
from lockstep import LockstepRun
from tabulate import tabulate

import ictbench
from ictbench import load_suite
from ictbench.models import Limits, ModelPool, UsageMeter
from ictbench.records import EpisodeSpec, ModelSpec, PluginSpec
from ictbench.reflectors import make_reflector
from ictbench.rollout import (
    EpisodeWorker,
    Executor,
    InlineExecutor,
    Priority,
    ProcessStarter,
    RayStarter,
    WorkerPool,
    cores,
)
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.testing import Latency

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from ictbench import Episode, Task

SUITE = load_suite("minihack-v1")
FAMILIES = ("eat", "room-random")
MAX_CONNECTIONS = 64
ENV_TIMEOUT = 120.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

Rows = list[dict[str, Any]]


class Bench:
    """An executor that plays with the model of one server."""

    def __init__(self, url: str, executor: Executor) -> None:
        self._executor = executor
        model = ModelSpec(provider="openai", model="scripted", base_url=url)
        self._actor = PluginSpec(label="scripted", name="react", options={"decoding": "free"}, model=model)

    async def play(self, tasks: Sequence[Task]) -> tuple[list[Episode], float]:
        """Play tasks concurrently; return the episodes and the seconds they took."""
        clock = time.monotonic()
        specs = [EpisodeSpec(task=t, prompt=SUITE.prompt, actor=self._actor, max_steps=25, seed=0) for t in tasks]
        episodes = await asyncio.gather(*(self._executor.play(spec, Priority.TEST) for spec in specs))
        return episodes, time.monotonic() - clock


@asynccontextmanager
async def bench(
    url: str, kind: str, workers: int, cap: int = MAX_CONNECTIONS, address: str | None = None
) -> AsyncIterator[Bench]:
    """Open an executor: `inline`, `process` or `ray`."""
    meter = UsageMeter(Limits(max_connections=cap))
    models = ModelPool(meter)
    executor: Executor
    if kind == "inline":
        executor = InlineExecutor(EpisodeWorker(models))
    else:
        starter = ProcessStarter(models, meter) if kind == "process" else RayStarter(models, meter, address)
        executor = WorkerPool(starter, workers, ENV_TIMEOUT)
    try:
        yield Bench(url, executor)
    finally:
        await executor.aclose()
        await models.aclose()


def tasks(start: int, count: int) -> list[Task]:
    """Return `count` tasks, half of each family."""
    half = count // 2
    return [task for family in FAMILIES for task in SUITE.experience_order(family, 0, start + half)[start:]]


def batch(latency: Latency) -> Iterator[Rows]:
    """Measure one batch, with new environments (cold) and with reused ones (warm)."""
    rows: Rows = []
    with latency_server(latency) as url:
        for count in (16, 64):
            for kind in ("inline", "process"):

                async def measure(count: int = count, kind: str = kind) -> None:
                    async with bench(url, kind, cores()) as engine:
                        for state, start in (("cold", 0), ("warm", 100)):
                            episodes, wall = await engine.play(tasks(start, count))
                            best = ideal(map(chain, episodes), MAX_CONNECTIONS)
                            rows.append(
                                {"batch": count, "executor": kind, "start": state, "ideal s": best, "wall s": wall}
                                | {"efficiency": best / wall}
                            )

                asyncio.run(measure())
    yield rows


def whole_run(latency: Latency, *, with_lockstep: bool = False) -> Iterator[Rows]:
    """Measure a run (N = 10, k = 3, selection 16, four families, two loops), and compare it with lockstep."""
    sizes: dict[str, Any] = {"turns": 10, "batch_size": 3, "loops": 2, "selection_size": 16, "test_size": 16}
    families = (*FAMILIES, "wear", "wield")
    rows: Rows = []
    with latency_server(latency) as url, tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"suite": SUITE.name, "families": families, "reflector": "openai/scripted", **sizes}
        options |= {"reflector_base_url": url, "max_connections": MAX_CONNECTIONS}
        clock = time.monotonic()
        run = ictbench.run(out=Path(folder) / "run", **options)
        wall = time.monotonic() - clock
        times = RunTimes(run, MAX_CONNECTIONS)
        row = {"schedule": "ictbench run", "decisions": times.decisions, "ideal s": times.ideal, "wall s": wall}
        rows.append({**row, "wall ÷ ideal": wall / times.ideal})
        predicted = sum(times.lockstep)
        row = {"schedule": "lockstep, its latencies alone", "decisions": times.decisions, "wall s": predicted}
        rows.append(
            {**row, "ideal s": times.ideal, "wall ÷ ideal": predicted / times.ideal, "÷ ours": predicted / wall}
        )
        if with_lockstep:
            measured = asyncio.run(one_loop_in_lockstep(options))
            row = {"schedule": "lockstep, one loop, measured", "wall s": measured, "ideal s": times.lockstep[0]}
            rows.append({**row, "wall ÷ ideal": measured / times.lockstep[0]})
    yield rows


async def one_loop_in_lockstep(options: dict[str, Any]) -> float:
    """Return the seconds of the first loop in lockstep."""
    plan = make_plan(Options.parse(options))
    models = ModelPool(UsageMeter(Limits(max_connections=MAX_CONNECTIONS)))
    assert plan.reflector.model is not None
    baseline = LockstepRun(plan, make_reflector(plan.reflector, models.open(plan.reflector.model)), models)
    clock = time.monotonic()
    await baseline.loop(next(plan.loops()))
    wall = time.monotonic() - clock
    await baseline.aclose()
    await models.aclose()
    return wall


def zero(_: Latency) -> Iterator[Rows]:
    """Measure the client without latency; the server works on the same cores."""
    yield [row for kind in ("inline", "process") for row in throughput(kind, cores(), 64)]


def workers(_: Latency) -> Iterator[Rows]:
    """Measure one to four worker processes without latency."""
    yield [row for count in (1, 2, 3, 4) for row in throughput("process", count, 64)]


def in_flight(_: Latency) -> Iterator[Rows]:
    """Measure 64, 256 and 1,024 episodes in flight at a constant latency of 200 ms."""
    yield [row for count in (64, 256, 1_024) for row in throughput("process", cores(), count, Latency.constant(0.2))]


def throughput(kind: str, workers: int, count: int, latency: Latency | None = None, rounds: int = 3) -> Rows:
    """Measure decisions per second, CPU per decision (coordinator and workers), and memory."""
    rows: Rows = []
    latency = latency or Latency()

    async def measure(url: str, others: set[int]) -> None:
        async with bench(url, kind, workers, cap=count) as engine:
            await engine.play(tasks(0, 2 * workers))
            empty = memory(others)
            for number in range(rounds):
                before = cpu(others)
                episodes, wall = await engine.play(tasks(100 + number * count, count))
                decisions = sum(len(episode.trajectory.steps) for episode in episodes)
                row = {"executor": kind, "workers": workers, "in flight": count, "latency s": latency.median}
                row |= {"decisions/s": decisions / wall, "CPU ms/decision": 1e3 * (cpu(others) - before) / decisions}
                row |= {"overhead ms/episode": 1e3 * (wall - ideal(map(chain, episodes), count)) / count}
                rows.append({**row, "MB/episode": (memory(others) - empty) / count / 2**20})

    with latency_server(latency) as url:
        asyncio.run(measure(url, descendants(os.getpid())))
    # In the last round all environments are reused.
    return rows[-1:]


def ray_nodes(_: Latency) -> Iterator[Rows]:
    """Measure one and two nodes of a local Ray cluster with one worker each."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "disabled")}
    import ray
    from ray.cluster_utils import Cluster

    rows: Rows = []
    for nodes in (1, 2):
        cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        for _node in range(nodes):
            cluster.add_node(num_cpus=1)

        async def measure(url: str, address: str, nodes: int = nodes) -> None:
            async with bench(url, "ray", nodes, address=address) as engine:
                await engine.play(tasks(0, 2 * nodes))
                for number in range(3):
                    episodes, wall = await engine.play(tasks(100 + number * 64, 64))
                decisions = sum(len(episode.trajectory.steps) for episode in episodes)
                overhead = 1e3 * wall / 64
                rows.append({"nodes": nodes, "decisions/s": decisions / wall, "overhead ms/episode": overhead})

        with latency_server(Latency()) as url:
            asyncio.run(measure(url, cluster.address))
        ray.shutdown()
        cluster.shutdown()
    yield rows


def descendants(pid: int) -> set[int]:
    """Return the ids of all descendants of a process."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below: set[int] = set()
    new = {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - below
        below |= new
    return below


def cpu(others: set[int]) -> float:
    """Return the CPU seconds of this process and its workers."""
    seconds = 0.0
    for pid in own_processes(others):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / TICKS
    return seconds


def memory(others: set[int]) -> int:
    """Return the bytes of this process and its workers; shared pages count in each."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in own_processes(others))


def own_processes(others: set[int]) -> set[int]:
    """Return the ids of this process and its workers."""
    return {os.getpid(), *descendants(os.getpid())} - others


PARTS: dict[str, Callable[[Latency], Iterator[Rows]]] = {
    "batch": batch,
    "run": whole_run,
    "lockstep": lambda latency: whole_run(latency, with_lockstep=True),
    "zero": zero,
    "workers": workers,
    "ray": ray_nodes,
    "in-flight": in_flight,
}


def main() -> None:
    """Measure the requested parts and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--fast", action="store_true")
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"{unknown[0]!r} is not a part; parts are {', '.join(PARTS)}")
    latency = Latency.lognormal(0.02 if options.fast else 0.2, 1.0)
    for name in options.parts or [part for part in PARTS if part != "lockstep" and (part != "ray" or find_spec("ray"))]:
        for rows in PARTS[name](latency):
            print(f"\n{name}\n{tabulate(rows, headers='keys', floatfmt='.3f')}", flush=True)


if __name__ == "__main__":
    main()

"""Plays recorded episodes again in worker processes: the outcomes are real if the recorded actions lead to them."""

from __future__ import annotations

import hashlib
import heapq
import sys
import tempfile
from collections import defaultdict, deque
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from types import ModuleType
from typing import TYPE_CHECKING, Self

from ictbench.audit.findings import Findings
from ictbench.audit.playback import ASPECTS, Mismatch
from ictbench.audit.replayer import Chunk, Played, become_replayer, play_chunk
from ictbench.plugins import resolve
from ictbench.records import task_id_of
from ictbench.submissions.episode_records import EpisodeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from ictbench.audit.verification import Check
    from ictbench.records import Task
    from ictbench.submissions.episode_records import Evidence

CHUNK_EPISODES = 20
"""Played by a worker in one go, all with one warm environment."""

ENOUGH = 10
"""Differences after which no more is played; of an environment that broke, one."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What was played, and what came of it."""

    episodes: int
    decisions: int
    checks: tuple[Check, ...]


def draw(keys: Iterable[str], count: int, seed: str) -> set[str]:
    """So many of the keys at random, each with the same chance, the same ones for the same seed."""

    def rank(key: str) -> bytes:
        return hashlib.sha256(f"{seed}/{key}".encode()).digest()

    return set(heapq.nsmallest(count, keys, key=rank))


def replay(
    evidence: Evidence,
    tasks: Mapping[str, Task],
    *,
    chosen: Collection[str] | None,
    workers: int,
    patience: float,
    on_played: Callable[[int], None] = lambda episodes: None,
) -> Replay:
    """Play recorded episodes in the environments of the suite's tasks, until all are played or enough differ.

    Args:
        evidence: holds the records.
        tasks: the suite's own, by id. What a record says of its task is not used.
        chosen: keys of the episodes to play; None for all.
        workers: processes.
        patience: seconds that a few episodes may take before their worker is ended.
        on_played: told of each chunk how many episodes it had.
    """
    found = {aspect: Findings(aspect) for aspect in ASPECTS}
    episodes = decisions = 0
    wanted = (record for record in evidence.episodes() if chosen is None or record.key in chosen)
    chunks = _chunks(wanted, tasks, evidence.digits, patience)
    with _Replayers(workers) as replayers:
        for played in replayers.play(chunks):
            episodes, decisions = episodes + played.episodes, decisions + played.decisions
            for mismatch in played.mismatches:
                found[mismatch.aspect].add(f"{mismatch.key}: {mismatch.what}")
            on_played(played.episodes)
            if found["played"].count or sum(finding.count for finding in found.values()) >= ENOUGH:
                break
    passed = f"as recorded, in {episodes:,} episodes with {decisions:,} decisions"
    return Replay(episodes, decisions, tuple(finding.check(passed) for finding in found.values()))


def _chunks(
    records: Iterable[EpisodeRecord], tasks: Mapping[str, Task], digits: int, patience: float
) -> Iterator[Chunk]:
    """Episodes that can share a warm environment, together."""
    waiting: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for record in records:
        task = tasks[task_id_of(record.key)]
        key = (task.env, resolve("env", task.env).pool_key(task))
        waiting[key].append(record.model_copy(update={"task": task}).model_dump_json())
        if len(waiting[key]) == CHUNK_EPISODES:
            yield Chunk(tuple(waiting.pop(key)), digits, patience)
    yield from (Chunk(tuple(rest), digits, patience) for rest in waiting.values())


class _Replayers:
    """Worker processes, each a pool of its own, so that it is known what a dying one was playing."""

    def __init__(self, workers: int) -> None:
        self._pools: dict[int, ProcessPoolExecutor] = {}
        self._scratch = tempfile.TemporaryDirectory(prefix="ictbench-replay-", ignore_cleanup_errors=True)
        self._workers = workers
        self._idle = list(range(workers))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)
        self._scratch.cleanup()

    def play(self, chunks: Iterator[Chunk]) -> Iterator[Played]:
        """Play chunks, in any order. One that ends its worker is played again episode by episode."""
        ready: deque[Chunk] = deque()
        running: dict[Future[Played], tuple[int, Chunk]] = {}
        while True:
            # Read ahead, for when a worker has played what it has.
            while len(ready) < self._workers + len(self._idle) and (chunk := next(chunks, None)):
                ready.append(chunk)
            while ready and self._idle:
                worker, chunk = self._idle.pop(), ready.popleft()
                running[self._submit(worker, chunk)] = worker, chunk
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                worker, chunk = running.pop(future)
                self._idle.append(worker)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    self._pools.pop(worker).shutdown()
                    if len(chunk.episodes) == 1:
                        yield _lost(chunk)
                    else:
                        ready.extend(chunk._replace(episodes=(episode,)) for episode in chunk.episodes)

    def _submit(self, worker: int, chunk: Chunk) -> Future[Played]:
        pool = self._pools.get(worker)
        if pool is None:
            pool = self._pools[worker] = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=become_replayer, initargs=(self._scratch.name,)
            )
        with _no_main_program():
            return pool.submit(play_chunk, chunk)


def _lost(chunk: Chunk) -> Played:
    record = EpisodeRecord.model_validate_json(chunk.episodes[0])
    what = f"the environment crashed, or took longer than {chunk.patience:g} s"
    return Played(1, 0, (Mismatch("played", record.key, what),))


@contextmanager
def _no_main_program() -> Iterator[None]:
    """Have a process that starts now import nothing of the program that we are called by, which needs no guard then."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main

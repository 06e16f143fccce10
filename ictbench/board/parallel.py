"""Work on many submissions in several processes."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")
U = TypeVar("U")

MIN_ITEMS = 3
"""Items per process for which its start is worth while; it takes a second or two."""

log = logging.getLogger(__name__)


class OnProgress(Protocol):
    """Receives how far a long step of the work is."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show a step, e.g. `checking`, with this many of its items done."""


def no_progress(step: str, done: int, total: int) -> None:
    """Show nothing."""


def look_up_each(
    look_up: Callable[[T], U | None],
    work: Callable[[T], U],
    items: Sequence[T],
    *,
    jobs: int,
    step: str,
    on_progress: OnProgress = no_progress,
) -> list[U]:
    """Return the results of items, in their order: looked up where they are known, else worked out in processes.

    Args:
        look_up: Returns a known result, or None; it runs in threads.
        work: Function of a module, which raises nothing.
        items: Items that can be pickled.
        jobs: Maximum number of threads and of processes.
        step: Name of the work, for its progress.
        on_progress: Called after each item.
    """
    results: dict[int, U] = {}
    with ThreadPoolExecutor(jobs) as threads:
        for position, known in enumerate(threads.map(look_up, items)):
            if known is not None:
                results[position] = known
            on_progress("reading", position + 1, len(items))
    unknown = {position: item for position, item in enumerate(items) if position not in results}
    for done, (position, result) in enumerate(_work_each(work, unknown, jobs), 1):
        results[position] = result
        on_progress(step, done, len(unknown))
    return [results[position] for position in range(len(items))]


def _work_each(work: Callable[[T], U], items: Mapping[int, T], jobs: int) -> Iterator[tuple[int, U]]:
    """Yield the position of each item and its result, in the order in which they are ready."""
    left = dict(items)
    jobs = min(jobs, len(left) // MIN_ITEMS)
    try:
        for position, result in _in_processes(work, items, jobs) if jobs > 1 else ():
            del left[position]
            yield position, result
    except BrokenProcessPool:
        log.warning("a process that worked on submissions was killed; the work continues in this process")
    yield from ((position, work(item)) for position, item in left.items())


def _in_processes(work: Callable[[T], U], items: Mapping[int, T], jobs: int) -> Iterator[tuple[int, U]]:
    # This process may have threads, with which a forked one could hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))
    try:
        positions = {pool.submit(work, item): position for position, item in items.items()}
        for future in as_completed(positions):
            yield positions[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)

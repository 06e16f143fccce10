"""Time that memory learners take to recall, with a memory of the maximum size.

    python benchmarks/recall_speed.py                                 # MiniHack: a few seconds
    python benchmarks/recall_speed.py --suite alfworld-procgen-v1     # longer texts without maps

A memory is filled with real first observations of the suite's experience tasks until it has its maximum size. Then the
first observations of test tasks are queries, each twice, as in a run. The first call builds the index of the memory; it
has a column of its own, because a run makes it once for each memory. The last column spreads it over the episodes that
a turn of the profile `lite` plays with one memory: 3 of experience and 10 of selection. Times are CPU times, so that
other work on the machine does not count. Exits with 1 if an episode takes more than 20 ms.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from contextlib import closing
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from ictbench.plugins import resolve
from ictbench.records import MEMORY_BYTES, Record, canonical_json
from ictbench.reflectors.memory import cheatsheet, expel, playbook, reasoning_bank, workflows
from ictbench.reflectors.memory.retrieval import rank
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.records import Observation
    from ictbench.suites import Suite

LIMIT = 20.0
"""Milliseconds that an episode may take."""
EPISODES = 13
"""Episodes of a turn of the profile `lite`."""
QUERIES = 50
EVENTS = "\n".join(
    ['step e: came onto "%" You see here an apple.', "eat: The apple tastes good. The task was solved."] * 3
)


def expel_memory(starts: Iterator[str], size: Callable[[Record], int]) -> Record:
    """Return the memory of `expel`: solved episodes."""
    items = (expel.Success(start=start, events=f"{number}: {EVENTS}") for number, start in enumerate(starts))
    return expel.Experience(own="", successes=tuple(_filled(items, size)))


def workflows_memory(starts: Iterator[str], size: Callable[[Record], int]) -> Record:
    """Return the memory of `workflows`: each is derived from two episodes."""
    items = (
        workflows.Workflow(name=f"workflow {number}", steps=tuple(EVENTS.split()[:10]), starts=pair)
        for number, pair in enumerate(zip(starts, starts, strict=False))
    )
    return workflows.Workflows(workflows=tuple(_filled(items, size)))


def reasoningbank_memory(starts: Iterator[str], size: Callable[[Record], int]) -> Record:
    """Return the memory of `reasoningbank`: five items for each batch of three episodes."""
    batches = (
        reasoning_bank.Batch(
            items=tuple(
                reasoning_bank.Item(title=f"item {5 * number + one}", description="When it matters.", content=EVENTS)
                for one in range(5)
            ),
            starts=three,
        )
        for number, three in enumerate(zip(starts, starts, starts, strict=False))
    )
    return reasoning_bank.Bank(batches=tuple(_filled(batches, size)))


def ace_memory(starts: Iterator[str], size: Callable[[Record], int]) -> Record:
    """Return the memory of `ace`, whose bullets are limited in number and size."""
    bullets = (
        playbook.Bullet(id=number, kind="strategy", text=f"{number} {start}"[: playbook.BULLET_BYTES])
        for number, start in zip(range(playbook.MAX_BULLETS), starts, strict=False)
    )
    return playbook.Playbook(bullets=tuple(_filled(bullets, size)), last_id=playbook.MAX_BULLETS)


def cheatsheet_memory(starts: Iterator[str], size: Callable[[Record], int]) -> Record:
    """Return the memory of `cheatsheet`, whose entries are limited in number and size."""
    entries = (f"{number} {start}"[: cheatsheet.ENTRY_BYTES] for number, start in enumerate(starts))
    return cheatsheet.CheatSheet.of(itertools.islice(entries, cheatsheet.MAX_ENTRIES))


LEARNERS: dict[str, Callable[[Iterator[str], Callable[[Record], int]], Record]] = {
    "ace": ace_memory,
    "cheatsheet": cheatsheet_memory,
    "expel": expel_memory,
    "reasoningbank": reasoningbank_memory,
    "workflows": workflows_memory,
}
"""Functions that make the largest memory, by learner."""


def main() -> None:
    """Fill the memories, time the calls, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="minihack-v1")
    suite = load_suite(parser.parse_args().suite)
    with closing(resolve("env", suite.env)()) as env:
        queries = [env.reset(task) for task in _tasks(suite, "test", QUERIES)]
        starts = [env.reset(task).text for task in _tasks(suite, "experience", 400)]
    rank("a warm-up that imports the package", ["a text"])
    rows = [row(name, make(itertools.cycle(starts), _size), queries) for name, make in LEARNERS.items()]
    print(tabulate(rows, headers="keys", floatfmt=".1f"))
    if any(values["ms an episode of a turn"] > LIMIT for values in rows):
        sys.exit(f"an episode takes more than {LIMIT:g} ms")


def row(name: str, memory: Record, queries: Sequence[Observation]) -> dict[str, Any]:
    """Return the row of one learner."""
    unasked: Any = object()
    learner = resolve("reflector", name)(unasked)
    value: JsonValue = memory.model_dump(mode="json")
    times = []
    for query in [queries[0], *queries, *queries]:
        clock = time.thread_time()
        text = learner.recall(value, query.text, query.actions)
        times.append(1000 * (time.thread_time() - clock))
        assert text
    first, *others = times
    return {
        "learner": name,
        "memory bytes": _size(memory),
        "ms, first call": first,
        "ms, mean of the others": fmean(others),
        "ms, slowest of the others": max(others),
        "ms an episode of a turn": first / EPISODES + 2 * fmean(others),
    }


def _filled(items: Iterable[Record], size: Callable[[Record], int]) -> Iterator[Any]:
    left = MEMORY_BYTES - 200
    for item in items:
        left -= size(item) + 1
        if left < 0:
            return
        yield item


def _size(record: Record) -> int:
    return len(canonical_json(record.model_dump(mode="json")).encode())


def _tasks(suite: Suite, pool: str, count: int) -> Iterator[Any]:
    """Yield tasks of all families in turn."""
    each = -(-count // len(suite.families))
    for family in suite.families:
        if pool == "test":
            yield from suite.scoring_tasks("test", family, 0, each)
        else:
            yield from suite.experience_order(family, 0, each)


if __name__ == "__main__":
    main()

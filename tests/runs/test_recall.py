"""Starts of tasks and calls of `recall`, apart from a run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from flawed_learners import Endless, Remembers

from ictbench.actors.opening import OPENING_ACTOR
from ictbench.errors import PluginError, WorkerError
from ictbench.records import Memory, Task
from ictbench.rollout import InlineExecutor
from ictbench.runs.recall import Recalls
from ictbench.runs.timed_calls import TooSlowError, in_daemon_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.records import Episode, EpisodeSpec
    from ictbench.rollout import Priority

MEMORY = Memory.of({"turns": [1]})


class Counting(InlineExecutor):
    """Counts the starts of each task, and fails as configured."""

    def __init__(self, error: Callable[[Task], Exception | None] = lambda _: None) -> None:
        super().__init__()
        self.starts: Counter[str] = Counter()
        self.specs: list[EpisodeSpec] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self._error = error

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        self.starts[spec.task.id] += 1
        self.specs.append(spec)
        await self.hold.wait()
        if error := self._error(spec.task):
            raise error
        return await super().play(spec, priority)


def tasks(*names: str) -> list[Task]:
    return [Task(id=name, family="doors", env="flawed_envs:Cellar", params={"seed": len(name)}) for name in names]


def recalls(executor: Counting, learner: Any = Remembers, **options: Any) -> Recalls:
    return Recalls(learner(), "own", executor, **options)


def test_a_task_is_started_once_for_all_that_is_recalled_for_it() -> None:
    async def main() -> None:
        executor = Counting()
        source = recalls(executor)
        one, two = await asyncio.gather(
            source.added(MEMORY, tasks("a", "bb")), source.added(Memory.of({"turns": [1, 2]}), tasks("bb", "ccc"))
        )
        assert one == {"a": "Turns [1] of 'open the red door'.", "bb": "Turns [1] of 'open the red door'."}
        assert two["bb"] == "Turns [1, 2] of 'open the red door'."
        assert executor.starts == {"a": 1, "bb": 1, "ccc": 1}
        assert all(spec.actor == OPENING_ACTOR and spec.max_steps == 1 for spec in executor.specs)
        await source.aclose()
        await executor.aclose()

    asyncio.run(main())


@pytest.mark.parametrize(("memory", "names"), [(Memory.of(None), ["a"]), (MEMORY, [])])
def test_without_a_memory_or_a_task_nothing_is_started(memory: Memory, names: list[str]) -> None:
    async def main() -> None:
        executor = Counting()
        assert await recalls(executor, seconds=0.0).added(memory, tasks(*names)) == {}
        assert not executor.starts

    asyncio.run(main())


def test_a_start_that_fails_is_tried_again_and_fails_no_other_request() -> None:
    async def main() -> None:
        broken = {"bb"}
        executor = Counting(lambda task: WorkerError("lost") if task.id in broken else None)
        source = recalls(executor)
        answers = await asyncio.gather(
            source.added(MEMORY, tasks("a", "bb")), source.added(MEMORY, tasks("a")), return_exceptions=True
        )
        assert isinstance(answers[0], WorkerError)
        assert isinstance(answers[1], dict)
        broken.clear()
        assert (await source.added(MEMORY, tasks("bb", "a"))).keys() == {"a", "bb"}
        assert executor.starts == {"a": 1, "bb": 2}
        await source.aclose()
        await executor.aclose()

    asyncio.run(main())


def test_a_request_that_is_cancelled_leaves_the_starts_to_others() -> None:
    async def main() -> None:
        executor = Counting()
        executor.hold.clear()
        source = recalls(executor)
        one, other = (asyncio.create_task(source.added(MEMORY, tasks("a"))) for _ in range(2))
        await asyncio.sleep(0.01)
        one.cancel()
        await asyncio.sleep(0.01)
        executor.hold.set()
        assert (await other).keys() == {"a"}
        assert one.cancelled()
        assert executor.starts == {"a": 1}
        await source.aclose()
        await executor.aclose()

    asyncio.run(main())


def test_closing_cancels_starts_that_are_in_flight() -> None:
    async def main() -> None:
        executor = Counting()
        executor.hold.clear()
        source = recalls(executor)
        request = asyncio.create_task(source.added(MEMORY, tasks("a")))
        await asyncio.sleep(0.01)
        await source.aclose()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert len(asyncio.all_tasks()) == 1
        await executor.aclose()

    asyncio.run(main())


def test_a_slow_call_is_left_behind_and_others_go_on() -> None:
    async def main() -> float:
        Endless.released.clear()
        executor = Counting()
        source = recalls(executor, Endless, seconds=0.1)
        clock = time.monotonic()
        with pytest.raises(PluginError, match=r"own: recall takes longer than 0.1 s with a memory of 13 bytes"):
            await source.added(MEMORY, tasks("a"))
        Endless.released.set()
        await executor.aclose()
        return time.monotonic() - clock

    assert asyncio.run(main()) < 3


def test_the_limit_is_that_of_each_call() -> None:
    async def main() -> None:
        def work(call: Any) -> int:
            for _ in range(4):
                call(time.sleep, 0.1)
            return 4

        assert await in_daemon_thread(work, 0.3) == 4
        with pytest.raises(TooSlowError):
            await in_daemon_thread(work, 0.05)

    asyncio.run(main())


def test_no_call_is_made_for_one_who_was_cancelled() -> None:
    made: list[int] = []

    def work(call: Any) -> None:
        for number in range(100):
            call(made.append, number)
            call(time.sleep, 0.02)

    async def main() -> None:
        task = asyncio.create_task(in_daemon_thread(work, 5))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.1)
        count = len(made)
        await asyncio.sleep(0.1)
        assert len(made) == count < 100

    asyncio.run(main())


def test_errors_of_the_work_are_raised_where_it_is_awaited() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await in_daemon_thread(lambda call: call(divmod, 1, 0), 5)

    asyncio.run(main())

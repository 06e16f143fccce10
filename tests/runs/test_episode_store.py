from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointDownError, EnvError, InfrastructureError, ModelUnavailableError, WorkerError
from ictbench.models import UsageMeter
from ictbench.records import Episode, EpisodeSpec, PluginSpec, Task, Trajectory, Usage, prompt_digest
from ictbench.rollout import Executor, Priority
from ictbench.runs.circuit_breaker import FAILURES_IN_A_ROW, CircuitBreaker
from ictbench.runs.episode_store import EpisodeStore, episode_slots
from ictbench.runs.failure_watch import FailureWatch
from ictbench.runs.journal import Journal
from ictbench.runs.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


class FakeExecutor(Executor):
    """Executor that plays without delay, or fails as configured."""

    def __init__(self, error: Callable[[str], Exception | None] = lambda task: None) -> None:
        self.played: Counter[str] = Counter()
        self.begun: list[str] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.held: dict[str, asyncio.Event] = {}
        self.version = "1.0"
        self._error = error

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        self.begun.append(spec.task.id)
        await self.held.get(spec.task.id, self.hold).wait()
        self.played[spec.task.id] += 1
        if error := self._error(spec.task.id):
            raise error
        return Episode(
            key=spec.key,
            task=spec.task,
            prompt=prompt_digest(spec.prompt),
            seed=spec.seed,
            replicate=0,
            trajectory=Trajectory(steps=(), last_observation=spec.prompt, last_digest="d", end="solved"),
            usage=Usage(),
            versions={"game": self.version},
        )

    async def aclose(self) -> None:
        pass


def task(name: str) -> Task:
    return Task(id=name, family="a", env="e", params={})


def under(prompt: str) -> Callable[[Task], EpisodeSpec]:
    actor = PluginSpec(label="x", name="x")
    return lambda task: EpisodeSpec(task=task, prompt=prompt, actor=actor, max_steps=3, seed=1)


def key(name: str) -> str:
    return under("p")(task(name)).key


async def outcomes_of(
    store: EpisodeStore, *names: str, prompt: str = "p", priority: Priority = Priority.TEST
) -> list[bool]:
    """Request the outcomes of the tasks of these names."""
    return await store.outcomes([task(name) for name in names], under(prompt), priority)


async def run_pending() -> None:
    """Let all tasks run until they wait."""
    for _ in range(50):
        await asyncio.sleep(0)


async def probe_ok() -> None:
    """Succeed, as a probe of a healthy endpoint."""


async def probe_fails() -> None:
    raise ModelUnavailableError("still down")


def make_store(
    journal: Journal,
    executor: Executor,
    probe: Callable[[], Awaitable[None]] = probe_ok,
    capacity: int = 64,
    meter: UsageMeter | None = None,
) -> EpisodeStore:
    progress = Progress({}, 1, meter or UsageMeter())
    breaker = CircuitBreaker(probe, progress, pause=0.01)
    watch = FailureWatch({"actor": "a", "reflector": "r"}, journal=journal)
    return EpisodeStore(
        journal, executor, progress, breaker, watch, slots=episode_slots(capacity), versions={"game": "1.0"}
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_an_episode_requested_many_times_at_once_is_played_once(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            executor.hold.clear()
            store = make_store(journal, executor)
            many = [asyncio.create_task(outcomes_of(store, "a-1", "a-1")) for _ in range(20)]
            await run_pending()
            executor.hold.set()
            assert await asyncio.gather(*many) == [[True, True]] * 20
            # A later request, for the full trajectory, does not play it again either.
            assert await outcomes_of(store, "a-1") == [True]
            (trajectory,) = await store.trajectories([task("a-1")], under("p"))
            assert trajectory.last_observation == "p"
            assert executor.played == {"a-1": 1}

    asyncio.run(main())


def test_another_prompt_or_task_is_another_episode(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            store = make_store(journal, executor)
            for name, prompt in (("a-1", "p"), ("a-1", "q"), ("a-2", "p")):
                await outcomes_of(store, name, prompt=prompt)
            assert executor.played == {"a-1": 2, "a-2": 1}

    asyncio.run(main())


def test_a_recorded_episode_is_not_played_again(path: Path) -> None:
    async def main() -> None:
        for expected in (1, 0):
            with closing(Journal(path)) as journal:
                executor = FakeExecutor()
                assert await outcomes_of(make_store(journal, executor), "a-1") == [True]
                assert executor.played["a-1"] == expected

    asyncio.run(main())


def test_outcomes_have_the_order_of_the_tasks_and_are_reported_as_they_arrive(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            store = make_store(journal, executor)
            await outcomes_of(store, "a-2")
            executor.held["a-1"] = asyncio.Event()
            reported: list[tuple[bool, bool]] = []
            names = [task(name) for name in ("a-1", "a-2", "a-3")]
            outcomes = asyncio.create_task(
                store.outcomes(
                    names, under("p"), Priority.TEST, lambda solved, recorded: reported.append((solved, recorded))
                )
            )
            await run_pending()
            # One comes from the journal, one was played; the first is still in flight.
            assert reported == [(True, True), (True, False)]
            executor.held["a-1"].set()
            assert await outcomes == [True] * 3
            assert reported == [(True, True), (True, False), (True, False)]

    asyncio.run(main())


@pytest.mark.parametrize("kind", [ModelUnavailableError, EnvError])
def test_an_infrastructure_failure_leaves_the_episode_owed(path: Path, kind: type[InfrastructureError]) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            broken = [True]
            store = make_store(journal, FakeExecutor(lambda task: kind("it broke") if broken[0] else None))
            answers = await asyncio.gather(*(outcomes_of(store, "a-1") for _ in range(3)), return_exceptions=True)
            assert [type(answer) for answer in answers] == [kind] * 3
            assert store.owed == {key("a-1"): "it broke"}
            assert journal.keys() == []
            # It does not count as a failure: requested again, it is played again.
            broken[0] = False
            assert await outcomes_of(store, "a-1") == [True]
            assert store.owed == {}

    asyncio.run(main())


def test_other_episodes_are_played_although_one_is_owed(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            store = make_store(
                journal, FakeExecutor(lambda task: EnvError("it broke") if task == "a-2" else None), capacity=1
            )
            with pytest.raises(EnvError):
                await outcomes_of(store, "a-1", "a-2", "a-3", "a-4")
            assert journal.keys() == [key(name) for name in ("a-1", "a-3", "a-4")]

    asyncio.run(main())


def test_a_bug_does_not_leave_an_episode_owed(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            store = make_store(journal, FakeExecutor(lambda task: ZeroDivisionError("a bug")))
            with pytest.raises(ZeroDivisionError):
                await outcomes_of(store, "a-1")
            assert store.owed == {}

    asyncio.run(main())


def test_a_bug_is_raised_rather_than_a_simultaneous_infrastructure_failure(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            store = make_store(
                journal, FakeExecutor(lambda task: EnvError("it broke") if task == "a-1" else KeyError("a bug"))
            )
            with pytest.raises(KeyError):
                await outcomes_of(store, "a-1", "a-2")

    asyncio.run(main())


# Capacity and priorities


@pytest.mark.parametrize("capacity", [1, 3])
def test_the_capacity_bounds_the_episodes_in_flight(path: Path, capacity: int) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            executor.hold.clear()
            store = make_store(journal, executor, capacity=capacity)
            names = [f"a-{number}" for number in range(12)]
            executor.held = {name: asyncio.Event() for name in names}
            outcomes = asyncio.create_task(outcomes_of(store, *names))
            for number, name in enumerate(names):
                await run_pending()
                assert executor.begun == names[: number + capacity]
                executor.held[name].set()
            assert await outcomes == [True] * 12

    asyncio.run(main())


def test_waiting_episodes_are_played_by_priority_then_by_arrival(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            executor.hold.clear()
            store = make_store(journal, executor, capacity=1)
            waiting = []
            for names, priority in [
                (["first"], Priority.TEST),
                (["test a", "test b"], Priority.TEST),
                (["selection a", "selection b"], Priority.SELECTION),
                (["test c"], Priority.TEST),
                (["selection c"], Priority.SELECTION),
            ]:
                waiting.append(asyncio.create_task(outcomes_of(store, *names, priority=priority)))
                await run_pending()
            executor.hold.set()
            await asyncio.gather(*waiting)
            assert executor.begun == [
                *("first", "selection a", "selection b", "selection c"),
                *("test a", "test b", "test c"),
            ]

    asyncio.run(main())


def test_experience_does_not_wait_for_scoring(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            executor.held = {name: asyncio.Event() for name in ("test a", "test b")}
            store = make_store(journal, executor, capacity=1)
            scoring = asyncio.create_task(outcomes_of(store, "test a", "test b"))
            await run_pending()
            async with asyncio.timeout(30):
                played = await store.trajectories([task("a-1"), task("a-2")], under("p"))
            assert len(played) == 2
            assert executor.begun == ["test a", "a-1", "a-2"]
            for event in executor.held.values():
                event.set()
            await scoring

    asyncio.run(main())


def test_a_failed_episode_releases_its_slot(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor(lambda task: None if task == "ring" else EnvError("it broke"))
            store = make_store(journal, executor, capacity=1)
            answers = await asyncio.gather(
                *(outcomes_of(store, name) for name in ("crack a", "crack b", "ring")), return_exceptions=True
            )
            assert [type(answer) for answer in answers] == [EnvError, EnvError, list]

    asyncio.run(main())


def test_a_cancelled_waiter_leaves_the_queue(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            executor.hold.clear()
            store = make_store(journal, executor, capacity=1)
            first = asyncio.create_task(outcomes_of(store, "a-1"))
            await run_pending()
            impatient = asyncio.create_task(outcomes_of(store, "a-2"))
            patient = asyncio.create_task(outcomes_of(store, "a-3"))
            await run_pending()
            impatient.cancel()
            executor.hold.set()
            assert [await first, await patient] == [[True], [True]]
            assert executor.begun == ["a-1", "a-3"]

    asyncio.run(main())


# Records


def test_usage_is_recorded_with_every_episode(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            meter = UsageMeter()
            store = make_store(journal, FakeExecutor(), meter=meter)
            for calls in (2, 5):
                meter.count(Usage(calls=calls))
                await outcomes_of(store, f"a-{calls}")
                assert journal.get("spent")["calls"] == meter.spent.calls

    asyncio.run(main())


def test_a_worker_with_another_game_version_stops_the_run(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            executor.version = "1.1"
            with pytest.raises(WorkerError, match=r"plays with game 1\.1, but this run uses 1\.0"):
                await outcomes_of(make_store(journal, executor), "a-1")
            assert journal.keys() == []

    asyncio.run(main())


# Outages


def failures(path: Path, error: Callable[[str], Exception | None], probe: Any, attempts: int) -> list[Any]:
    """Return the error types, or the outcomes, of some episodes played one after the other."""

    async def main() -> list[Any]:
        with closing(Journal(path)) as journal:
            store = make_store(journal, FakeExecutor(error), probe)
            results: list[Any] = []
            for number in range(attempts):
                (answer,) = await asyncio.gather(outcomes_of(store, f"a-{number}"), return_exceptions=True)
                results.append(type(answer) if isinstance(answer, BaseException) else answer)
            return results

    return asyncio.run(main())


def overloaded(task: str) -> Exception:
    return ModelUnavailableError("HTTP 503")


def test_eight_failures_in_a_row_and_a_failed_probe_stop_the_run(path: Path) -> None:
    assert FAILURES_IN_A_ROW == 8
    assert failures(path, overloaded, probe_fails, 9) == [ModelUnavailableError] * 7 + [EndpointDownError] * 2


def test_episodes_that_waited_for_the_breaker_are_not_owed_after_a_short_outage(path: Path) -> None:
    down = [True]

    async def back_up() -> None:
        down[0] = False

    results = failures(path, lambda task: overloaded(task) if down[0] else None, back_up, 10)
    assert results == [ModelUnavailableError] * 7 + [[True]] * 3


def test_a_success_resets_the_count_of_failures(path: Path) -> None:
    results = failures(path, lambda task: None if task == "a-7" else overloaded(task), probe_fails, 16)
    assert results[8:] == [ModelUnavailableError] * 7 + [EndpointDownError]


def test_a_success_without_the_endpoint_does_not_reset_the_count(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            store = make_store(journal, FakeExecutor(overloaded), probe_fails)
            for number in range(FAILURES_IN_A_ROW - 1):
                with pytest.raises(ModelUnavailableError):
                    await outcomes_of(store, f"a-{number}")
                assert await store.attempt("recall", lambda: asyncio.sleep(0, "text"), uses_endpoint=False) == "text"
            with pytest.raises(EndpointDownError):
                await outcomes_of(store, "a-7")

    asyncio.run(main())


def test_a_run_stops_although_its_probes_succeed_if_its_work_always_fails(path: Path) -> None:
    assert EndpointDownError in failures(path, overloaded, probe_ok, 40)


def test_the_error_that_stops_a_run_names_the_failure(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            store = make_store(journal, FakeExecutor(overloaded), probe_fails)
            *_, last = await asyncio.gather(*(outcomes_of(store, f"a-{n}") for n in range(8)), return_exceptions=True)
            assert "8 attempts in a row failed" in str(last)
            assert "still down" in str(last)

    asyncio.run(main())


def test_closing_cancels_episodes_in_flight(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = FakeExecutor()
            executor.hold.clear()
            store = make_store(journal, executor)
            waiting = asyncio.create_task(outcomes_of(store, "a-1"))
            await run_pending()
            await store.aclose()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert journal.keys() == []

    asyncio.run(main())

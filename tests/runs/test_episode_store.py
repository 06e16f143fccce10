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
from ictbench.runs.episode_store import EpisodeStore
from ictbench.runs.journal import Journal
from ictbench.runs.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


class Playing(Executor):
    """Plays at once, or fails as it is told."""

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


async def asked(known: EpisodeStore, *names: str, prompt: str = "p", priority: Priority = Priority.TEST) -> list[bool]:
    """Whether the episodes of tasks of these names are solved."""
    return await known.outcomes([task(name) for name in names], under(prompt), priority)


async def settled() -> None:
    """All has gone on that could."""
    for _ in range(50):
        await asyncio.sleep(0)


async def answers() -> None:
    """A probe that finds everything well."""


async def still_down() -> None:
    raise ModelUnavailableError("still down")


def make_store(
    journal: Journal,
    executor: Executor,
    probe: Callable[[], Awaitable[None]] = answers,
    capacity: int = 64,
    meter: UsageMeter | None = None,
) -> EpisodeStore:
    progress = Progress({}, 1, meter or UsageMeter())
    breaker = CircuitBreaker(probe, progress, pause=0.01)
    return EpisodeStore(journal, executor, progress, breaker, capacity=capacity, versions={"game": "1.0"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_an_episode_asked_for_many_times_at_once_is_played_once(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.hold.clear()
            known = make_store(journal, executor)
            many = [asyncio.create_task(asked(known, "a-1", "a-1")) for _ in range(20)]
            await settled()
            executor.hold.set()
            assert await asyncio.gather(*many) == [[True, True]] * 20
            # Asked for again later, and with all its steps: still not played again.
            assert await asked(known, "a-1") == [True]
            (trajectory,) = await known.trajectories([task("a-1")], under("p"))
            assert trajectory.last_observation == "p"
            assert executor.played == {"a-1": 1}

    asyncio.run(main())


def test_another_prompt_or_task_is_another_episode(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            known = make_store(journal, executor)
            for name, prompt in (("a-1", "p"), ("a-1", "q"), ("a-2", "p")):
                await asked(known, name, prompt=prompt)
            assert executor.played == {"a-1": 2, "a-2": 1}

    asyncio.run(main())


def test_what_the_journal_holds_is_not_played(path: Path) -> None:
    async def main() -> None:
        for expected in (1, 0):
            with closing(Journal(path)) as journal:
                executor = Playing()
                assert await asked(make_store(journal, executor), "a-1") == [True]
                assert executor.played["a-1"] == expected

    asyncio.run(main())


def test_outcomes_come_in_the_order_of_the_tasks_and_each_is_told_as_it_is_known(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            known = make_store(journal, executor)
            await asked(known, "a-2")
            executor.held["a-1"] = asyncio.Event()
            told: list[tuple[bool, bool]] = []
            names = [task(name) for name in ("a-1", "a-2", "a-3")]
            outcomes = asyncio.create_task(
                known.outcomes(names, under("p"), Priority.TEST, lambda solved, found: told.append((solved, found)))
            )
            await settled()
            # One of the journal, one played; the first is still being played.
            assert told == [(True, True), (True, False)]
            executor.held["a-1"].set()
            assert await outcomes == [True] * 3
            assert told == [(True, True), (True, False), (True, False)]

    asyncio.run(main())


@pytest.mark.parametrize("kind", [ModelUnavailableError, EnvError])
def test_an_infrastructure_failure_leaves_the_episode_owed(path: Path, kind: type[InfrastructureError]) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            broken = [True]
            known = make_store(journal, Playing(lambda task: kind("it broke") if broken[0] else None))
            answers = await asyncio.gather(*(asked(known, "a-1") for _ in range(3)), return_exceptions=True)
            assert [type(answer) for answer in answers] == [kind] * 3
            assert known.owed == {key("a-1"): "it broke"}
            assert journal.keys() == []
            # It is no failure in the denominator: asked for again, it is played again.
            broken[0] = False
            assert await asked(known, "a-1") == [True]
            assert known.owed == {}

    asyncio.run(main())


def test_where_one_is_owed_all_others_are_played(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            known = make_store(
                journal, Playing(lambda task: EnvError("it broke") if task == "a-2" else None), capacity=1
            )
            with pytest.raises(EnvError):
                await asked(known, "a-1", "a-2", "a-3", "a-4")
            assert journal.keys() == [key(name) for name in ("a-1", "a-3", "a-4")]

    asyncio.run(main())


def test_a_bug_is_no_infrastructure_failure(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            known = make_store(journal, Playing(lambda task: ZeroDivisionError("a bug")))
            with pytest.raises(ZeroDivisionError):
                await asked(known, "a-1")
            assert known.owed == {}

    asyncio.run(main())


def test_a_bug_is_told_rather_than_what_is_owed_beside_it(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            known = make_store(
                journal, Playing(lambda task: EnvError("it broke") if task == "a-1" else KeyError("a bug"))
            )
            with pytest.raises(KeyError):
                await asked(known, "a-1", "a-2")

    asyncio.run(main())


# How many at a time, and which first


@pytest.mark.parametrize("capacity", [1, 3])
def test_as_many_episodes_are_in_flight_as_allowed_and_never_more(path: Path, capacity: int) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.hold.clear()
            known = make_store(journal, executor, capacity=capacity)
            names = [f"a-{number}" for number in range(12)]
            executor.held = {name: asyncio.Event() for name in names}
            outcomes = asyncio.create_task(asked(known, *names))
            for number, name in enumerate(names):
                await settled()
                assert executor.begun == names[: number + capacity]
                executor.held[name].set()
            assert await outcomes == [True] * 12

    asyncio.run(main())


def test_what_queues_is_played_by_priority_and_then_in_order_of_arrival(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.hold.clear()
            known = make_store(journal, executor, capacity=1)
            waiting = []
            for names, priority in [
                (["first"], Priority.TEST),
                (["test a", "test b"], Priority.TEST),
                (["selection a", "selection b"], Priority.SELECTION),
                (["test c"], Priority.TEST),
                (["selection c"], Priority.SELECTION),
            ]:
                waiting.append(asyncio.create_task(asked(known, *names, priority=priority)))
                await settled()
            executor.hold.set()
            await asyncio.gather(*waiting)
            assert executor.begun == [
                *("first", "selection a", "selection b", "selection c"),
                *("test a", "test b", "test c"),
            ]

    asyncio.run(main())


def test_experience_does_not_wait_for_scoring_to_end(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.held = {name: asyncio.Event() for name in ("test a", "test b")}
            known = make_store(journal, executor, capacity=1)
            scoring = asyncio.create_task(asked(known, "test a", "test b"))
            await settled()
            async with asyncio.timeout(30):
                played = await known.trajectories([task("a-1"), task("a-2")], under("p"))
            assert len(played) == 2
            assert executor.begun == ["test a", "a-1", "a-2"]
            for event in executor.held.values():
                event.set()
            await scoring

    asyncio.run(main())


def test_a_broken_episode_gives_its_slot_back(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing(lambda task: None if task == "ring" else EnvError("it broke"))
            known = make_store(journal, executor, capacity=1)
            answers = await asyncio.gather(
                *(asked(known, name) for name in ("crack a", "crack b", "ring")), return_exceptions=True
            )
            assert [type(answer) for answer in answers] == [EnvError, EnvError, list]

    asyncio.run(main())


def test_one_who_stops_waiting_gives_his_place_up(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.hold.clear()
            known = make_store(journal, executor, capacity=1)
            first = asyncio.create_task(asked(known, "a-1"))
            await settled()
            impatient = asyncio.create_task(asked(known, "a-2"))
            patient = asyncio.create_task(asked(known, "a-3"))
            await settled()
            impatient.cancel()
            executor.hold.set()
            assert [await first, await patient] == [[True], [True]]
            assert executor.begun == ["a-1", "a-3"]

    asyncio.run(main())


# What is recorded


def test_what_was_spent_is_recorded_with_every_episode(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            meter = UsageMeter()
            known = make_store(journal, Playing(), meter=meter)
            for calls in (2, 5):
                meter.count(Usage(calls=calls))
                await asked(known, f"a-{calls}")
                assert journal.get("spent")["calls"] == meter.spent.calls

    asyncio.run(main())


def test_a_worker_with_another_game_is_refused(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.version = "1.1"
            with pytest.raises(WorkerError, match=r"plays with game 1\.1, but this run uses 1\.0"):
                await asked(make_store(journal, executor), "a-1")
            assert journal.keys() == []

    asyncio.run(main())


# Outages


def failures(path: Path, error: Callable[[str], Exception | None], probe: Any, attempts: int) -> list[Any]:
    """The types of the errors, or the outcomes, of so many episodes one after the other."""

    async def main() -> list[Any]:
        with closing(Journal(path)) as journal:
            known = make_store(journal, Playing(error), probe)
            found: list[Any] = []
            for number in range(attempts):
                (answer,) = await asyncio.gather(asked(known, f"a-{number}"), return_exceptions=True)
                found.append(type(answer) if isinstance(answer, BaseException) else answer)
            return found

    return asyncio.run(main())


def busy(task: str) -> Exception:
    return ModelUnavailableError("HTTP 503")


def test_eight_failures_in_a_row_and_a_probe_that_fails_stop_the_run(path: Path) -> None:
    assert FAILURES_IN_A_ROW == 8
    assert failures(path, busy, still_down, 9) == [ModelUnavailableError] * 7 + [EndpointDownError] * 2


def test_after_an_outage_that_a_pause_outlasts_nothing_is_owed_that_met_the_breaker(path: Path) -> None:
    down = [True]

    async def back_up() -> None:
        down[0] = False

    found = failures(path, lambda task: busy(task) if down[0] else None, back_up, 10)
    assert found == [ModelUnavailableError] * 7 + [[True]] * 3


def test_a_success_in_between_keeps_the_run_going(path: Path) -> None:
    found = failures(path, lambda task: None if task == "a-7" else busy(task), still_down, 16)
    assert found[8:] == [ModelUnavailableError] * 7 + [EndpointDownError]


def test_a_probe_that_succeeds_where_the_work_does_not_is_not_believed_for_ever(path: Path) -> None:
    assert EndpointDownError in failures(path, busy, answers, 40)


def test_the_error_that_stops_a_run_says_what_failed(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            known = make_store(journal, Playing(busy), still_down)
            *_, last = await asyncio.gather(*(asked(known, f"a-{n}") for n in range(8)), return_exceptions=True)
            assert "8 attempts in a row failed" in str(last)
            assert "still down" in str(last)

    asyncio.run(main())


def test_closing_lets_go_of_what_is_still_played(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.hold.clear()
            known = make_store(journal, executor)
            waiting = asyncio.create_task(asked(known, "a-1"))
            await settled()
            await known.aclose()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert journal.keys() == []

    asyncio.run(main())

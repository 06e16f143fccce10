from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.engine import Executor, Priority
from ictbench.errors import EndpointDownError, EnvError, InfrastructureError, ModelUnavailableError
from ictbench.models import Meter
from ictbench.records import Episode, EpisodeSpec, PluginSpec, Task, Trajectory, Usage, prompt_digest
from ictbench.runner.breaker import FAILURES_IN_A_ROW, Breaker
from ictbench.runner.journal import Journal
from ictbench.runner.ledger import Ledger
from ictbench.runner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


class Playing(Executor):
    """Plays at once, or fails as it is told."""

    def __init__(self, error: Callable[[str], Exception | None] = lambda task: None) -> None:
        self.played: Counter[str] = Counter()
        self.hold = asyncio.Event()
        self.hold.set()
        self._error = error

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        await self.hold.wait()
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
            versions={},
        )

    async def aclose(self) -> None:
        pass


def spec(name: str = "a-1", prompt: str = "p") -> EpisodeSpec:
    return EpisodeSpec(
        task=Task(id=name, family="a", env="e", params={}),
        prompt=prompt,
        actor=PluginSpec(label="x", name="x"),
        max_steps=3,
        seed=1,
    )


async def answers() -> None:
    """A probe that finds everything well."""


async def still_down() -> None:
    raise ModelUnavailableError("still down")


def ledger(journal: Journal, executor: Executor, probe: Callable[[], Awaitable[None]] = answers) -> Ledger:
    progress = Progress({}, 1, Meter())
    return Ledger(journal, executor, progress, Breaker(probe, progress, pause=0.01))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_an_episode_asked_for_many_times_at_once_is_played_once(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.hold.clear()
            known = ledger(journal, executor)
            asked = [asyncio.create_task(known.summary(spec(), Priority.TEST)) for _ in range(20)]
            await asyncio.sleep(0)
            executor.hold.set()
            answers = await asyncio.gather(*asked)
            assert len({answer.key for answer in answers}) == 1
            # Asked for again later, and with all its steps: still not played again.
            assert await known.summary(spec(), Priority.TEST) == answers[0]
            assert (await known.trajectory(spec(), Priority.EXPERIENCE)).last_observation == "p"
            assert executor.played == {"a-1": 1}

    asyncio.run(main())


def test_another_prompt_or_task_is_another_episode(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            known = ledger(journal, executor)
            for one in (spec("a-1", "p"), spec("a-1", "q"), spec("a-2", "p")):
                await known.summary(one, Priority.TEST)
            assert executor.played == {"a-1": 2, "a-2": 1}

    asyncio.run(main())


def test_what_the_journal_holds_is_not_played(path: Path) -> None:
    async def main() -> None:
        for expected in (1, 0):
            with closing(Journal(path)) as journal:
                executor = Playing()
                assert (await ledger(journal, executor).trajectory(spec(), Priority.TEST)).solved
                assert executor.played["a-1"] == expected

    asyncio.run(main())


@pytest.mark.parametrize("kind", [ModelUnavailableError, EnvError])
def test_an_infrastructure_failure_leaves_the_episode_owed(path: Path, kind: type[InfrastructureError]) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            broken = [True]
            known = ledger(journal, Playing(lambda task: kind("it broke") if broken[0] else None))
            asked = [known.summary(spec(), Priority.TEST) for _ in range(3)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert [type(answer) for answer in answers] == [kind] * 3
            assert known.owed == {spec().key: "it broke"}
            assert journal.keys() == []
            # It is no failure in the denominator: asked for again, it is played again.
            broken[0] = False
            assert (await known.summary(spec(), Priority.TEST)).solved

    asyncio.run(main())


def test_a_bug_is_no_infrastructure_failure(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            known = ledger(journal, Playing(lambda task: ZeroDivisionError("a bug")))
            with pytest.raises(ZeroDivisionError):
                await known.summary(spec(), Priority.TEST)
            assert known.owed == {}

    asyncio.run(main())


def failures(path: Path, error: Callable[[str], Exception | None], probe: Any, attempts: int) -> list[Any]:
    """The types of the errors, or the keys, of so many episodes one after the other."""

    async def main() -> list[Any]:
        with closing(Journal(path)) as journal:
            known = ledger(journal, Playing(error), probe)
            found: list[Any] = []
            for number in range(attempts):
                one = known.summary(spec(f"a-{number}"), Priority.TEST)
                found += await asyncio.gather(one, return_exceptions=True)
            return [type(a) if isinstance(a, BaseException) else getattr(a, "key", None) for a in found]

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
    assert found[:7] == [ModelUnavailableError] * 7
    assert found[7:] == [spec(f"a-{number}").key for number in (7, 8, 9)]


def test_a_success_in_between_keeps_the_run_going(path: Path) -> None:
    found = failures(path, lambda task: None if task == "a-7" else busy(task), still_down, 16)
    assert found[8:] == [ModelUnavailableError] * 7 + [EndpointDownError]


def test_a_probe_that_succeeds_where_the_work_does_not_is_not_believed_for_ever(path: Path) -> None:
    assert EndpointDownError in failures(path, busy, answers, 40)


def test_the_error_that_stops_a_run_says_what_failed(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            known = ledger(journal, Playing(busy), still_down)
            asked = (known.summary(spec(f"a-{number}"), Priority.TEST) for number in range(8))
            *_, last = await asyncio.gather(*asked, return_exceptions=True)
            assert "8 attempts in a row failed" in str(last)
            assert "still down" in str(last)

    asyncio.run(main())


def test_closing_lets_go_of_what_is_still_played(path: Path) -> None:
    async def main() -> None:
        with closing(Journal(path)) as journal:
            executor = Playing()
            executor.hold.clear()
            known = ledger(journal, executor)
            asked = asyncio.create_task(known.summary(spec(), Priority.TEST))
            await asyncio.sleep(0)
            await known.aclose()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert journal.keys() == []

    asyncio.run(main())

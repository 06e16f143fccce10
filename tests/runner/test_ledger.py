from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.engine import Executor, Priority
from ictbench.errors import EndpointDownError, EnvError, InfrastructureError, ModelUnavailableError
from ictbench.records import Episode, EpisodeSpec, PluginSpec, Task, Trajectory, Usage, prompt_digest
from ictbench.runner.journal import Journal
from ictbench.runner.ledger import MAX_OWED_IN_A_ROW, Ledger
from ictbench.runner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
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


def ledger(journal: Journal, executor: Executor) -> Ledger:
    return Ledger(journal, executor, Progress({}, 1))


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


def failures(path: Path, working: set[int], attempts: int) -> list[Any]:
    """The errors of so many episodes one after the other, of which those in `working` succeed."""

    async def main() -> list[Any]:
        with closing(Journal(path)) as journal:

            def error(task: str) -> Exception | None:
                return None if int(task.split("-")[1]) in working else ModelUnavailableError("HTTP 503")

            known = ledger(journal, Playing(error))
            asked = (known.summary(spec(f"a-{number}"), Priority.TEST) for number in range(attempts))
            found = [(await asyncio.gather(one, return_exceptions=True))[0] for one in asked]
            return [
                type(answer) if isinstance(answer, BaseException) else getattr(answer, "key", None) for answer in found
            ]

    return asyncio.run(main())


def test_eight_failures_in_a_row_stop_the_run(path: Path) -> None:
    assert MAX_OWED_IN_A_ROW == 8
    assert failures(path, set(), 8) == [ModelUnavailableError] * 7 + [EndpointDownError]


def test_a_success_in_between_keeps_the_run_going(path: Path) -> None:
    found = failures(path, {7}, 16)
    assert found[:7] == [ModelUnavailableError] * 7
    assert found[8:] == [ModelUnavailableError] * 7 + [EndpointDownError]


def test_the_error_that_stops_a_run_says_what_failed(path: Path) -> None:
    with closing(Journal(path)) as journal:
        known = ledger(journal, Playing())
        for number in range(7):
            known.count_failure(f"reflection {number}", ModelUnavailableError("HTTP 503"))
        with pytest.raises(EndpointDownError, match=r"the last 8 attempts failed: HTTP 503"):
            known.count_failure("reflection 7", ModelUnavailableError("HTTP 503"))


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

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pytest

from ictbench.envs import TextEnv
from ictbench.errors import EnvError
from ictbench.records import Observation, Task
from ictbench.rollout.env_pool import SPARE, EnvPool

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Hall(TextEnv):
    """Instances fit tasks of one colour."""

    made: ClassVar[list[Hall]] = []

    def __init__(self) -> None:
        self.closed = False
        self.made.append(self)

    @classmethod
    def pool_key(cls, task: Task) -> str:
        return str(task.params["colour"])

    def reset(self, task: Task) -> Observation:
        raise NotImplementedError

    def step(self, action: str) -> Observation:
        raise NotImplementedError

    def close(self) -> None:
        assert not self.closed
        self.closed = True

    def versions(self) -> dict[str, str]:
        return {}


class Locked(Hall):
    """Cannot be made."""

    def __init__(self) -> None:
        raise EnvError("the hall is locked")


@pytest.fixture(autouse=True)
def halls(monkeypatch: pytest.MonkeyPatch) -> list[Hall]:
    made: list[Hall] = []
    monkeypatch.setattr(Hall, "made", made)
    return made


def task(colour: int, env: type[Hall] = Hall) -> Task:
    return Task(id="hall-1", family="hall", env=f"{__name__}:{env.__name__}", params={"colour": colour})


async def call(function: Callable[..., T], *args: Any) -> T:
    await asyncio.sleep(0)
    return function(*args)


async def use(envs: EnvPool, *colours: int) -> list[TextEnv]:
    """Environments for tasks of these colours, one after the other."""
    used = []
    for colour in colours:
        async with envs.fitting(task(colour)) as env:
            used.append(env)
    return used


def still_open(halls: list[Hall]) -> list[Hall]:
    return [hall for hall in halls if not hall.closed]


def test_as_many_stay_open_as_were_in_use_at_once_and_a_few_more(halls: list[Hall]) -> None:
    async def go() -> None:
        envs = EnvPool(call)
        for colour in range(100):
            await use(envs, colour)
            assert len(still_open(halls)) <= 1 + SPARE
        async with AsyncExitStack() as stack:
            for colour in range(100, 180):
                await stack.enter_async_context(envs.fitting(task(colour)))
        assert len(still_open(halls)) <= 80 + 80 // 4
        assert len(still_open(halls)) >= 80
        await envs.aclose()
        assert still_open(halls) == []

    asyncio.run(go())


def test_the_one_idle_for_longest_goes_first(halls: list[Hall]) -> None:
    async def go() -> None:
        envs = EnvPool(call)
        await use(envs, *range(1 + SPARE))
        assert len(still_open(halls)) == 1 + SPARE
        # The first colour's turn comes again, so the second is the one that has waited for longest.
        assert await use(envs, 0) == [halls[0]]
        await use(envs, 100)
        assert [hall.closed for hall in halls[:3]] == [False, True, False]
        await envs.aclose()

    asyncio.run(go())


def test_one_that_has_played_its_share_is_retired(halls: list[Hall]) -> None:
    async def go() -> None:
        envs = EnvPool(call, retire_after=3)
        used = await use(envs, *[0] * 7)
        assert [halls.index(hall) for hall in used if isinstance(hall, Hall)] == [0, 0, 0, 1, 1, 1, 2]
        assert [hall.closed for hall in halls] == [True, True, False]
        await envs.aclose()

    asyncio.run(go())


def test_one_whose_episode_broke_off_is_closed_and_its_place_free(halls: list[Hall]) -> None:
    async def go() -> None:
        envs = EnvPool(call)
        for _ in range(50):
            with pytest.raises(EnvError):
                async with envs.fitting(task(0)):
                    raise EnvError("it broke")
        assert all(hall.closed for hall in halls)
        for _ in range(50):
            with pytest.raises(EnvError, match="locked"):
                async with envs.fitting(task(0, Locked)):
                    pass
        # Had any of them kept its place, more would stay open now.
        await use(envs, *range(100))
        assert len(still_open(halls)) == 1 + SPARE
        await envs.aclose()

    asyncio.run(go())


def test_two_in_use_are_two_although_they_fit_the_same_task(halls: list[Hall]) -> None:
    async def go() -> None:
        envs = EnvPool(call)
        async with envs.fitting(task(0)) as one, envs.fitting(task(0)) as other:
            assert one is not other
        assert set(await use(envs, 0, 0)) <= {one, other}
        await envs.aclose()
        assert len(halls) == 2

    asyncio.run(go())

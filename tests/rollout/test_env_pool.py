from __future__ import annotations

from contextlib import ExitStack
from typing import ClassVar

import pytest

from ictbench.envs import TextEnv
from ictbench.errors import EnvError, PluginError
from ictbench.records import Observation, Task
from ictbench.rollout.env_pool import MIN_SPARE, EnvPool


class ColouredEnv(TextEnv):
    """Environment whose instances fit tasks of one colour."""

    created: ClassVar[list[ColouredEnv]] = []

    def __init__(self) -> None:
        self.closed = False
        self.created.append(self)

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


class BrokenEnv(ColouredEnv):
    """Environment that cannot be created."""

    def __init__(self) -> None:
        raise EnvError("cannot be created")


class FaultyEnv(ColouredEnv):
    """Environment of somebody else that raises what it likes."""

    def __init__(self) -> None:
        raise KeyError("colour")


class UnclosableEnv(ColouredEnv):
    """Environment that raises when it is closed."""

    def close(self) -> None:
        super().close()
        raise OSError("the socket is gone")


@pytest.fixture(autouse=True)
def created(monkeypatch: pytest.MonkeyPatch) -> list[ColouredEnv]:
    envs: list[ColouredEnv] = []
    monkeypatch.setattr(ColouredEnv, "created", envs)
    return envs


def task(colour: int, env: type[ColouredEnv] = ColouredEnv) -> Task:
    return Task(id="task-1", family="family", env=f"{__name__}:{env.__name__}", params={"colour": colour})


def lend(pool: EnvPool, *colours: int) -> list[TextEnv]:
    """Lend environments for tasks of these colours, one after the other."""
    lent = []
    for colour in colours:
        with pool.lend(task(colour)) as env:
            lent.append(env)
    return lent


def still_open(envs: list[ColouredEnv]) -> list[ColouredEnv]:
    return [env for env in envs if not env.closed]


def test_pool_keeps_as_many_open_as_were_lent_at_once_and_a_few_spare(created: list[ColouredEnv]) -> None:
    pool = EnvPool()
    for colour in range(100):
        lend(pool, colour)
        assert len(still_open(created)) <= 1 + MIN_SPARE
    with ExitStack() as stack:
        for colour in range(100, 180):
            stack.enter_context(pool.lend(task(colour)))
    assert len(still_open(created)) <= 80 + 80 // 4
    assert len(still_open(created)) >= 80
    pool.close()
    assert still_open(created) == []


def test_pool_closes_the_least_recently_used_first(created: list[ColouredEnv]) -> None:
    pool = EnvPool()
    lend(pool, *range(1 + MIN_SPARE))
    assert len(still_open(created)) == 1 + MIN_SPARE
    # The first environment is used again, so the second one is now the least recently used.
    assert lend(pool, 0) == [created[0]]
    lend(pool, 100)
    assert [env.closed for env in created[:3]] == [False, True, False]
    pool.close()


def test_environment_is_replaced_after_its_maximum_of_episodes(created: list[ColouredEnv]) -> None:
    pool = EnvPool(max_episodes=3)
    lent = lend(pool, *[0] * 7)
    assert [created.index(env) for env in lent if isinstance(env, ColouredEnv)] == [0, 0, 0, 1, 1, 1, 2]
    assert [env.closed for env in created] == [True, True, False]
    pool.close()


def test_environment_of_a_failed_episode_is_closed_and_not_counted_as_lent(created: list[ColouredEnv]) -> None:
    pool = EnvPool()
    for _ in range(50):
        with pytest.raises(EnvError), pool.lend(task(0)):
            raise EnvError("it broke")
    assert all(env.closed for env in created)
    for _ in range(50):
        with pytest.raises(EnvError, match="cannot be created"), pool.lend(task(0, BrokenEnv)):
            pass
    # If failed episodes still counted as lent, more environments would stay open now.
    lend(pool, *range(100))
    assert len(still_open(created)) == 1 + MIN_SPARE
    pool.close()


def test_exception_of_a_constructor_names_its_line() -> None:
    message = r"FaultyEnv, creation of task .*: KeyError: 'colour' \(.*test_env_pool.py, line \d+, in __init__"
    with pytest.raises(PluginError, match=message), EnvPool().lend(task(0, FaultyEnv)):
        pass


def test_exception_of_close_loses_no_episode(created: list[ColouredEnv], caplog: pytest.LogCaptureFixture) -> None:
    pool = EnvPool(max_episodes=1)
    with pool.lend(task(0, UnclosableEnv)):
        pass
    with pytest.raises(EnvError, match="it broke"), pool.lend(task(0, UnclosableEnv)):
        raise EnvError("it broke")
    pool = EnvPool()
    with pool.lend(task(0, UnclosableEnv)):
        pass
    pool.close()
    assert [env.closed for env in created] == [True] * 3
    assert caplog.text.count("cannot be closed: OSError: the socket is gone") == 3


def test_two_environments_are_lent_at_once_for_equal_tasks(created: list[ColouredEnv]) -> None:
    pool = EnvPool()
    with pool.lend(task(0)) as first, pool.lend(task(0)) as second:
        assert first is not second
    assert set(lend(pool, 0, 0)) <= {first, second}
    pool.close()
    assert len(created) == 2

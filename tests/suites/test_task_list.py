from __future__ import annotations

import json

import pytest

from ictbench import load_suite
from ictbench.errors import PoolTooSmallError, UnknownNameError
from ictbench.suites.task_list import TaskRow, list_tasks

MINIHACK, ALFWORLD = load_suite("minihack-v1"), load_suite("alfworld-v1")


def ids(rows: list[TaskRow], family: str, pool: str, loop: int) -> list[str]:
    selected = [row for row in rows if (row.family, row.pool, row.loop) == (family, pool, loop)]
    assert [row.position for row in selected] == list(range(len(selected)))
    return [row.id for row in selected]


def test_generated_tasks_are_listed_as_each_loop_of_the_profile_plays_them() -> None:
    rows = list(list_tasks(MINIHACK, profile="lite"))
    sizes = MINIHACK.profiles["lite"]
    assert len(rows) == 8 * sizes.loops * (sizes.turns * sizes.batch_size + 10 + 20)
    for family, loop in (("read", 0), ("zap", 4)):
        order = MINIHACK.experience_order(family, loop, sizes.turns * sizes.batch_size)
        assert ids(rows, family, "experience", loop) == [task.id for task in order]
        for pool in ("selection", "test"):
            size = getattr(sizes, f"{pool}_size")
            tasks = MINIHACK.scoring_tasks(pool, family, loop, size)
            assert ids(rows, family, pool, loop) == [task.id for task in tasks]
    row = next(row for row in rows if row.id == "read-20000")
    assert (row.suite, row.role, row.env, row.shared) == ("minihack-v1", "held-out", "minihack", False)
    assert json.loads(row.params) == MINIHACK.scoring_tasks("test", "read", 0, 1)[0].params


def test_families_loops_and_whole_blocks_can_be_selected() -> None:
    rows = list(list_tasks(MINIHACK, families=["zap"], profile="quick", loops=2, whole_blocks=True))
    assert {row.family for row in rows} == {"zap"}
    assert {row.loop for row in rows} == {0, 1}
    assert ids(rows, "zap", "test", 1) == [f"zap-{seed}" for seed in range(21000, 22000)]
    assert ids(rows, "zap", "selection", 1) == [f"zap-{seed}" for seed in range(10200, 10400)]


def test_games_are_listed_completely_and_once() -> None:
    rows = list(list_tasks(ALFWORLD, profile="quick", loops=5))
    assert len(rows) == 3553 + 140 + 134
    assert {(row.shared, row.loop) for row in rows} == {(True, 0)}
    assert len({(row.family, row.pool, row.position) for row in rows}) == len(rows)
    assert {row.id for row in rows if row.pool == "test"} == {
        task.id for family in ALFWORLD.families for task in ALFWORLD.scoring_tasks("test", family, 0, None)
    }
    tasks = ALFWORLD.scoring_tasks("test", "look", 0, None)
    assert ids(rows, "look", "test", 0) == [task.id for task in tasks]
    assert {len(json.loads(row.params)["problem_sha256"]) for row in rows} == {64}


def test_unknown_families_profiles_and_loops_are_errors() -> None:
    with pytest.raises(UnknownNameError, match="has no family 'raed'; did you mean 'read'"):
        list(list_tasks(MINIHACK, families=["raed"]))
    with pytest.raises(UnknownNameError, match="suite minihack-v1 has no profile 'lit'; did you mean 'lite'"):
        list(list_tasks(MINIHACK, profile="lit"))  # type: ignore[arg-type]
    with pytest.raises(PoolTooSmallError, match="there are blocks for 50 loops"):
        list(list_tasks(MINIHACK, families=["read"], loops=51))

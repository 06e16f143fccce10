from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ictbench import load_suite
from ictbench.errors import PoolTooSmallError
from ictbench.suites.pools import SeedBlocks, SeedPools, SeedRange

SUITE = load_suite("minihack-v1")
FAMILIES = st.sampled_from(list(SUITE.families))
EXPERIENCE = {
    name: {task.id for task in SUITE.pools.experience_tasks("minihack", name, {}, 10_000, str.encode)}
    for name in SUITE.families
}
LOOPS = st.integers(0, 49)
POOLS: tuple[Literal["selection", "test"], ...] = ("selection", "test")


def pools(**changes: Any) -> SeedPools:
    plain: dict[str, Any] = {
        "kind": "seeds",
        "experience": {"first": 0, "last": 9},
        "selection": {"first": 10, "last": 19, "block": 4},
        "test": {"first": 20, "last": 39, "block": 10},
    }
    return SeedPools.model_validate(plain | changes)


@settings(max_examples=40, deadline=None)
@given(family=FAMILIES, one=LOOPS, other=LOOPS, data=st.data())
def test_scoring_blocks_are_disjoint_between_loops_and_from_all_experience(
    family: str, one: int, other: int, data: st.DataObject
) -> None:
    ids: list[str] = []
    for loop in {one, other}:
        for pool in POOLS:
            size = data.draw(st.integers(1, 200))
            ids += [task.id for task in SUITE.scoring_tasks(pool, family, loop, size)]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & EXPERIENCE[family]


@settings(max_examples=40, deadline=None)
@given(family=FAMILIES, loop=LOOPS, size=st.integers(1, 199))
def test_a_smaller_scoring_size_is_the_beginning_of_a_larger_one(family: str, loop: int, size: int) -> None:
    for pool in POOLS:
        larger = SUITE.scoring_tasks(pool, family, loop, size + 1)
        assert SUITE.scoring_tasks(pool, family, loop, size) == larger[:size]


@pytest.mark.parametrize("pool", POOLS)
def test_a_block_that_is_too_small_is_refused(pool: Literal["selection", "test"]) -> None:
    block = getattr(SUITE.pools, pool).block
    assert len(SUITE.scoring_tasks(pool, "read", 0, block)) == block
    with pytest.raises(PoolTooSmallError, match=rf"{pool} pool of 'read': {block + 1} .* {block}; ask for fewer"):
        SUITE.scoring_tasks(pool, "read", 0, block + 1)


def test_more_loops_than_blocks_are_refused() -> None:
    blocks = SeedBlocks(first=10, last=19, block=4)
    assert [blocks.of_loop(loop, 4, "x") for loop in (0, 1)] == [range(10, 14), range(14, 18)]
    assert blocks.of_loop(2, 2, "x") == range(18, 20)
    with pytest.raises(PoolTooSmallError, match=r"x: loop 2 wanted, there are blocks for 2 loops; ask for fewer"):
        blocks.of_loop(2, 3, "x")


def test_a_range_holds_both_its_ends() -> None:
    assert list(SeedRange(first=3, last=5).seeds) == [3, 4, 5]
    assert len(SeedRange(first=3, last=3).seeds) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"experience": {"first": 0, "last": 10}}, "pools overlap at seed 10"),
        ({"test": {"first": 19, "last": 39, "block": 10}}, "pools overlap at seed 19"),
        ({"selection": {"first": 5, "last": 6, "block": 1}}, "pools overlap at seed 5"),
        ({"experience": {"first": 5, "last": 4}}, r"last \(4\) is below first \(5\)"),
        ({"experience": {"first": -1, "last": 4}}, "greater than or equal to 0"),
        ({"selection": {"first": 10, "last": 19, "block": 0}}, "greater than or equal to 1"),
        ({"kind": "games"}, "'seeds'"),
    ],
)
def test_pools_that_cannot_be_are_refused(changes: dict[str, Any], said: str) -> None:
    pools()
    with pytest.raises(ValidationError, match=said):
        pools(**changes)

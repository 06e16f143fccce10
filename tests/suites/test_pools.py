from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ictbench import load_suite
from ictbench.errors import PoolTooSmallError
from ictbench.suites.pools import GamePools, SeedBlocks, SeedPools, SeedRange

SUITE = load_suite("minihack-v1")
FAMILIES = st.sampled_from(list(SUITE.families))
EXPERIENCE = {
    name: {task.id for task in SUITE.pools.experience_tasks("minihack", name, {}, 10_000, str.encode)}
    for name in SUITE.families
}
LOOPS = st.integers(0, 49)
POOLS: tuple[Literal["selection", "test"], ...] = ("selection", "test")


def pools(**changes: Any) -> SeedPools:
    default: dict[str, Any] = {
        "kind": "seeds",
        "experience": {"first": 0, "last": 9},
        "selection": {"first": 10, "last": 19, "block": 4},
        "test": {"first": 20, "last": 39, "block": 10},
    }
    return SeedPools.model_validate(default | changes)


@settings(max_examples=40)
@given(family=FAMILIES, loop=LOOPS, other_loop=LOOPS, data=st.data())
def test_scoring_blocks_are_disjoint_between_loops_and_from_all_experience(
    family: str, loop: int, other_loop: int, data: st.DataObject
) -> None:
    ids: list[str] = []
    for index in {loop, other_loop}:
        for pool in POOLS:
            size = data.draw(st.integers(1, 200))
            ids += [task.id for task in SUITE.scoring_tasks(pool, family, index, size)]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & EXPERIENCE[family]


@settings(max_examples=40)
@given(family=FAMILIES, loop=LOOPS, size=st.integers(1, 199))
def test_a_smaller_scoring_set_is_the_beginning_of_a_larger_one(family: str, loop: int, size: int) -> None:
    for pool in POOLS:
        larger = SUITE.scoring_tasks(pool, family, loop, size + 1)
        assert SUITE.scoring_tasks(pool, family, loop, size) == larger[:size]


@pytest.mark.parametrize("pool", POOLS)
def test_a_size_above_the_block_is_an_error(pool: Literal["selection", "test"]) -> None:
    block = getattr(SUITE.pools, pool).block
    assert len(SUITE.scoring_tasks(pool, "read", 0, block)) == block
    with pytest.raises(PoolTooSmallError, match=rf"{pool} pool of 'read': {block + 1} .* {block}; ask for fewer"):
        SUITE.scoring_tasks(pool, "read", 0, block + 1)


def test_a_loop_without_a_block_is_an_error() -> None:
    blocks = SeedBlocks(first=10, last=19, block=4)
    assert [blocks.of_loop(loop, 4, "x") for loop in (0, 1)] == [range(10, 14), range(14, 18)]
    assert blocks.of_loop(2, 2, "x") == range(18, 20)
    with pytest.raises(PoolTooSmallError, match=r"x: loop 2 requested, there are blocks for 2 loops; ask for fewer"):
        blocks.of_loop(2, 3, "x")


def test_a_range_includes_both_ends() -> None:
    assert list(SeedRange(first=3, last=5).seeds) == [3, 4, 5]
    assert len(SeedRange(first=3, last=3).seeds) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
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
def test_invalid_seed_pools_are_errors(changes: dict[str, Any], message: str) -> None:
    pools()
    with pytest.raises(ValidationError, match=message):
        pools(**changes)


def test_params_of_a_pool_are_params_of_its_tasks_only() -> None:
    plain = pools()
    with_params = pools(test={"first": 20, "last": 39, "block": 10, "params": {"rooms": "test"}})
    task, task_with_params = (
        each.scoring_tasks("test", "env", "f", {"family": "f"}, 1, 1)[0] for each in (plain, with_params)
    )
    assert task.params == {"family": "f", "seed": 30}
    assert task_with_params.params == {"family": "f", "rooms": "test", "seed": 30}
    assert with_params.experience_tasks("env", "f", {}, 1, str.encode) == plain.experience_tasks(
        "env", "f", {}, 1, str.encode
    )
    tasks = with_params.scoring_tasks("test", "env", "f", {}, 0, None)
    assert with_params.scoring_size("test", "f", None) == len(tasks) == 10


def test_empty_params_are_left_out_so_that_digests_stay() -> None:
    assert "params" not in pools().model_dump_json()
    assert pools(experience={"first": 0, "last": 9, "params": {"a": 1}}).model_dump()["experience"]["params"] == {
        "a": 1
    }


GAMES = {"train": 7, "seen": 4, "unseen": 3}


def games(**changes: Any) -> GamePools:
    listed = [
        {"family": family, "split": split, "game": f"{split}/{family}-{number}", "problem_sha256": f"{-number % 5}"}
        for split, count in GAMES.items()
        for family in ("cool", "heat")
        for number in range(count)
    ]
    default = {"kind": "games", "experience": "train", "selection": "seen", "test": "unseen", "games": listed}
    return GamePools.model_validate(default | changes)


@given(order=st.permutations(range(14)), loop=LOOPS, count=st.integers(1, 7))
def test_the_order_of_games_depends_on_their_rank_and_not_on_the_list(order: list[int], loop: int, count: int) -> None:
    original = games()
    train = [entry for entry in original.games if entry.split == "train"]
    rest = [entry for entry in original.games if entry.split != "train"]
    shuffled = original.model_copy(update={"games": tuple(rest[::-1] + [train[place] for place in order])})
    for rank in (str.encode, lambda name: name[::-1].encode()):
        tasks = original.experience_tasks("alfworld", "heat", {}, count, rank)
        assert shuffled.experience_tasks("alfworld", "heat", {}, count, rank) == tasks
        assert [task.id for task in tasks] == sorted((f"train/heat-{number}" for number in range(7)), key=rank)[:count]
    for pool in POOLS:
        assert shuffled.scoring_tasks(pool, "alfworld", "heat", {}, loop, None) == original.scoring_tasks(
            pool, "alfworld", "heat", {}, 0, None
        )


def test_the_task_of_a_game_has_its_name_and_digest() -> None:
    (task,) = games().scoring_tasks("test", "alfworld", "cool", {"extra": True}, 3, 1)
    assert (task.id, task.family, task.env) == ("unseen/cool-0", "cool", "alfworld")
    assert task.params == {"extra": True, "game": "unseen/cool-0", "problem_sha256": "0"}
    tasks = games().scoring_tasks("test", "alfworld", "cool", {}, 0, None)
    assert [task.params["problem_sha256"] for task in tasks] == ["0", "3", "4"], "sorted by digest"


def test_a_size_above_the_number_of_games_is_an_error() -> None:
    with pytest.raises(PoolTooSmallError, match=r"experience pool of 'cool': .* = 8 tasks requested, there are 7"):
        games().experience_tasks("alfworld", "cool", {}, 8, str.encode)
    with pytest.raises(
        PoolTooSmallError, match=r"selection pool of 'heat': 5 games requested, there are 4; ask for fewer"
    ):
        games().scoring_tasks("selection", "alfworld", "heat", {}, 0, 5)
    assert [games().scoring_size("test", "heat", size) for size in (None, 2)] == [3, 2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test": "seen"}, "experience, selection and test must be three different splits"),
        ({"games": []}, "at least 1 item"),
        ({"games": [games().games[0]] * 2}, "a game is listed twice"),
        ({"games": [{"family": "cool"}]}, "Field required"),
    ],
)
def test_invalid_game_pools_are_errors(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        games(**changes)


def test_rows_show_the_share_of_a_loop() -> None:
    assert games().rows() == [
        ("experience", "14 games of train", "any"),
        ("selection", "8 games of seen", "all"),
        ("test", "6 games of unseen", "all"),
    ]
    assert pools().rows()[1:] == [
        ("selection", "seeds 10 … 19", "its own 4"),
        ("test", "seeds 20 … 39", "its own 10"),
    ]

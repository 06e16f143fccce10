from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from ictbench import Suite, list_suites, load_suite
from ictbench.errors import PoolTooSmallError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = load_suite("minihack-v1")
PLAIN: dict[str, Any] = yaml.safe_load(list_suites()["minihack-v1"].read_text(encoding="utf-8"))
FAMILIES = st.sampled_from(list(SUITE.families))


def leaves(value: JsonValue, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every value in nested mappings."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path


def changed(path: tuple[str, ...]) -> Suite:
    """Return the shipped suite with one value changed to another valid one."""

    def change(value: Any, path: tuple[str, ...]) -> Any:
        if path:
            return value | {path[0]: change(value[path[0]], path[1:])}
        if isinstance(value, str):
            others = {"held-out": "meta-train", "meta-train": "held-out", "free": "json"}
            return others.get(value, f"{value}!")
        if value is None:
            return 1
        # Upper ends of pools move down and lower ends move up, so that the pools stay disjoint.
        return value - 1 if value in (9999, 19999, 99999) else value + 1

    return Suite.model_validate(change(PLAIN, path))


@pytest.mark.parametrize(
    "path",
    [path for path in leaves(PLAIN) if path not in {("schema",), ("pools", "kind")} and path[-1] != "note"],
    ids=".".join,
)
def test_the_digest_changes_with_every_value(path: tuple[str, ...]) -> None:
    assert changed(path).digest != SUITE.digest


def test_the_digest_changes_with_repeats_and_does_not_contain_one() -> None:
    def with_repeats(repeats: int) -> Suite:
        profiles = PLAIN["profiles"]
        return Suite.model_validate(PLAIN | {"profiles": profiles | {"lite": profiles["lite"] | {"repeats": repeats}}})

    assert with_repeats(1).digest == SUITE.digest
    assert with_repeats(2).digest != SUITE.digest


def test_the_digest_changes_with_the_number_of_families() -> None:
    families = dict(PLAIN["families"])
    more = Suite.model_validate(PLAIN | {"families": families | {"eat-again": families["eat"]}})
    families.pop("eat")
    fewer = Suite.model_validate(PLAIN | {"families": families})
    assert len({SUITE.digest, more.digest, fewer.digest}) == 3


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_order_comments_and_layout_of_the_file(random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        names = list(value)
        random.shuffle(names)
        return {name: shuffled(value[name]) for name in names}

    text = "# another comment\n" + yaml.safe_dump(shuffled(PLAIN), sort_keys=False, width=random.randint(40, 200))
    assert Suite.model_validate(yaml.safe_load(text)).digest == SUITE.digest


@settings(max_examples=8)
@given(family=FAMILIES, loop=st.integers(0, 1000), count=st.integers(0, 60))
def test_experience_has_a_fixed_order_without_repeats(family: str, loop: int, count: int) -> None:
    order = SUITE.experience_order(family, loop, count)
    assert order == SUITE.experience_order(family, loop, count)
    assert len({task.id for task in order}) == len(order) == count
    assert order == SUITE.experience_order(family, loop, count + 7)[:count]
    assert {task.family for task in order} <= {family}


@settings(max_examples=8)
@given(family=FAMILIES, loops=st.sets(st.integers(0, 500), min_size=2, max_size=2))
def test_loops_have_different_orders_of_experience(family: str, loops: set[int]) -> None:
    ids, other_ids = ([task.id for task in SUITE.experience_order(family, loop, 30)] for loop in loops)
    assert ids != other_ids
    assert len(set(ids) & set(other_ids)) < 10


def test_families_and_suites_have_different_orders_of_seeds() -> None:
    other_suite = changed(("title",))
    orders = [
        [task.params["seed"] for task in suite.experience_order(family, 0, 30)]
        for suite, family in [(SUITE, "read"), (SUITE, "eat"), (other_suite, "read")]
    ]
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]


def test_experience_is_ordered_by_a_hash_of_digest_family_loop_and_task() -> None:
    from hashlib import sha256

    order = [task.id for task in SUITE.experience_order("zap", 3, 9000)]
    ranks = [sha256(f"{SUITE.digest}/zap/3/{name}".encode()).digest() for name in order]
    assert ranks == sorted(ranks)


def test_more_experience_than_the_pool_has_is_an_error() -> None:
    assert len(SUITE.experience_order("read", 0, 10000)) == 10000
    with pytest.raises(PoolTooSmallError, match=r"'read': turns x batch size = 10001 .* 10000; ask for fewer turns"):
        SUITE.experience_order("read", 0, 10001)


@pytest.mark.parametrize(
    ("names", "families"),
    [
        (["held-out"], ("room-dark", "read", "puton", "zap")),
        (["meta-train"], ("room-random", "eat", "wear", "wield")),
        (["all"], tuple(SUITE.families)),
        (["zap", "eat"], ("eat", "zap")),
        (["zap", "held-out", "zap"], ("room-dark", "read", "puton", "zap")),
        (["eat", "held-out"], ("eat", "room-dark", "read", "puton", "zap")),
        ([], ()),
    ],
)
def test_families_are_selected_by_name_and_by_role(names: list[str], families: tuple[str, ...]) -> None:
    assert SUITE.select_families(names) == families


@pytest.mark.parametrize(
    ("name", "hint"),
    [("raed", "did you mean 'read'"), ("held_out", "did you mean 'held-out'"), ("qqq", "known: all, ")],
)
def test_an_unknown_family_is_an_error_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=f"minihack-v1 has no family {name!r}; {hint}"):
        SUITE.select_families(["eat", name])


@pytest.mark.parametrize(
    "path",
    [
        ("limits", "max_steps"),
        ("profiles", "quick", "turns"),
        ("profiles", "lite", "batch_size"),
        ("actor", "max_tokens"),
    ],
)
def test_sizes_of_zero_are_errors(path: tuple[str, ...]) -> None:
    def zero(value: Any, path: tuple[str, ...]) -> Any:
        return value | {path[0]: zero(value[path[0]], path[1:])} if path else 0

    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Suite.model_validate(zero(PLAIN, path))


@pytest.mark.parametrize("name", ["minihack-v1", "alfworld-procgen-v1", "alfworld-v1"])
def test_a_task_is_found_by_its_id(name: str) -> None:
    suite = load_suite(name)
    family = next(iter(suite.families))
    pools = [
        suite.experience_order(family, 3, 2),
        *(suite.scoring_tasks(p, family, 3, 2) for p in ("selection", "test")),
    ]
    for task in (task for pool in pools for task in pool):
        assert suite.task(family, task.id) == task
    other = list(suite.families)[1]
    for wrong in (pools[0][0].id + "0000000", pools[0][0].id.replace(family, other), f"{family}-", ""):
        with pytest.raises(UnknownNameError, match=f"family {family!r} of suite {name} has no task"):
            suite.task(family, wrong)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench import load_suite
from ictbench.errors import ConfigError, UnknownNameError
from ictbench.suites.trained_on import format_trained_on, held_out_trained_on, parse_trained_on, was_trained_on

SUITE = load_suite("minihack-v1")
HELD_OUT = SUITE.select_families(["held-out"])


def places(*families: str) -> tuple[str, ...]:
    return tuple(sorted(f"minihack-v1/{family}" for family in families))


@pytest.mark.parametrize(
    ("names", "expanded"),
    [
        (["nothing"], ()),
        ([], ()),
        (["read"], places("read")),
        (["minihack-v1/read", "read", "zap"], places("read", "zap")),
        (["minihack-v1"], places(*SUITE.families)),
        (["meta-train"], places("room-random", "eat", "wear", "wield")),
        (["minihack-v1/meta-train"], places("room-random", "eat", "wear", "wield")),
        (["alfworld-v1/held-out"], ("alfworld-v1/cool", "alfworld-v1/pick-two")),
        (["other:my own games"], ("other:my own games",)),
        (["other:a/b"], ("other:a-b",)),
    ],
)
def test_names_are_expanded_to_families(names: list[str], expanded: tuple[str, ...]) -> None:
    assert parse_trained_on(names, SUITE) == expanded
    assert parse_trained_on(expanded, SUITE) == expanded


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("raed", "suite minihack-v1 has no family 'raed'; did you mean 'read'? (or write other:NAME)"),
        ("minihack-v1/raed", "suite minihack-v1 has no family 'raed'; did you mean 'read'?"),
        ("minihack-v2", "did you mean 'minihack-v1'?"),
        ("minihack-v2/read", "'minihack-v2' is not a suite; did you mean 'minihack-v1'? (or write other:NAME)"),
        ("other:", "has no family 'other:'"),
        ("other:all of them", "'all' may mean families of a suite; name those as SUITE/FAMILY"),
        ("other:room dark", "'room-dark' may mean families"),
    ],
)
def test_an_unknown_name_is_an_error_with_a_hint(name: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_trained_on([name], SUITE)
    assert str(caught.value).startswith(f"trained on {name!r}: ")
    assert message in str(caught.value)


def test_nothing_cannot_be_combined_with_other_names() -> None:
    with pytest.raises(ConfigError, match="trained on nothing, read: 'nothing' cannot be combined"):
        parse_trained_on(["nothing", "read"], SUITE)


def test_families_of_a_users_own_suite_can_be_named() -> None:
    own = SUITE.model_copy(update={"name": "mine-v1"})
    assert parse_trained_on(["read", "mine-v1/zap"], own) == ("mine-v1/read", "mine-v1/zap")
    assert held_out_trained_on(("mine-v1/read", "minihack-v1/zap", "minihack-v1/eat"), own) == ("read", "zap")


@pytest.mark.parametrize(
    ("trained_on", "held_out"),
    [
        ((), ()),
        (places("eat", "wear"), ()),
        (places("zap", "eat", "read"), ("read", "zap")),
        (("other:read", "alfworld-v1/pick-two"), ()),
    ],
)
def test_held_out_families_that_were_trained_on_are_found(
    trained_on: tuple[str, ...], held_out: tuple[str, ...]
) -> None:
    assert held_out_trained_on(trained_on, SUITE) == held_out


def test_a_family_counts_as_trained_on_in_all_suites_of_its_environment() -> None:
    assert held_out_trained_on(("alfworld-procgen-v1/pick-two",), load_suite("alfworld-v1")) == ("pick-two",)
    assert was_trained_on(("alfworld-procgen-v1/heat",), "alfworld-v1", "alfworld", "heat")
    assert not was_trained_on(("alfworld-procgen-v1/heat",), "mine", None, "heat")


@pytest.mark.parametrize(
    ("trained_on", "text"),
    [
        (None, "unknown"),
        ((), "nothing"),
        (places(*SUITE.families), "minihack-v1"),
        (places("eat", "room-random", "wear", "wield"), "minihack-v1/meta-train"),
        (places("eat", "room-random", "wear", "wield", "zap"), "minihack-v1/meta-train, minihack-v1/zap"),
        (("gone-v1/read", *places("eat"), "other:x"), "gone-v1/read, minihack-v1/eat, other:x"),
    ],
)
def test_whole_suites_and_roles_are_abbreviated(trained_on: tuple[str, ...] | None, text: str) -> None:
    assert format_trained_on(trained_on) == text


@given(st.sets(st.sampled_from([*places(*SUITE.families), "alfworld-v1/heat", "other:x"])))
def test_formatted_names_are_parsed_back(trained_on: set[str]) -> None:
    ordered = tuple(sorted(trained_on))
    assert parse_trained_on(format_trained_on(ordered).split(", "), SUITE) == ordered

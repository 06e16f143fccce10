from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench import load_suite
from ictbench.errors import ConfigError, UnknownNameError
from ictbench.suites.trained_on import parse_trained_on, seen_held_out, training_in_words, was_seen

SUITE = load_suite("minihack-v1")
HELD_OUT = SUITE.select_families(["held-out"])


def places(*families: str) -> tuple[str, ...]:
    return tuple(sorted(f"minihack-v1/{family}" for family in families))


@pytest.mark.parametrize(
    ("names", "found"),
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
def test_names_are_spelled_out(names: list[str], found: tuple[str, ...]) -> None:
    assert parse_trained_on(names, SUITE) == found
    assert parse_trained_on(found, SUITE) == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raed", "suite minihack-v1 has no family 'raed'; did you mean 'read'? (or say other:NAME)"),
        ("minihack-v1/raed", "suite minihack-v1 has no family 'raed'; did you mean 'read'?"),
        ("minihack-v2", "did you mean 'minihack-v1'?"),
        ("minihack-v2/read", "there is no suite 'minihack-v2'; did you mean 'minihack-v1'? (or say other:NAME)"),
        ("other:", "has no family 'other:'"),
    ],
)
def test_a_name_that_is_none_is_told(name: str, said: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_trained_on([name], SUITE)
    assert str(caught.value).startswith(f"trained on {name!r}: ")
    assert said in str(caught.value)


def test_nothing_goes_with_nothing_else() -> None:
    with pytest.raises(ConfigError, match="trained on nothing, read: nothing goes with nothing else"):
        parse_trained_on(["nothing", "read"], SUITE)


def test_families_of_ones_own_suite_are_known_without_its_being_shipped() -> None:
    own = SUITE.model_copy(update={"name": "mine-v1"})
    assert parse_trained_on(["read", "mine-v1/zap"], own) == ("mine-v1/read", "mine-v1/zap")
    assert seen_held_out(("mine-v1/read", "minihack-v1/zap", "minihack-v1/eat"), own) == ("read", "zap")


@pytest.mark.parametrize(
    ("trained_on", "seen"),
    [
        ((), ()),
        (places("eat", "wear"), ()),
        (places("zap", "eat", "read"), ("read", "zap")),
        (("other:read", "alfworld-v1/pick-two"), ()),
    ],
)
def test_held_out_families_that_were_trained_on(trained_on: tuple[str, ...], seen: tuple[str, ...]) -> None:
    assert seen_held_out(trained_on, SUITE) == seen


def test_a_family_is_one_kind_of_task_in_whichever_suite_of_its_environment() -> None:
    """Generated games of a kind train for the official ones."""
    assert seen_held_out(("alfworld-procgen-v1/pick-two",), load_suite("alfworld-v1")) == ("pick-two",)
    assert was_seen(("alfworld-procgen-v1/heat",), "alfworld-v1", "alfworld", "heat")
    assert not was_seen(("alfworld-procgen-v1/heat",), "mine", None, "heat")


@pytest.mark.parametrize(
    ("trained_on", "words"),
    [
        (None, "unknown"),
        ((), "nothing"),
        (places(*SUITE.families), "minihack-v1"),
        (places("eat", "room-random", "wear", "wield"), "minihack-v1/meta-train"),
        (places("eat", "room-random", "wear", "wield", "zap"), "minihack-v1/meta-train, minihack-v1/zap"),
        (("gone-v1/read", *places("eat"), "other:x"), "gone-v1/read, minihack-v1/eat, other:x"),
    ],
)
def test_the_words_are_as_short_as_can_be(trained_on: tuple[str, ...] | None, words: str) -> None:
    assert training_in_words(trained_on) == words


@given(st.sets(st.sampled_from([*places(*SUITE.families), "alfworld-v1/heat", "other:x"])))
def test_the_words_say_the_same(trained_on: set[str]) -> None:
    ordered = tuple(sorted(trained_on))
    assert parse_trained_on(training_in_words(ordered).split(", "), SUITE) == ordered

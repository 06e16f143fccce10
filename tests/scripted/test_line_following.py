"""Line following. The words are invented, as the scripted actor knows no game."""

from __future__ import annotations

import random

from ictbench.actors import History
from ictbench.records import Step
from ictbench.rules_text.rules import Before, Follow, Manner, Rule
from ictbench.scripted.line_following import follow_line

LINE = "You stand in a hall.\n\nYour wish is: have a red plim at the dask."
WISH = Follow("Your wish is:")


def history(now: tuple[str, ...], *past: tuple[str, tuple[str, ...], str]) -> History:
    """Return a history from the actions available now and past steps of (executed, available, next observation)."""
    observations = [LINE, *(text for _, _, text in past)]
    steps = [
        Step(observation=text, actions=available, digest="", thought="", proposed=executed, executed=executed)
        for (executed, available, _), text in zip(past, observations, strict=False)
    ]
    return History(steps, observations[-1], now, 25)


def choices(rules: list[Rule], episode: History) -> set[str | None]:
    """Return all actions that are chosen, over several seeds."""
    return {follow_line(rules, episode, random.Random(seed)) for seed in range(20)}


def test_without_the_rule_or_the_line_no_action_is_chosen() -> None:
    assert choices([], history(("walk dask", "walk hall"))) == {None}
    assert choices([Follow("Your duty is:")], history(("walk dask",))) == {None}


def test_the_action_with_most_words_of_the_line_is_chosen() -> None:
    available = ("walk to dask 1", "walk to shelf 1", "put plim 2 on dask 1", "put plim 2 on shelf 1")
    assert choices([WISH], history(available)) == {"put plim 2 on dask 1"}


def test_no_action_is_repeated_until_a_renewing_action() -> None:
    past = ("walk to dask 1", ("walk to dask 1", "walk to shelf 1"), "A dask.")
    assert choices([WISH], history(("walk to dask 1", "walk to shelf 1"), past)) == {"walk to shelf 1"}
    grabbed = ("grab plim 2", ("grab plim 2", "walk to dask 1"), "You have it.")
    renewing = Manner("grab", "and what was done may be done again")
    both = ("walk to dask 1", "walk to shelf 1")
    assert choices([WISH, renewing], history(both, past, grabbed)) == {"walk to dask 1"}


def test_a_reserved_kind_is_used_only_for_things_in_the_line() -> None:
    available = ("grab vump 1", "grab plim 1", "walk to dask 1")
    rule = Manner("grab", "only what the line names")
    assert "grab vump 1" not in choices([WISH, rule], history(available))
    assert choices([WISH, rule], history(("grab vump 1",))) == {None}


def test_a_kind_without_effect_is_used_once() -> None:
    rule = Manner("eye", "only what the line names, and once")
    past = ("eye plim 1", ("eye plim 1", "eye dask 1", "walk to shelf 1"), "Nothing.")
    assert choices([WISH, rule], history(("eye dask 1", "walk to shelf 1"), past)) == {"walk to shelf 1"}


def test_an_undoing_kind_is_used_only_for_more_words_of_the_line() -> None:
    rules: list[Rule] = [
        WISH,
        Manner("drop", "only for more of what the line names"),
        Manner("grab", "and what was done may be done again"),
    ]
    past = ("grab plim 1 off shelf 1", ("grab plim 1 off shelf 1",), "You have it.")
    assert choices(rules, history(("drop plim 1 on shelf 1", "walk to shelf 2"), past)) == {"walk to shelf 2"}
    assert choices(rules, history(("drop plim 1 on dask 1", "walk to shelf 2"), past)) == {"drop plim 1 on dask 1"}


def test_a_kind_that_the_line_names_is_done_before_the_later_kind() -> None:
    line = "Your wish is: rinse a plim and have it at the dask."
    rules: list[Rule] = [
        WISH,
        Manner("grab", "and what was done may be done again"),
        Before("rinse", "drop", "walk to font"),
    ]
    step = Step(
        observation=line, actions=("grab plim 1",), digest="", thought="", proposed=None, executed="grab plim 1"
    )
    before = History([step], "You have it.", ("drop plim 1 on dask 1", "walk to font 3", "walk to dask 1"), 25)
    assert choices(rules, before) == {"walk to font 3"}
    at_font = History([step], "A font.", ("drop plim 1 on dask 1", "rinse plim 1 in font 3", "walk to dask 1"), 25)
    assert choices(rules, at_font) == {"rinse plim 1 in font 3"}


def test_an_action_after_which_a_named_thing_was_seen_is_preferred() -> None:
    available = ("walk to shelf 1", "walk to shelf 2")
    rules: list[Rule] = [WISH, Manner("grab", "and what was done may be done again")]
    first = ("walk to shelf 1", available, "A plim lies here.")
    second = ("walk to shelf 2", available, "Nothing is here.")
    grabbed = ("grab vump 1", ("grab vump 1", "grab plim 1"), "You have it.")
    assert choices(rules, history(available, first, second, grabbed)) == {"walk to shelf 1"}

"""How the scripted actor follows a line. The words are made up: it knows no world."""

from __future__ import annotations

import random

from ictbench.actors import History
from ictbench.records import Step
from ictbench.rules_text.rules import Before, Follow, Manner, Rule
from ictbench.scripted.line_following import follow

LINE = "You stand in a hall.\n\nYour wish is: have a red plim at the dask."
WISH = Follow("Your wish is:")


def history(now: tuple[str, ...], *past: tuple[str, tuple[str, ...], str]) -> History:
    """Past steps as (executed, offered, what was then shown), and what is offered now."""
    shown = [LINE, *(text for _, _, text in past)]
    steps = [
        Step(observation=text, actions=offered, digest="", thought="", proposed=executed, executed=executed)
        for (executed, offered, _), text in zip(past, shown, strict=False)
    ]
    return History(steps, shown[-1], now, 25)


def chosen(rules: list[Rule], seen: History) -> set[str | None]:
    return {follow(rules, seen, random.Random(seed)) for seed in range(20)}


def test_without_such_a_rule_or_such_a_line_it_says_nothing() -> None:
    assert chosen([], history(("walk dask", "walk hall"))) == {None}
    assert chosen([Follow("Your duty is:")], history(("walk dask",))) == {None}


def test_it_does_what_names_most_of_what_the_line_names() -> None:
    offered = ("walk to dask 1", "walk to shelf 1", "put plim 2 on dask 1", "put plim 2 on shelf 1")
    assert chosen([WISH], history(offered)) == {"put plim 2 on dask 1"}


def test_it_repeats_nothing_until_something_renews() -> None:
    past = ("walk to dask 1", ("walk to dask 1", "walk to shelf 1"), "A dask.")
    assert chosen([WISH], history(("walk to dask 1", "walk to shelf 1"), past)) == {"walk to shelf 1"}
    grabbed = ("grab plim 2", ("grab plim 2", "walk to dask 1"), "You have it.")
    renewing = Manner("grab", "and what was done may be done again")
    both = ("walk to dask 1", "walk to shelf 1")
    assert chosen([WISH, renewing], history(both, past, grabbed)) == {"walk to dask 1"}


def test_a_reserved_kind_is_for_the_things_that_the_line_names() -> None:
    offered = ("grab vump 1", "grab plim 1", "walk to dask 1")
    rule = Manner("grab", "only what the line names")
    assert "grab vump 1" not in chosen([WISH, rule], history(offered))
    assert chosen([WISH, rule], history(("grab vump 1",))) == {None}


def test_what_changes_nothing_is_done_once() -> None:
    rule = Manner("eye", "only what the line names, and once")
    past = ("eye plim 1", ("eye plim 1", "eye dask 1", "walk to shelf 1"), "Nothing.")
    assert chosen([WISH, rule], history(("eye dask 1", "walk to shelf 1"), past)) == {"walk to shelf 1"}


def test_something_is_taken_back_only_for_more_of_what_the_line_names() -> None:
    rules: list[Rule] = [
        WISH,
        Manner("drop", "only for more of what the line names"),
        Manner("grab", "and what was done may be done again"),
    ]
    past = ("grab plim 1 off shelf 1", ("grab plim 1 off shelf 1",), "You have it.")
    assert chosen(rules, history(("drop plim 1 on shelf 1", "walk to shelf 2"), past)) == {"walk to shelf 2"}
    assert chosen(rules, history(("drop plim 1 on dask 1", "walk to shelf 2"), past)) == {"drop plim 1 on dask 1"}


def test_what_the_line_asks_for_first_comes_first() -> None:
    line = "Your wish is: rinse a plim and have it at the dask."
    rules: list[Rule] = [
        WISH,
        Manner("grab", "and what was done may be done again"),
        Before("rinse", "drop", "walk to font"),
    ]
    step = Step(
        observation=line, actions=("grab plim 1",), digest="", thought="", proposed=None, executed="grab plim 1"
    )
    seen = History([step], "You have it.", ("drop plim 1 on dask 1", "walk to font 3", "walk to dask 1"), 25)
    assert chosen(rules, seen) == {"walk to font 3"}
    at_font = History([step], "A font.", ("drop plim 1 on dask 1", "rinse plim 1 in font 3", "walk to dask 1"), 25)
    assert chosen(rules, at_font) == {"rinse plim 1 in font 3"}


def test_where_named_things_were_seen_is_remembered() -> None:
    offered = ("walk to shelf 1", "walk to shelf 2")
    rules: list[Rule] = [WISH, Manner("grab", "and what was done may be done again")]
    first = ("walk to shelf 1", offered, "A plim lies here.")
    second = ("walk to shelf 2", offered, "Nothing is here.")
    grabbed = ("grab vump 1", ("grab vump 1", "grab plim 1"), "You have it.")
    assert chosen(rules, history(offered, first, second, grabbed)) == {"walk to shelf 1"}

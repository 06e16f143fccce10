"""What the scripted reflector learns from what was offered. The words are made up: it knows no world."""

from __future__ import annotations

import json

from ictbench.records import Step, Trajectory
from ictbench.rules_text.rules import Before, Follow, Manner, read_rules
from ictbench.scripted.affordances import Lesson, lessons, remember_offers

PLACES = ("walk to dask 1", "walk to shelf 1", "walk to font 1")
ALWAYS = ("ponder", *PLACES)


def played(wish: str, *steps: tuple[str, tuple[str, ...]]) -> Trajectory:
    """An episode: what was done, and what was offered then."""
    first = f"You stand in a hall.\n\nYour wish is: {wish}."
    return Trajectory(
        steps=tuple(
            Step(
                observation=first if at == 0 else "On you go.",
                actions=(*ALWAYS, *offered),
                digest="",
                thought="",
                proposed=action,
                executed=action,
            )
            for at, (action, offered) in enumerate(steps)
        ),
        last_observation="The end.",
        last_digest="",
        end="step_limit",
    )


GRAB, DROP, RINSE = ("grab plim 1",), ("drop plim 1 on shelf 1",), ("drop plim 1 on font 1", "rinse plim 1 in font 1")
EPISODES = [
    played(
        f"have a {thing} on the dask",
        ("ponder", ()),
        ("ponder", ()),
        ("walk to shelf 1", ()),
        ("grab plim 1", GRAB),
        ("drop plim 1 on shelf 1", DROP),
        ("grab plim 1", GRAB),
        ("walk to font 1", DROP),
        ("rinse plim 1 in font 1", RINSE),
        ("drop plim 1 on font 1", RINSE),
        ("grab plim 1", GRAB),
    )
    for thing in ("plim", "vump")
]


def learned(episodes: list[Trajectory]) -> list[Lesson]:
    return lessons(remember_offers(None, episodes))


def test_it_finds_the_line_the_idle_the_reserved_and_what_comes_before() -> None:
    rules = [lesson.rule for lesson in learned(EPISODES)]
    assert rules[0] == Follow("Your wish is:")
    assert Manner("ponder", "only what the line names, and once") in rules
    assert Manner("drop", "only for more of what the line names") in rules
    assert Manner("grab", "only what the line names") in rules
    assert Manner("grab", "and what was done may be done again") in rules
    assert Before("rinse", "drop", "walk to font") in rules
    assert Manner("walk", "only what the line names, and once") not in rules


def test_every_rule_reads_back_from_its_english_and_has_a_reason() -> None:
    found = learned(EPISODES)
    assert read_rules("\n".join(f"- {lesson.rule}" for lesson in found)) == tuple(lesson.rule for lesson in found)
    assert all(lesson.reason.endswith(".") for lesson in found)


def test_memory_is_plain_json_and_grows_turn_by_turn() -> None:
    at_once = remember_offers(None, EPISODES)
    by_turn = remember_offers(json.loads(json.dumps(remember_offers(None, EPISODES[:1]))), EPISODES[1:])
    assert json.loads(json.dumps(by_turn)) == json.loads(json.dumps(at_once))


def test_without_a_telling_line_there_is_nothing_to_follow() -> None:
    assert learned([EPISODES[0], EPISODES[0]]) == []
    assert learned(EPISODES[:1]) == []


def test_few_kinds_of_actions_are_not_told_apart() -> None:
    few = [played(f"have a {thing} on the dask", ("ponder", ()), ("walk to dask 1", ())) for thing in ("plim", "vump")]
    assert learned(few) == []

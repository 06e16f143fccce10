"""Affordance learning. The words are invented, as the scripted reflector knows no game."""

from __future__ import annotations

import json

from ictbench.records import Step, Trajectory
from ictbench.rules_text.rules import Before, Follow, Manner, parse_rules
from ictbench.scripted.affordances import Lesson, add_episodes, infer_lessons

PLACES = ("walk to dask 1", "walk to shelf 1", "walk to font 1")
ALWAYS = ("ponder", *PLACES)


def trajectory(wish: str, *steps: tuple[str, tuple[str, ...]]) -> Trajectory:
    """Return an episode from actions, each with the actions available beside `ALWAYS` when it was chosen."""
    first = f"You stand in a hall.\n\nYour wish is: {wish}."
    return Trajectory(
        steps=tuple(
            Step(
                observation=first if index == 0 else "On you go.",
                actions=(*ALWAYS, *available),
                digest="",
                thought="",
                proposed=action,
                executed=action,
            )
            for index, (action, available) in enumerate(steps)
        ),
        last_observation="The end.",
        last_digest="",
        end="step_limit",
    )


GRAB, DROP, RINSE = ("grab plim 1",), ("drop plim 1 on shelf 1",), ("drop plim 1 on font 1", "rinse plim 1 in font 1")
EPISODES = [
    trajectory(
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


def lessons(episodes: list[Trajectory]) -> list[Lesson]:
    return infer_lessons(add_episodes(None, episodes))


def test_all_kinds_of_lessons_are_found() -> None:
    rules = [lesson.rule for lesson in lessons(EPISODES)]
    assert rules[0] == Follow("Your wish is:")
    assert Manner("ponder", "only what the line names, and once") in rules
    assert Manner("drop", "only for more of what the line names") in rules
    assert Manner("grab", "only what the line names") in rules
    assert Manner("grab", "and what was done may be done again") in rules
    assert Before("rinse", "drop", "walk to font") in rules
    assert Manner("walk", "only what the line names, and once") not in rules


def test_every_rule_is_parsed_back_from_its_sentence_and_has_a_reason() -> None:
    learned = lessons(EPISODES)
    assert parse_rules("\n".join(f"- {lesson.rule}" for lesson in learned)) == tuple(lesson.rule for lesson in learned)
    assert all(lesson.reason.endswith(".") for lesson in learned)


def test_a_memory_is_plain_json_and_grows_turn_by_turn() -> None:
    at_once = add_episodes(None, EPISODES)
    by_turn = add_episodes(json.loads(json.dumps(add_episodes(None, EPISODES[:1]))), EPISODES[1:])
    assert json.loads(json.dumps(by_turn)) == json.loads(json.dumps(at_once))


def test_without_a_line_that_differs_there_are_no_lessons() -> None:
    assert lessons([EPISODES[0], EPISODES[0]]) == []
    assert lessons(EPISODES[:1]) == []


def test_with_few_kinds_of_actions_there_are_no_lessons() -> None:
    few = [
        trajectory(f"have a {thing} on the dask", ("ponder", ()), ("walk to dask 1", ())) for thing in ("plim", "vump")
    ]
    assert lessons(few) == []

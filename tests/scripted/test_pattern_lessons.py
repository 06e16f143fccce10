"""Rules about patterns of actions. The words are invented, as the scripted reflector knows no game."""

from __future__ import annotations

import json
from typing import Any

from ictbench.records import Step, Trajectory
from ictbench.rules_text.rules import Act, Before, Hold, Line, Rule, parse_rules
from ictbench.scripted.affordances import add_episodes
from ictbench.scripted.pattern_lessons import Lesson, infer_lessons

PLACES = ("walk to dask 1", "walk to shelf 1", "walk to font 1")
ALWAYS = ("ponder", "eye plim 1", "eye dask 1", *PLACES)


def trajectory(wish: str, *steps: tuple[str, tuple[str, ...]], solved: bool = False) -> Trajectory:
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
        end="solved" if solved else "step_limit",
    )


GRAB = ("grab plim 1 off shelf 1",)
DROP, RINSE = ("drop plim 1 on shelf 1",), ("drop plim 1 on font 1", "rinse plim 1 in font 1")
EPISODES = [
    trajectory(
        f"have a {thing} on the dask",
        ("ponder", ()),
        ("ponder", ()),
        ("eye plim 1", ()),
        ("eye dask 1", ()),
        ("walk to shelf 1", ()),
        ("grab plim 1 off shelf 1", GRAB),
        ("drop plim 1 on shelf 1", DROP),
        ("grab plim 1 off shelf 1", GRAB),
        ("walk to font 1", DROP),
        ("rinse plim 1 in font 1", RINSE),
        ("drop plim 1 on font 1", RINSE),
        ("grab plim 1 off font 1", ("grab plim 1 off font 1",)),
    )
    for thing in ("plim", "vump")
]
SEARCH = [("walk to shelf 1", ()), ("grab plim 1 off shelf 1", GRAB)]
ON_DASK, ON_DASK_RINSED = ("drop plim 1 on dask 1", "walk to font 1"), ("drop plim 1 on dask 1", "ponder")


def carried(wish: str, *, rinsed: bool, solved: bool) -> Trajectory:
    """Return an episode in which a plim was brought to the dask."""
    washing = [("walk to font 1", DROP), ("rinse plim 1 in font 1", RINSE)] if rinsed else []
    end = [("walk to dask 1", DROP), ("drop plim 1 on dask 1", ("drop plim 1 on dask 1",)), ("ponder", GRAB)]
    return trajectory(wish, *SEARCH, *washing, *(end[:2] if solved else end), solved=solved)


def lessons(episodes: list[Trajectory], turns: int = 1) -> list[Lesson]:
    memory: Any = None
    for _ in range(turns - 1):
        memory = add_episodes(memory, [])
    return infer_lessons(add_episodes(memory, episodes))


def rules(episodes: list[Trajectory], turns: int = 1) -> list[Rule]:
    return [lesson.rule for lesson in lessons(episodes, turns)]


def test_all_rules_of_an_exchange_are_found_in_their_order() -> None:
    go, taken = "walk to …", "grab <named> off <other>"
    assert rules(EPISODES) == [
        Line("Your wish is:"),
        Hold("grab … off …", "drop … on …"),
        Before("rinse", "rinse <named> in …", "drop … on …", "walk to font …"),
        Act("eye <named>", held="something"),
        Act("drop <named> on <named>"),
        Act(taken),
        Act("grab <named> off …", "rinse", "nothing"),
        Act("walk to <named>", held="something"),
        Act(go, held="something", offered="eye <named>"),
        Act(go, held="nothing", offered=taken),
        Act(go),
    ]


def test_before_an_exchange_is_found_what_is_rare_is_tried_first() -> None:
    short = [
        trajectory(
            f"have a {thing} on the dask",
            ("ponder", ()),
            ("ponder", ()),
            ("walk to shelf 1", ()),
            ("walk to shelf 2", GRAB),
            ("walk to dask 1", GRAB),
            ("ponder", ()),
        )
        for thing in ("plim", "vump")
    ]
    assert rules(short) == [
        Line("Your wish is:"),
        Act("grab … off …"),
        Act("eye …"),
        Act("walk to …"),
    ]


def test_a_kind_that_changes_nothing_is_kept_if_it_ended_a_won_episode() -> None:
    eye = Act("eye <named>", held="something")
    won = carried("have a plim on the dask", rinsed=False, solved=True)
    assert eye in rules(EPISODES)
    assert eye not in rules([*EPISODES, won])
    by_eye = trajectory("have a plim", ("walk to shelf 1", ()), ("eye plim 1", GRAB), solved=True)
    assert eye in rules([*EPISODES, won, by_eye])


def test_another_word_for_an_order_is_found_from_what_was_lost_without_it() -> None:
    won = [carried("rinse a plim and have it on the dask", rinsed=True, solved=True) for _ in range(2)]
    lost = [carried("have a wet plim on the dask", rinsed=False, solved=False) for _ in range(2)]
    order = Before("wet", "rinse <named> in …", "drop … on …", "walk to font …")
    assert order in rules([*EPISODES, *won, *lost])
    assert order not in rules([*EPISODES, *won, lost[0]])
    assert order not in rules([*EPISODES, *won[:1], *lost])
    dry = carried("have a plim on the dask", rinsed=False, solved=True)
    assert order not in rules([*EPISODES, *won, dry, *lost])


def test_where_giving_never_wins_every_other_turn_tries_what_is_possible_in_between() -> None:
    lost = [carried("have a wet plim on the dask", rinsed=False, solved=False) for _ in range(2)]
    trial, direct = Act("rinse <named> in …", held="something"), Act("walk to <named>", held="something")
    for turns, tried in ((1, False), (2, True)):
        found = rules([*EPISODES, *lost], turns)
        assert (trial in found, direct in found) == (tried, not tried)


def test_every_rule_is_parsed_back_from_its_sentence_and_has_a_reason() -> None:
    learned = lessons(EPISODES)
    assert parse_rules("\n".join(f"- {lesson.rule}" for lesson in learned)) == tuple(lesson.rule for lesson in learned)
    assert all(lesson.reason.endswith(".") for lesson in learned)


def test_a_memory_is_plain_json_and_grows_turn_by_turn() -> None:
    first = add_episodes(None, EPISODES[:1])
    restored = json.loads(json.dumps(first))
    assert infer_lessons(add_episodes(restored, EPISODES[1:])) == infer_lessons(add_episodes(first, EPISODES[1:]))
    assert infer_lessons(add_episodes(restored, EPISODES[1:])) == lessons(EPISODES)


def test_a_memory_of_an_earlier_version_can_be_continued() -> None:
    old = {key: value for key, value in add_episodes(None, EPISODES).items() if key in ("kinds", "episodes")}
    for episode in old["episodes"]:
        del episode["solved"]
    assert infer_lessons(add_episodes(old, EPISODES))[1] == lessons([*EPISODES, *EPISODES])[1]


def test_without_a_line_that_differs_there_are_no_lessons() -> None:
    assert lessons([EPISODES[0], EPISODES[0]]) == []
    assert lessons(EPISODES[:1]) == []


def test_a_line_that_a_sentence_cannot_quote_is_not_used() -> None:
    quoted = [
        one.model_copy(
            update={
                "steps": (
                    one.steps[0].model_copy(update={"observation": one.steps[0].observation.replace("wish", '"wish"')}),
                    *one.steps[1:],
                )
            }
        )
        for one in EPISODES
    ]
    assert lessons(quoted) == []


def test_with_few_kinds_of_actions_there_are_no_lessons() -> None:
    few = [episode.model_copy(update={"steps": episode.steps[:4]}) for episode in EPISODES]
    assert lessons(few) == []

from __future__ import annotations

import json
import math

import pytest

from ictbench.records import Step, Trajectory
from ictbench.rules_text.rules import Choose, Walk
from ictbench.scripted.rule_evidence import WON, Evidence, Finding, Moment, phrases_of, recall, remember

Game = tuple[list[tuple[str, str | None]], str, bool]
"""Sights with what was done there, the last sight, and whether it was won."""


def trajectory(game: Game) -> Trajectory:
    past, last, solved = game
    return Trajectory(
        steps=tuple(
            Step(observation=text, actions=(), digest="", thought="", proposed=done, executed=done)
            for text, done in past
        ),
        last_observation=last,
        last_digest="",
        end="solved" if solved else "step_limit",
    )


def moments_of(game: Game, player: str | None = "&") -> list[Moment]:
    return list(recall(remember(None, [trajectory(game)], player)))


def evidence(*games: Game, player: str | None = "&") -> Evidence:
    return Evidence(recall(remember(None, [trajectory(game) for game in games], player)))


ROOM, DOOR = "An empty room.", "Here stands a door."
WON_BY_KNOCKING: Game = ([(ROOM, "walk"), (DOOR, "knock")], "It opens.", True)
NOTHING: Game = ([(ROOM, "knock"), (ROOM, "walk"), (ROOM, "walk")], ROOM, False)


def test_a_memory_is_plain_json_and_grows_batch_by_batch() -> None:
    batch = [trajectory(WON_BY_KNOCKING), trajectory(NOTHING)]
    at_once = remember(None, batch, "&")
    one_by_one = remember(json.loads(json.dumps(remember(None, batch[:1], "&"))), batch[1:], "&")
    assert one_by_one == at_once == json.loads(json.dumps(at_once))
    assert at_once["lines"] == [ROOM, DOOR, "It opens."]


def test_remembering_leaves_the_old_memory_as_it_was() -> None:
    old = remember(None, [trajectory(WON_BY_KNOCKING)], "&")
    before = json.dumps(old)
    remember(old, [trajectory(([("A garden.", "sit")], "A garden.", False))], "&")
    assert json.dumps(old) == before


def test_a_moment_is_what_was_in_sight_what_was_done_and_what_came_of_it() -> None:
    walked, knocked = moments_of(WON_BY_KNOCKING)
    assert (walked.action, knocked.action) == ("walk", "knock")
    assert "empty room." in walked.now
    assert walked.now.isdisjoint(knocked.now)
    assert knocked.seen == walked.now | knocked.now
    assert walked.outcome == knocked.now
    assert knocked.outcome == frozenset({"It opens.", WON})


def test_what_was_in_sight_already_is_no_outcome() -> None:
    (moment,) = moments_of(([(f"{ROOM}\n{DOOR}", "wait")], f"{DOOR}\nA bell rings.", False))
    assert "bell rings." in moment.outcome
    assert "a door." not in moment.outcome


def test_an_invalid_action_teaches_nothing() -> None:
    assert [moment.action for moment in moments_of(([(ROOM, None), (ROOM, "walk")], DOOR, False))] == ["walk"]


@pytest.mark.parametrize(
    ("before", "after", "entered"),
    [("&o.", ".&.", "o"), ("&o.", "&o.", None), ("&", "..&", " "), ("..", ".&", None), ("&.", "..", None)],
)
def test_the_symbol_that_was_entered(before: str, after: str, entered: str | None) -> None:
    game: Game = ([(before, "go east")], after, False)
    assert [moment.entered for moment in moments_of(game)] == [entered]
    assert [moment.entered for moment in moments_of(game, player=None)] == [None]


def test_phrases_are_two_to_four_words_without_numbers_and_quotes() -> None:
    assert phrases_of("one two three four five") == (
        *("one two", "two three", "three four", "four five"),
        *("one two three", "two three four", "three four five"),
        *("one two three four", "two three four five"),
    )
    assert phrases_of("take 3 red pills") == ("red pills",)
    assert phrases_of('say "hello there" now') == ()
    assert phrases_of("alone") == ()


def test_the_rule_that_wins_is_found_with_its_counts() -> None:
    finding = evidence(WON_BY_KNOCKING, WON_BY_KNOCKING, NOTHING, NOTHING).best_rule(WON)
    assert finding is not None
    assert isinstance(finding.rule, Choose)
    assert (finding.rule.action, finding.rule.later) == ("knock", False)
    assert finding.rule.phrase in DOOR
    assert (finding.hits, finding.tried, finding.chance) == (2, 2, 0.5)
    assert finding.reason == f"{finding.rule} Of 2 times that this was done, the task was solved after 2."


def test_a_symbol_that_wins_is_found() -> None:
    won: Game = ([("&o.", "go east")], ".&.", True)
    lost: Game = ([(".&o", "go west")], "&.o", False)
    assert evidence(won, won, won, lost, lost).best_rule(WON) == Finding(WON, Walk("o"), 3, 3, 3 / 5)


def test_what_was_seen_earlier_can_be_what_counts() -> None:
    heard: Game = ([("Hark, a bell rings.", "walk"), (ROOM, "walk"), (ROOM, "sing")], "Applause rises.", True)
    silent: Game = ([("Hark, an owl hoots.", "walk"), (ROOM, "walk"), (ROOM, "sing")], "Nobody listens.", False)
    finding = evidence(heard, heard, heard, silent, silent, silent).best_rule(WON)
    assert finding is not None
    assert isinstance(finding.rule, Choose)
    assert (finding.rule.action, finding.rule.later) == ("sing", True)
    assert finding.rule.phrase in "Hark, a bell rings."


def test_nothing_is_made_of_nothing() -> None:
    assert evidence(NOTHING, NOTHING).best_rule(WON) is None
    assert evidence().best_rule(WON) is None


def test_actions_can_be_left_out() -> None:
    assert evidence(WON_BY_KNOCKING, NOTHING).best_rule(WON, without=frozenset({"knock"})) is None


def test_what_most_episodes_start_with_is_given() -> None:
    found = evidence(WON_BY_KNOCKING, NOTHING, ([(DOOR, "walk")], ROOM, False))
    assert found.is_given("An empty")
    assert not found.is_given("Here stands")


def test_a_finding_counts_for_more_the_more_it_beats_chance() -> None:
    sure, thin = Finding(WON, Walk("o"), 9, 10, 0.1), Finding(WON, Walk("o"), 1, 1, 0.1)
    assert (sure.score, thin.score) == (9 / 11, 1 / 2)
    assert sure.weight == pytest.approx(9 * math.log(0.9 / 0.1) + math.log(0.1 / 0.9))
    assert sure.weight > thin.weight == pytest.approx(math.log(10))
    assert Finding(WON, Walk("o"), 1, 10, 0.1).weight == Finding(WON, Walk("o"), 1, 10, 0.5).weight == 0.0
    assert Finding("a door", Walk("o"), 1, 2, 0.1).reason.endswith(
        'Of 2 times that this was done, "a door" appeared after 1.'
    )

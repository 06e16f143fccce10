from __future__ import annotations

import json
import math

import pytest

from ictbench.records import Step, Trajectory
from ictbench.rules_text.rules import Choose, Walk
from ictbench.scripted.rule_evidence import WIN, Finding, Moment, RuleEvidence, add_episodes, moments_of, phrases_of

Game = tuple[list[tuple[str, str | None]], str, bool]
"""Observations with the action chosen at each, the last observation, and whether the game was won."""


def trajectory(game: Game) -> Trajectory:
    past, last, solved = game
    return Trajectory(
        steps=tuple(
            Step(observation=text, actions=(), digest="", thought="", proposed=action, executed=action)
            for text, action in past
        ),
        last_observation=last,
        last_digest="",
        end="solved" if solved else "step_limit",
    )


def moments(game: Game, player: str | None = "&") -> list[Moment]:
    return list(moments_of(add_episodes(None, [trajectory(game)], player)))


def evidence(*games: Game, player: str | None = "&") -> RuleEvidence:
    return RuleEvidence(moments_of(add_episodes(None, [trajectory(game) for game in games], player)))


ROOM, DOOR = "An empty room.", "Here stands a door."
WON_BY_KNOCKING: Game = ([(ROOM, "walk"), (DOOR, "knock")], "It opens.", True)
NOTHING: Game = ([(ROOM, "knock"), (ROOM, "walk"), (ROOM, "walk")], ROOM, False)


def test_a_memory_is_plain_json_and_grows_batch_by_batch() -> None:
    batch = [trajectory(WON_BY_KNOCKING), trajectory(NOTHING)]
    at_once = add_episodes(None, batch, "&")
    one_by_one = add_episodes(json.loads(json.dumps(add_episodes(None, batch[:1], "&"))), batch[1:], "&")
    assert one_by_one == at_once == json.loads(json.dumps(at_once))
    assert at_once["lines"] == [ROOM, DOOR, "It opens."]


def test_adding_episodes_does_not_change_the_old_memory() -> None:
    old = add_episodes(None, [trajectory(WON_BY_KNOCKING)], "&")
    before = json.dumps(old)
    add_episodes(old, [trajectory(([("A garden.", "sit")], "A garden.", False))], "&")
    assert json.dumps(old) == before


def test_a_moment_has_the_phrases_before_the_action_and_the_new_ones_after_it() -> None:
    walked, knocked = moments(WON_BY_KNOCKING)
    assert (walked.action, knocked.action) == ("walk", "knock")
    assert "empty room." in walked.now
    assert walked.now.isdisjoint(knocked.now)
    assert knocked.seen == walked.now | knocked.now
    assert walked.outcome == knocked.now
    assert knocked.outcome == frozenset({"It opens.", WIN})


def test_phrases_that_were_on_the_screen_before_are_not_an_outcome() -> None:
    (moment,) = moments(([(f"{ROOM}\n{DOOR}", "wait")], f"{DOOR}\nA bell rings.", False))
    assert "bell rings." in moment.outcome
    assert "a door." not in moment.outcome


def test_invalid_actions_are_left_out() -> None:
    assert [moment.action for moment in moments(([(ROOM, None), (ROOM, "walk")], DOOR, False))] == ["walk"]


@pytest.mark.parametrize(
    ("before", "after", "entered"),
    [("&o.", ".&.", "o"), ("&o.", "&o.", None), ("&", "..&", " "), ("..", ".&", None), ("&.", "..", None)],
)
def test_a_moment_has_the_symbol_that_the_player_moved_onto(before: str, after: str, entered: str | None) -> None:
    game: Game = ([(before, "go east")], after, False)
    assert [moment.entered for moment in moments(game)] == [entered]
    assert [moment.entered for moment in moments(game, player=None)] == [None]


def test_phrases_are_two_to_four_words_without_numbers_and_quotes() -> None:
    assert phrases_of("one two three four five") == (
        *("one two", "two three", "three four", "four five"),
        *("one two three", "two three four", "three four five"),
        *("one two three four", "two three four five"),
    )
    assert phrases_of("take 3 red pills") == ("red pills",)
    assert phrases_of('say "hello there" now') == ()
    assert phrases_of("alone") == ()


def test_the_winning_rule_is_found_with_its_counts() -> None:
    finding = evidence(WON_BY_KNOCKING, WON_BY_KNOCKING, NOTHING, NOTHING).best_rule(WIN)
    assert finding is not None
    assert isinstance(finding.rule, Choose)
    assert (finding.rule.action, finding.rule.later) == ("knock", False)
    assert finding.rule.phrase in DOOR
    assert (finding.hits, finding.tried, finding.chance) == (2, 2, 0.5)
    assert finding.reason == f"{finding.rule} Of 2 times that this was done, the task was solved after 2."


def test_a_winning_symbol_is_found() -> None:
    won: Game = ([("&o.", "go east")], ".&.", True)
    lost: Game = ([(".&o", "go west")], "&.o", False)
    assert evidence(won, won, won, lost, lost).best_rule(WIN) == Finding(WIN, Walk("o"), 3, 3, 3 / 5)


def test_a_phrase_that_was_seen_earlier_can_be_the_condition() -> None:
    heard: Game = ([("Hark, a bell rings.", "walk"), (ROOM, "walk"), (ROOM, "sing")], "Applause rises.", True)
    silent: Game = ([("Hark, an owl hoots.", "walk"), (ROOM, "walk"), (ROOM, "sing")], "Nobody listens.", False)
    finding = evidence(heard, heard, heard, silent, silent, silent).best_rule(WIN)
    assert finding is not None
    assert isinstance(finding.rule, Choose)
    assert (finding.rule.action, finding.rule.later) == ("sing", True)
    assert finding.rule.phrase in "Hark, a bell rings."


def test_without_wins_no_rule_is_found() -> None:
    assert evidence(NOTHING, NOTHING).best_rule(WIN) is None
    assert evidence().best_rule(WIN) is None


def test_actions_can_be_excluded() -> None:
    assert evidence(WON_BY_KNOCKING, NOTHING).best_rule(WIN, without=frozenset({"knock"})) is None


def test_a_phrase_is_initial_if_most_episodes_start_with_it() -> None:
    three_games = evidence(WON_BY_KNOCKING, NOTHING, ([(DOOR, "walk")], ROOM, False))
    assert three_games.is_initial("An empty")
    assert not three_games.is_initial("Here stands")


def test_score_and_weight_grow_with_evidence_and_with_the_margin_over_chance() -> None:
    sure, thin = Finding(WIN, Walk("o"), 9, 10, 0.1), Finding(WIN, Walk("o"), 1, 1, 0.1)
    assert (sure.score, thin.score) == (9 / 11, 1 / 2)
    assert sure.weight == pytest.approx(9 * math.log(0.9 / 0.1) + math.log(0.1 / 0.9))
    assert sure.weight > thin.weight == pytest.approx(math.log(10))
    assert Finding(WIN, Walk("o"), 1, 10, 0.1).weight == Finding(WIN, Walk("o"), 1, 10, 0.5).weight == 0.0
    assert Finding("a door", Walk("o"), 1, 2, 0.1).reason.endswith(
        'Of 2 times that this was done, "a door" appeared after 1.'
    )

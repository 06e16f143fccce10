"""The reflector that asks for one action: its question and its parser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefill_model import PrefillModel
from reflector_turns import LOST, WON

from ictbench import load_suite
from ictbench.reflectors import Context
from ictbench.reflectors.llm.one_action import (
    EXAMPLES,
    OUTCOME,
    TITLE,
    OneActionReflector,
    candidates,
    has_order,
    known_actions,
    name_action,
    named_action,
)
from ictbench.rules_text.rules import Before, Choose, parse_rules
from ictbench.suites.load import list_suites

if TYPE_CHECKING:
    from ictbench.records import Reflection

KINDS = ("eat", "pickup", "read", "step", "wear")


def reflection(reply: str, prompt: str = "Play well.", cap: int = 8000) -> tuple[Reflection, PrefillModel]:
    model = PrefillModel(reply)
    context = Context(seed=1, prompt_cap=cap)
    return asyncio.run(OneActionReflector(model).reflect(prompt, (WON, LOST), None, context)), model


def written(action: str) -> str:
    return f'Play well.\n\n{TITLE}\nAfter you have seen "You see here", choose "{action}".'


def test_the_reply_names_the_action_and_the_reflector_writes_the_rule() -> None:
    result, model = reflection(" wear.")
    assert model.messages[-1] == {"role": "assistant", "content": "Solved:"}
    assert result.prompt == written("wear")
    assert parse_rules(result.prompt) == (Choose("You see here", "wear", later=True),)


def test_the_question_has_the_tally_by_outcome_and_the_action_so_far() -> None:
    _, model = reflection(" wear.", written("eat"))
    question = str(model.messages[-2]["content"])
    assert question.startswith("Chosen so far: eat\n")
    assert "\nMixed: read" in question
    assert "Play well." not in question


def test_the_new_action_replaces_the_one_before() -> None:
    assert reflection(" wear.", written("eat"))[0].prompt == written("wear")


def test_rules_of_the_start_prompt_stay() -> None:
    start = 'Walk onto "?".\nWhen you see "You see here", choose "pickup".'
    prompt = reflection(" zap.", start)[0].prompt
    assert prompt == f'{start}\n\n{TITLE}\nAfter you have seen "You see here", choose "zap".'


@pytest.mark.parametrize("reply", ["", " ", ' "wear"', "\nwear", " 3"])
def test_a_reply_that_names_no_action_is_unusable(reply: str) -> None:
    result, _ = reflection(reply)
    assert (result.prompt, result.failure) == (None, "unparseable")


def test_a_name_that_reaches_the_token_limit_may_be_cut() -> None:
    assert reflection(" wea")[0].failure == "truncated"


def test_only_the_first_action_counts() -> None:
    assert reflection(" wear, eat\nFailed: zap")[0].prompt == written("wear")


def test_a_prompt_over_the_cap_is_refused() -> None:
    assert reflection(" wear.", cap=20)[0].failure == "too_long"


ERRANDS = 'Carry things.\n\nDo "clean or heat" before "move".\nChoose "go".'


def test_in_a_prompt_that_orders_an_action_the_named_one_takes_its_place() -> None:
    prompt = reflection(" cool.", ERRANDS)[0].prompt
    assert prompt == 'Carry things.\n\nDo "cool" before "move".\nChoose "go".'
    assert parse_rules(prompt)[0] == Before("", "cool", "move")
    assert reflection(" heat.", prompt)[0].prompt == ERRANDS.replace("clean or heat", "heat")


def test_only_the_first_order_is_the_place_of_the_named_action() -> None:
    prompt = 'Do "clean or heat" before "move".\nDo "open" before "go".'
    assert named_action(prompt) == ""
    assert named_action(name_action(prompt, "cool")) == "cool"
    assert known_actions(prompt) == {"move", "open", "go"}


def test_an_order_with_alternatives_names_no_action_yet() -> None:
    assert named_action(ERRANDS) == ""
    assert named_action(name_action(ERRANDS, "cool")) == "cool"
    assert has_order(ERRANDS)


@given(st.sampled_from(["Play well.", ERRANDS]), st.sampled_from(KINDS), st.sampled_from(KINDS))
def test_a_prompt_names_one_action_the_last(prompt: str, first: str, second: str) -> None:
    assert named_action(prompt) == ""
    once, twice = name_action(prompt, first), name_action(name_action(prompt, first), second)
    assert (named_action(once), named_action(twice)) == (first, second)
    assert twice == name_action(prompt, second)


@given(st.permutations(KINDS), st.data())
def test_outcomes_change_only_the_words_before_the_actions(kinds: list[str], data: st.DataObject) -> None:
    draw = st.lists(st.sampled_from(sorted(OUTCOME)), min_size=len(kinds), max_size=len(kinds))
    for outcomes in (data.draw(draw), data.draw(draw)):
        lines = [f"{kind}: {outcome}" for kind, outcome in zip(kinds, outcomes, strict=True)]
        text = candidates("\n".join(["At the start: Hello.", "Later: You win.", *lines, 'Symbols: "<"']))
        assert text.splitlines() == [
            f"{OUTCOME[outcome]}: {kind}" for kind, outcome in zip(kinds, outcomes, strict=True)
        ]


def test_hidden_outcomes_leave_the_actions_in_their_lines() -> None:
    assert candidates("Later: You win.\neat\nread") == "eat\nread"


def test_actions_that_the_prompt_quotes_are_no_candidates() -> None:
    walks = 'You are the "@". "step" moves.\nWalk onto """.\nWhen you see "You see here", choose "pickup".'
    assert known_actions(walks) >= {"step", "pickup"}
    assert not known_actions(name_action(walks, "wear")) & {"wear"}
    assert known_actions(ERRANDS) == known_actions(name_action(ERRANDS, "cool")) == {"move", "go"}
    tally = "step: solved\nwear: not solved\npickup: not tried\nzap: solved"
    assert candidates(tally, known_actions(walks)) == "Failed: wear\nSolved: zap"
    assert candidates("step\nzap", known_actions(walks)) == "zap"
    assert candidates("step: solved", known_actions(walks)) == candidates("(none)") == "(none)"


def test_the_examples_name_no_action_of_a_suite_but_moves() -> None:
    named = {reply.removeprefix("Solved: ").rstrip(".") for _, _, reply in EXAMPLES}
    assert named == {"ring", "light"}
    for name in list_suites():
        assert not named & set(load_suite(name).families)

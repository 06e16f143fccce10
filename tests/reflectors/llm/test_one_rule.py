from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prefill_model import PrefillModel
from reflector_turns import LOST, WON, run_turns

from ictbench import load_suite
from ictbench.reflectors import Context
from ictbench.reflectors.llm.one_rule import EXAMPLES, TITLE, OneRuleReflector
from ictbench.rules_text.rules import Choose, parse_rules
from ictbench.suites.load import list_suites
from ictbench.testing import Reply

if TYPE_CHECKING:
    from ictbench.records import Reflection

READ, EAT = 'When you see "k -", choose "read".', 'When you see "a -", choose "eat".'


def reflection(model: PrefillModel, prompt: str = "Play well.", cap: int = 8000) -> Reflection:
    return asyncio.run(OneRuleReflector(model).reflect(prompt, (WON, LOST), None, Context(seed=1, prompt_cap=cap)))


def test_the_reply_is_begun_and_its_first_rule_is_appended() -> None:
    model = PrefillModel(f'k -", choose "read".\n{EAT}\nWhen you see "the en')
    result = reflection(model)
    assert model.messages[-1] == {"role": "assistant", "content": 'When you see "'}
    assert result.prompt == f"Play well.\n\n{TITLE}\n{READ}"
    assert parse_rules(result.prompt) == (Choose("k -", "read"),)


def test_rules_of_earlier_turns_stay_above_the_new_one_and_are_shown() -> None:
    reflections, requests = run_turns(OneRuleReflector, [READ, EAT, READ])
    assert [reflection.prompt for reflection in reflections] == [
        f"Play well.\n\n{TITLE}\n{READ}",
        f"Play well.\n\n{TITLE}\n{READ}\n{EAT}",
        f"Play well.\n\n{TITLE}\n{EAT}\n{READ}",
    ]
    assert (
        "Rules so far:\n(none)\n\nWhat happened:\nLater: You lose. You win.\nread: solved and not solved\n"
        in requests[0]
    )
    assert f"Rules so far:\n{READ}\n{EAT}\n\nWhat happened:" in requests[2]


def test_a_rule_replaces_the_earlier_one_about_the_same_words() -> None:
    reflections, _ = run_turns(OneRuleReflector, [READ, EAT, 'When you see "k -", choose "zap".'])
    assert reflections[-1].prompt == f'Play well.\n\n{TITLE}\n{EAT}\nWhen you see "k -", choose "zap".'


def test_rules_of_the_start_prompt_stay() -> None:
    start = 'Walk onto "?".\nWhen you see "You see here", choose "pickup".'
    result = reflection(PrefillModel('You see here", choose "eat".'), start)
    assert result.prompt == f'{start}\n\n{TITLE}\nWhen you see "You see here", choose "eat".'


def test_the_oldest_rules_are_dropped_where_the_cap_is_reached() -> None:
    full = f"Play well.\n\n{TITLE}\n{READ}"
    assert reflection(PrefillModel('a -", choose "eat".'), full, cap=len(full)).prompt == (
        f"Play well.\n\n{TITLE}\n{EAT}"
    )
    assert reflection(PrefillModel('a -", choose "eat".'), full, cap=20).failure == "too_long"


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Be careful.", "unparseable"),
        ('Walk onto "?".', "unparseable"),
        ('After you have seen "k -", choose "eat".', "unparseable"),
        (Reply('When you see "k -", choo', finish_reason="length"), "truncated"),
    ],
)
def test_a_reply_without_a_complete_rule_is_unusable(reply: str | Reply, failure: str) -> None:
    ((result,), _) = run_turns(OneRuleReflector, [reply])
    assert (result.prompt, result.failure) == (None, failure)


@pytest.mark.parametrize(
    "reply", [f"<think>{EAT}</think>{READ}", f"{EAT}\n</think>\n{READ}", f"{READ}<|im_end|>\n{EAT}"]
)
def test_no_rule_is_taken_from_reasoning(reply: str) -> None:
    assert run_turns(OneRuleReflector, [reply])[0][0].prompt == f"Play well.\n\n{TITLE}\n{READ}"


@pytest.mark.parametrize("form", OneRuleReflector.formats)
def test_the_examples_have_the_format_of_the_experience(form: str) -> None:
    model = PrefillModel('k -", choose "read".')
    reflector = OneRuleReflector(model, experience=form)
    asyncio.run(reflector.reflect("Play well.", (WON,), None, Context(seed=1, prompt_cap=8000)))
    example, own = (str(model.messages[index]["content"]) for index in (1, -2))
    assert ("Observation 1:" in example) == ("Observation 1:" in own) == (form == "full")
    assert "The bell rings." in example


def test_the_examples_are_from_games_that_are_in_no_suite() -> None:
    assert [parse_rules(reply) for _, reply in EXAMPLES] == [(Choose("k -", "ring"),), (Choose("m -", "light"),)]
    for name in list_suites():
        words = set(load_suite(name).prompt.replace('"', " ").split())
        assert not {"bell", "ring", "lamp", "light"} & words

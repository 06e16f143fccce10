from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prefill_model import PrefillModel
from reflector_turns import LOST, WON, run_turns

from ictbench import load_suite
from ictbench.errors import ConfigError
from ictbench.reflectors import Context
from ictbench.reflectors.llm.lessons import EXAMPLES, MAX_RULES, TITLE, LessonsReflector
from ictbench.rules_text.rules import Choose, Walk, parse_rules
from ictbench.suites.load import list_suites
from ictbench.testing import Reply

if TYPE_CHECKING:
    from ictbench.records import Reflection


def reflection(model: PrefillModel, prompt: str = "Play well.") -> Reflection:
    return asyncio.run(LessonsReflector(model).reflect(prompt, (WON, LOST), None, Context(seed=1, prompt_cap=8000)))


def test_the_reply_is_prefilled_and_its_rules_are_appended() -> None:
    model = PrefillModel('?".\nWhen you see "a scroll", choose "read".\nAnd so on, for as lon')
    result = reflection(model)
    assert model.messages[-1] == {"role": "assistant", "content": 'Walk onto "'}
    assert result.prompt == f'Play well.\n\n{TITLE}\nWalk onto "?".\nWhen you see "a scroll", choose "read".'
    assert parse_rules(result.prompt) == (Walk("?"), Choose("a scroll", "read"))
    assert result.analysis.startswith('Walk onto "?"')


def test_new_rules_replace_those_of_the_previous_turn() -> None:
    reflections, requests = run_turns(LessonsReflector, ['Walk onto "?".', 'Walk onto "%".'])
    assert [reflection.prompt for reflection in reflections] == [
        f'Play well.\n\n{TITLE}\nWalk onto "{symbol}".' for symbol in "?%"
    ]
    assert "Rules so far:\n(none)" in requests[0]
    assert 'Rules so far:\nWalk onto "?".\n\nWhat happened:\nEpisode 1:\n' in requests[1]


def test_a_model_without_prefill_sees_the_examples_only() -> None:
    ((result,), (request,)) = run_turns(LessonsReflector, ['Sure! Walk onto "?". Good luck'])
    assert result.prompt == f'Play well.\n\n{TITLE}\nWalk onto "?".'
    assert request.endswith("Write at most 3 rules, one a line.")
    assert 'Walk onto "&"' in request


@pytest.mark.parametrize(
    "reply",
    [
        '<think>Walk onto "a".</think>Walk onto "?".',
        'Walk onto "a".\n</think>\nWalk onto "?".',
        'Walk onto "?".\n<think>\nWalk onto "a".\n</think>',
        'Walk onto "?".<|im_end|>\nWalk onto "a".',
    ],
)
def test_no_rule_is_taken_from_reasoning(reply: str) -> None:
    assert run_turns(LessonsReflector, [reply])[0][0].prompt == f'Play well.\n\n{TITLE}\nWalk onto "?".'


def test_at_most_three_distinct_rules_are_taken() -> None:
    ((result,), _) = run_turns(
        LessonsReflector, ['Walk onto "a". Walk onto "a". Walk onto "b". Walk onto "c". Walk onto "d".']
    )
    assert len(parse_rules(result.prompt or "")) == MAX_RULES == 3


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Be careful.", "unparseable"),
        ('Walk onto "stairs".', "unparseable"),
        ('Prefer new actions that name what the line "Your task" names.', "unparseable"),
        (Reply("Walk on and", finish_reason="length"), "truncated"),
    ],
)
def test_a_reply_without_a_valid_rule_is_unusable(reply: str | Reply, failure: str) -> None:
    ((result,), _) = run_turns(LessonsReflector, [reply])
    assert (result.prompt, result.failure) == (None, failure)


def test_rules_beyond_the_cap_are_too_long() -> None:
    ((result,), _) = run_turns(LessonsReflector, ['Walk onto "?".'], cap=20)
    assert (result.prompt, result.failure) == (None, "too_long")


def test_the_format_of_the_experience_can_be_chosen() -> None:
    assert "came onto" in LessonsReflector.instruction
    model = PrefillModel('?".')
    full = LessonsReflector(model, experience="full")
    asyncio.run(full.reflect("Play.", (WON,), None, Context(seed=1, prompt_cap=8000)))
    assert "Observation 1:\nA?" in model.messages[-2]["content"]
    with pytest.raises(ConfigError, match=r"experience 'film' \(formats: events, full, tally\)"):
        LessonsReflector(model, experience="film")


def test_the_examples_are_from_a_game_that_is_in_no_suite() -> None:
    answers = [parse_rules(answer) for _, answer in EXAMPLES]
    assert answers == [
        (Walk("&"), Choose("You see here", "ring")),
        (Walk("*"), Choose("You see here", "light")),
    ]
    assert all(text in LessonsReflector.instruction for example in EXAMPLES for text in example)
    for name in list_suites():
        words = set(load_suite(name).prompt.replace('"', " ").split())
        assert not {"bell", "ring", "lamp", "light"} & words

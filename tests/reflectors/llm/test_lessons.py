from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from asked import LOST, WON, turns

from ictbench import load_suite
from ictbench.errors import ConfigError
from ictbench.models import Completion
from ictbench.models.chat_model import ChatModel
from ictbench.records import ModelSpec, Usage
from ictbench.reflectors import Context
from ictbench.reflectors.llm.lessons import EXAMPLES, MOST, TITLE, LessonsReflector
from ictbench.rules_text.rules import Choose, Walk, parse_rules
from ictbench.suites.load import list_suites
from ictbench.testing import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import Constraint, Message
    from ictbench.records import Reflection


class GoesOn(ChatModel):
    """A model that takes the beginning of its reply, and goes on with the rest of one."""

    supports_prefill = True
    fingerprint = None

    def __init__(self, rest: str) -> None:
        super().__init__(ModelSpec(provider="own", model="m"))
        self.rest = rest
        self.asked: list[Message] = []

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        self.asked = list(messages)
        return Completion(self.rest, Usage(calls=1), "length")

    async def aclose(self) -> None:
        pass


def reflection(model: GoesOn, prompt: str = "Play well.") -> Reflection:
    return asyncio.run(LessonsReflector(model).reflect(prompt, (WON, LOST), None, Context(seed=1, prompt_cap=8000)))


def test_a_reply_is_begun_and_its_rules_stand_below_the_prompts_own_text() -> None:
    model = GoesOn('?".\nWhen you see "a scroll", choose "read".\nAnd so on, for as lon')
    found = reflection(model)
    assert model.asked[-1] == {"role": "assistant", "content": 'Walk onto "'}
    assert found.prompt == f'Play well.\n\n{TITLE}\nWalk onto "?".\nWhen you see "a scroll", choose "read".'
    assert parse_rules(found.prompt) == (Walk("?"), Choose("a scroll", "read"))
    assert found.analysis.startswith('Walk onto "?"')


def test_new_rules_replace_the_former_ones_which_the_model_is_shown() -> None:
    first, second = turns(LessonsReflector, ['Walk onto "?".', 'Walk onto "%".'])
    assert [one.prompt for one in first] == [f'Play well.\n\n{TITLE}\nWalk onto "{symbol}".' for symbol in "?%"]
    assert "Rules so far:\n(none)" in second[0]
    assert 'Rules so far:\nWalk onto "?".\n\nWhat happened:\nEpisode 1:\n' in second[1]


def test_a_model_that_cannot_go_on_from_a_beginning_has_the_example_to_go_by() -> None:
    ((found,), (asked,)) = turns(LessonsReflector, ['Sure! Walk onto "?". Good luck'])
    assert found.prompt == f'Play well.\n\n{TITLE}\nWalk onto "?".'
    assert asked.endswith("Write at most 3 rules, one a line.")
    assert 'Walk onto "&"' in asked


def test_no_more_than_so_many_rules_count_and_none_twice() -> None:
    ((found,), _) = turns(
        LessonsReflector, ['Walk onto "a". Walk onto "a". Walk onto "b". Walk onto "c". Walk onto "d".']
    )
    assert len(parse_rules(found.prompt or "")) == MOST


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Be careful.", "unparseable"),
        ('Walk onto "stairs".', "unparseable"),
        ('Prefer new actions that name what the line "Your task" names.', "unparseable"),
        (Reply("Walk on and", finish_reason="length"), "truncated"),
    ],
)
def test_a_reply_without_a_rule_is_unusable(reply: str | Reply, failure: str) -> None:
    ((found,), _) = turns(LessonsReflector, [reply])
    assert (found.prompt, found.failure) == (None, failure)


def test_rules_that_pass_the_cap_are_too_long() -> None:
    ((found,), _) = turns(LessonsReflector, ['Walk onto "?".'], cap=20)
    assert (found.prompt, found.failure) == (None, "too_long")


def test_it_can_be_shown_every_observation_and_nothing_else() -> None:
    assert "came onto" in LessonsReflector.instruction
    model = GoesOn('?".')
    full = LessonsReflector(model, experience="full")
    asyncio.run(full.reflect("Play.", (WON,), None, Context(seed=1, prompt_cap=8000)))
    assert "Observation 1:\nA?" in model.asked[-2]["content"]
    with pytest.raises(ConfigError, match="cannot be shown its experience as 'film'; choose of events, full"):
        LessonsReflector(model, experience="film")


def test_the_examples_are_of_no_game_that_a_suite_has() -> None:
    answers = [parse_rules(answer) for _, answer in EXAMPLES]
    assert answers == [
        (Walk("&"), Choose("You see here", "ring")),
        (Walk("*"), Choose("You see here", "light")),
    ]
    assert all(text in LessonsReflector.instruction for exchange in EXAMPLES for text in exchange)
    for name in list_suites():
        words = set(load_suite(name).prompt.replace('"', " ").split())
        assert not {"bell", "ring", "lamp", "light"} & words

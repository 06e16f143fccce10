from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reflector_turns import recalled, run_turns

from ictbench.records import ADDED_BYTES, MEMORY_BYTES, canonical_json
from ictbench.reflectors.memory.reasoning_bank import (
    MAX_NEW,
    TITLE,
    Bank,
    Item,
    ReasoningBankReflector,
    parse_items,
)
from ictbench.testing import Reply, check_reflector


def reply(*contents: str) -> str:
    return "\n".join(["ITEMS:", *(f"TITLE: About {c}\nDESCRIPTION: For {c}.\nCONTENT: {c}" for c in contents)])


def item(content: str, title: str = "T") -> Item:
    return Item(title=title, description="D", content=content)


def test_items_join_the_bank_and_the_prompt_stays() -> None:
    (first, second, third), _ = run_turns(
        ReasoningBankReflector, [reply("Read.", "Eat."), reply("eat.", "Dig."), "ITEMS: none"]
    )
    assert [turn.prompt for turn in (first, second, third)] == ["Play well."] * 3
    assert second.memory == {
        "batches": [
            {
                "items": [
                    {"title": f"About {content}", "description": f"For {content}.", "content": content}
                    for content in contents
                ],
                "starts": ["A?", "A?"],
            }
            for contents in (("Read.", "Eat."), ("Dig.",))
        ]
    }
    assert (second.analysis, third.analysis) == ("- About Dig.: Dig.", "Nothing new.")
    assert third.memory == second.memory


def test_the_model_reads_its_titles_and_the_episodes() -> None:
    first, second = run_turns(ReasoningBankReflector, [reply("Read."), reply("Eat.")])[1]
    system, _, request = ReasoningBankReflector.instruction.partition("\n\nAnswer with")
    assert first.startswith(system)
    assert first.endswith(request)
    assert "PROMPT:\nPlay well.\n\nTITLES:\n(none)\n\nEPISODES:\n=== Episode 1 ===\nObservation 1:\nA?" in first
    assert "TITLES:\n- About Read.\n\nEPISODES:" in second


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("Read every scroll.", "unparseable"),
        ("ITEMS:\n- Read.", "unparseable"),
        ("ITEMS:\nTITLE: Read\nCONTENT: Read.", "unparseable"),
        (Reply(reply("Eat."), finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_keeps_the_bank(text: str | Reply, failure: str) -> None:
    (_, second, third), _ = run_turns(ReasoningBankReflector, [reply("Read."), text, reply("Eat.")])
    assert (second.prompt, second.memory, second.failure, second.usage.calls) == (None, None, failure, 1)
    assert "Read." in str(third.memory)


def test_an_empty_bank_is_no_memory() -> None:
    ((turn,), _) = run_turns(ReasoningBankReflector, ["ITEMS:\nNone."])
    assert (turn.prompt, turn.failure, turn.memory) == ("Play well.", None, None)


@pytest.mark.parametrize(
    "text",
    [
        "TITLE: A b\nDESCRIPTION: c\nCONTENT: d\ne\nTITLE: f\nDESCRIPTION: g\nCONTENT: h",
        "### Item 1\n**Title:** A b\n**Description:** c\n**Content:** d e\n---\ntitle: f\nDescription : g\nCONTENT: h",
        "x\nTitle: A\nb\nDescription: c\nContent:\nd\ne\nItem 2:\nTitle: f\nDescription: g\nContent: h\nTitle: cut",
    ],
)
def test_items_are_read_in_any_markup(text: str) -> None:
    assert parse_items(text.splitlines()) == [
        Item(title="A b", description="c", content="d e"),
        Item(title="f", description="g", content="h"),
    ]


def test_a_turn_adds_a_few_items() -> None:
    ((turn,), _) = run_turns(ReasoningBankReflector, [reply(*"abcdefgh")])
    assert turn.analysis.count("\n") + 1 == MAX_NEW == 5


def test_an_episode_recalls_the_items_of_the_batches_that_are_most_similar_to_its_beginning() -> None:
    bank = Bank()
    for start, names in {"A cave.": "apple door", "A hall.": "wand ring", "A lake.": "boat fish oar"}.items():
        bank = bank.extended((item(f"Mind the {name}.", name) for name in names.split()), [start])
    memory = bank.model_dump(mode="json")

    def shown(observation: str, *actions: str) -> list[str]:
        text = recalled(ReasoningBankReflector, memory, observation, actions)
        assert text.startswith(f"{TITLE}\n- ")
        return [line.split(":")[0][2:] for line in text.splitlines()[1:]]

    assert shown("Another cave.") == ["apple", "door", "boat", "fish", "oar"]
    assert shown("It is dark.", "zap the wand")[:2] == ["wand", "ring"]
    assert shown("It is dark.") == ["boat", "fish", "oar", "wand", "ring"], "of equals the newest"


LINE = st.one_of(
    st.builds("{}: {}".format, st.sampled_from(["TITLE", "DESCRIPTION", "CONTENT"]), st.text(max_size=300)),
    st.text(st.characters(codec="utf-8"), max_size=300),
)


@given(st.lists(st.lists(LINE, max_size=9), max_size=4), st.text())
def test_memory_and_added_text_keep_their_limits_whatever_the_model_writes(
    replies: list[list[str]], observation: str
) -> None:
    bank = Bank()
    for lines in replies:
        bank = bank.extended(parse_items(lines), [observation] * 3)
    memory: Any = bank.model_dump(mode="json")
    assert len(canonical_json(memory).encode()) < MEMORY_BYTES
    assert len(recalled(ReasoningBankReflector, memory, observation).encode()) <= ADDED_BYTES


def test_an_item_that_is_too_long_is_left_out() -> None:
    assert len(parse_items(["TITLE: t", "DESCRIPTION: d", f"CONTENT: {'é' * 475}"])) == 1
    assert parse_items(["TITLE: t", "DESCRIPTION: d", f"CONTENT: {'é' * 490}"]) == []


def test_a_full_bank_drops_the_oldest_batches_and_stays_within_the_memory() -> None:
    bank = Bank()
    for number in range(30):
        bank = bank.extended([item(f"Item {number}.")], ["x" * 5_000] * 3)
    assert len(bank.model_dump_json().encode()) < MEMORY_BYTES
    assert 15 < len(bank.items) < 30
    assert bank.items[-1].content == "Item 29."


@pytest.mark.parametrize("letter", ["x", "\x1b", "\U0001f600"])
def test_the_items_of_a_large_batch_join_the_bank(letter: str) -> None:
    bank = Bank().extended([item("Read.")], ["A cave."]).extended([item("Eat.")], [letter * 5_000] * 100)
    assert [found.content for found in bank.items] == ["Read.", "Eat."]
    assert len(bank.batches[-1].starts) == 100


def test_it_keeps_the_contract() -> None:
    check_reflector(ReasoningBankReflector, answer=lambda body: reply(f"{len(body['messages'][-1]['content'])} signs"))

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reflector_turns import recalled, run_turns

from ictbench.records import ADDED_BYTES, MEMORY_BYTES, canonical_json
from ictbench.reflectors.memory.cheatsheet import ENTRY_BYTES, MAX_ENTRIES, TITLE, CheatSheet, CheatSheetReflector
from ictbench.testing import Reply, check_reflector


def sheet(*entries: str) -> str:
    return "\n".join(["CHEAT SHEET:", *(f"- {entry}" for entry in entries)])


def added(*replies: str | Reply) -> list[str]:
    """Return what the memory adds after each turn."""
    return [recalled(CheatSheetReflector, turn.memory) for turn in run_turns(CheatSheetReflector, replies)[0]]


def test_each_sheet_replaces_the_one_before_and_the_prompt_stays() -> None:
    reflections, _ = run_turns(CheatSheetReflector, [sheet("Read scrolls.", "Doors lead on."), sheet("Eat apples.")])
    assert [turn.prompt for turn in reflections] == ["Play well."] * 2
    assert [turn.memory for turn in reflections] == [
        {"entries": ["Read scrolls.", "Doors lead on."]},
        {"entries": ["Eat apples."]},
    ]
    assert added(sheet("Read scrolls.", "Doors lead on.")) == [f"{TITLE}\n- Read scrolls.\n- Doors lead on."]


def test_the_model_reads_its_sheet_and_the_episodes() -> None:
    first, second = run_turns(CheatSheetReflector, [sheet("Read."), sheet("Eat.")])[1]
    system, _, request = CheatSheetReflector.instruction.partition("\n\nAnswer with")
    assert first.startswith(system)
    assert first.endswith(request)
    assert "PROMPT:\nPlay well.\n\nCHEAT SHEET:\n(empty)\n\nEPISODES:\n=== Episode 1 ===\nObservation 1:\nA?" in first
    assert "PROMPT:\nPlay well.\n\nCHEAT SHEET:\n- Read.\n\nEPISODES:" in second


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Read every scroll.", "unparseable"),
        ("CHEAT SHEET:\n\n", "unparseable"),
        ("CHEAT SHEET:\n- Read.\n<think>\n- Or eat?", "unparseable"),
        (sheet("x" * (ENTRY_BYTES + 1)), "too_long"),
        (Reply(sheet("Eat."), finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_keeps_the_sheet(reply: str | Reply, failure: str) -> None:
    (_, second, _), requests = run_turns(CheatSheetReflector, [sheet("Read."), reply, sheet("Eat.")])
    assert (second.prompt, second.memory, second.failure, second.usage.calls) == (None, None, failure, 1)
    assert "CHEAT SHEET:\n- Read.\n\n" in requests[2]


@pytest.mark.parametrize(
    "reply",
    [
        "CHEAT SHEET:\n1. Read.\n2) Eat.",
        "Sure!\n\n**Cheatsheet:**\n\n*   Read.\n* Eat.\n* Read.",
        "<think>CHEAT SHEET:\n- no</think>## Cheat sheet\nRead.\n\nEat.",
    ],
)
def test_a_sheet_is_read_in_any_markup_without_repetitions(reply: str) -> None:
    assert added(reply) == [f"{TITLE}\n- Read.\n- Eat."]


def test_of_a_long_sheet_the_first_entries_are_shown() -> None:
    (text,) = added(sheet(*(f"{number} {'x' * 300}" for number in range(9))))
    assert [line[:3] for line in text.splitlines()[1:]] == ["- 0", "- 1", "- 2", "- 3", "- 4", "- 5"]


LINE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=1200)


@given(st.lists(LINE, max_size=2 * MAX_ENTRIES))
def test_memory_and_added_text_keep_their_limits_whatever_the_model_writes(lines: list[str]) -> None:
    memory = CheatSheet.of(lines).model_dump(mode="json")
    assert len(canonical_json(memory).encode()) < MEMORY_BYTES
    assert len(recalled(CheatSheetReflector, memory).encode()) <= ADDED_BYTES


def test_it_keeps_the_contract() -> None:
    check_reflector(CheatSheetReflector, answer=lambda body: sheet(f"{len(body['messages'][-1]['content'])} letters."))

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reflector_turns import run_turns

from ictbench.reflectors.llm.insights import MAX_OPERATIONS, TITLE, InsightsReflector, Rule, apply_operations
from ictbench.testing import Reply


def operations(*lines: str) -> str:
    return "\n".join(["OPERATIONS:", *lines])


def rules(*replies: str | Reply, cap: int = 8000) -> list[str]:
    """Return the rules in the last prompt."""
    prompt = run_turns(InsightsReflector, replies, cap=cap)[0][-1].prompt
    assert prompt is not None
    base, _, section = prompt.partition(f"\n\n{TITLE}\n")
    assert base == "Play well."
    return section.splitlines()


def test_rules_are_added_edited_and_voted_on() -> None:
    result = rules(
        operations("ADD: Read scrolls.", "ADD: Eat apples.", "ADD: Sleep."),
        operations("DOWN 3", "UP 2", "EDIT 1: Read every scroll."),
        operations("DOWN 3", "UP 1"),
    )
    # Votes: read 4 after edit and up, eat 3, sleep 0.
    assert result == ["- Read every scroll.", "- Eat apples."]


def test_numbers_refer_to_the_list_that_the_model_was_shown() -> None:
    before = [Rule(text="a", votes=1), Rule(text="b"), Rule(text="c")]
    after, applied = apply_operations(before, ["DOWN 1", "EDIT 3: d", "UP 2", "UP 2"])
    assert after == [Rule(text="b", votes=4), Rule(text="d", votes=3)]
    assert applied == ["DOWN 1", "EDIT 3: d", "UP 2", "UP 2"]


@pytest.mark.parametrize("line", ["UP 4", "UP", "DOWN 0", "EDIT: x", "EDIT 1", "EDIT 1:", "ADD", "ADD:", "MOVE 1", ""])
def test_an_invalid_operation_is_skipped(line: str) -> None:
    before = [Rule(text="a"), Rule(text="b")]
    assert apply_operations(before, [line, "UP 2"]) == ([Rule(text="b", votes=3), Rule(text="a")], ["UP 2"])


def test_a_duplicate_of_a_rule_is_skipped() -> None:
    before = [Rule(text="a"), Rule(text="b")]
    assert apply_operations(before, ["ADD: a", "EDIT 2: a", "EDIT 1: a"]) == (before, [])


OPERATION = st.tuples(st.sampled_from(["add", "EDIT", "Up", "DOWN"]), st.integers(0, 5), st.sampled_from("abcd"))


@given(st.lists(OPERATION, max_size=9))
def test_every_rule_has_votes_and_is_unique(operations: list[tuple[str, int, str]]) -> None:
    updated, _ = apply_operations(
        [Rule(text="a"), Rule(text="x", votes=1)], [f"{verb} {n}: {text}" for verb, n, text in operations]
    )
    assert [rule.votes for rule in updated] == sorted((rule.votes for rule in updated), reverse=True)
    assert all(rule.votes > 0 for rule in updated)
    assert len({rule.text for rule in updated}) == len(updated)


def test_the_rules_with_the_fewest_votes_are_dropped_at_the_cap() -> None:
    cap = len(f"Play well.\n\n{TITLE}\n- aaaa\n- bbbb".encode())
    added = operations("ADD: aaaa", "ADD: bbbb")
    assert rules(added, operations("UP 2", "ADD: cccc"), cap=cap) == ["- bbbb", "- aaaa"]
    assert rules(operations("ADD: aaaa"), operations("DOWN 1", "ADD: b", "ADD: cc"), cap=cap) == ["- b", "- cc"]


def test_a_turn_applies_at_most_four_operations() -> None:
    assert len(rules(operations(*(f"ADD: {letter}" for letter in "abcdef")))) == MAX_OPERATIONS == 4


@pytest.mark.parametrize(
    "reply",
    [
        "OPERATIONS:\n1. ADD: Read.\n2. up 1",
        "## Operations\n- add : Read.\n",
        "<think>Hm</think>**OPERATIONS:**\nAdd rule: Read.",
        "OPERATIONS:\nADD: no\n</think>\nOPERATIONS:\nADD: Read.",
    ],
)
def test_operations_are_read_in_any_markup(reply: str) -> None:
    assert rules(reply) == ["- Read."]


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Read every scroll.", "unparseable"),
        (operations(), "unparseable"),
        (operations("UP 7"), "unparseable"),
        (Reply(operations("UP 1"), finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_keeps_the_rules(reply: str | Reply, failure: str) -> None:
    first, second, third = run_turns(InsightsReflector, [operations("ADD: Read."), reply, operations("none")])[0]
    assert (second.prompt, second.failure, second.state) == (None, failure, first.state)
    assert (third.prompt, third.failure, third.analysis) == (first.prompt, None, "Nothing to change.")


def test_the_model_reads_the_rules_with_their_votes() -> None:
    first, second = run_turns(InsightsReflector, [operations("ADD: Read.", "ADD: Eat."), operations("UP 1")])[1]
    system, _, request = InsightsReflector.instruction.partition("\n\nAnswer with")
    assert first.startswith(system)
    assert first.endswith(request)
    assert "PROMPT:\nPlay well.\n\nRULES:\n(none)\n\nEPISODES:\n=== Episode 1 ===" in first
    assert "RULES:\n1. Read. (2 votes)\n2. Eat. (2 votes)\n\n" in second

from __future__ import annotations

import pytest
from asked import turns
from hypothesis import given
from hypothesis import strategies as st

from ictbench.reflectors.llm.insights import MOST, TITLE, InsightsReflector, Rule, apply
from ictbench.testing import Reply


def operations(*lines: str) -> str:
    return "\n".join(["OPERATIONS:", *lines])


def rules(*replies: str | Reply, cap: int = 8000) -> list[str]:
    """The rules of the last prompt."""
    prompt = turns(InsightsReflector, replies, cap=cap)[0][-1].prompt
    assert prompt is not None
    own, _, below = prompt.partition(f"\n\n{TITLE}\n")
    assert own == "Play well."
    return below.splitlines()


def test_rules_are_added_edited_and_voted_on() -> None:
    found = rules(
        operations("ADD: Read scrolls.", "ADD: Eat apples.", "ADD: Sleep."),
        operations("DOWN 3", "UP 2", "EDIT 1: Read every scroll."),
        operations("DOWN 3", "UP 1"),
    )
    # Eat and the edited one have three votes each, one of them four; sleep has none any more.
    assert found == ["- Read every scroll.", "- Eat apples."]


def test_numbers_are_those_of_the_list_that_was_shown() -> None:
    before = [Rule(text="a", votes=1), Rule(text="b"), Rule(text="c")]
    after, done = apply(before, ["DOWN 1", "EDIT 3: d", "UP 2", "UP 2"])
    assert after == [Rule(text="b", votes=4), Rule(text="d", votes=3)]
    assert done == ["DOWN 1", "EDIT 3: d", "UP 2", "UP 2"]


@pytest.mark.parametrize("line", ["UP 4", "UP", "DOWN 0", "EDIT: x", "EDIT 1", "EDIT 1:", "ADD", "ADD:", "MOVE 1", ""])
def test_an_operation_that_makes_no_sense_is_passed_over(line: str) -> None:
    before = [Rule(text="a"), Rule(text="b")]
    assert apply(before, [line, "UP 2"]) == ([Rule(text="b", votes=3), Rule(text="a")], ["UP 2"])


def test_what_is_a_rule_already_is_not_one_twice() -> None:
    before = [Rule(text="a"), Rule(text="b")]
    assert apply(before, ["ADD: a", "EDIT 2: a", "EDIT 1: a"]) == (before, [])


OPERATION = st.tuples(st.sampled_from(["add", "EDIT", "Up", "DOWN"]), st.integers(0, 5), st.sampled_from("abcd"))


@given(st.lists(OPERATION, max_size=9))
def test_whatever_is_done_each_rule_has_votes_and_no_two_say_the_same(wanted: list[tuple[str, int, str]]) -> None:
    found, _ = apply([Rule(text="a"), Rule(text="x", votes=1)], [f"{verb} {n}: {text}" for verb, n, text in wanted])
    assert [rule.votes for rule in found] == sorted((rule.votes for rule in found), reverse=True)
    assert all(rule.votes > 0 for rule in found)
    assert len({rule.text for rule in found}) == len(found)


def test_near_the_cap_the_rules_with_the_fewest_votes_make_room() -> None:
    cap = len(f"Play well.\n\n{TITLE}\n- aaaa\n- bbbb".encode())
    added = operations("ADD: aaaa", "ADD: bbbb")
    assert rules(added, operations("UP 2", "ADD: cccc"), cap=cap) == ["- bbbb", "- aaaa"]
    assert rules(operations("ADD: aaaa"), operations("DOWN 1", "ADD: b", "ADD: cc"), cap=cap) == ["- b", "- cc"]


def test_no_more_than_so_many_operations_a_turn_are_carried_out() -> None:
    assert len(rules(operations(*(f"ADD: {letter}" for letter in "abcdef")))) == MOST


@pytest.mark.parametrize(
    "reply",
    [
        "OPERATIONS:\n1. ADD: Read.\n2. up 1",
        "## Operations\n- add : Read.\n",
        "<think>Hm</think>**OPERATIONS:**\nAdd rule: Read.",
    ],
)
def test_operations_are_read_however_they_are_marked(reply: str) -> None:
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
def test_an_unusable_reply_leaves_the_list_as_it_was(reply: str | Reply, failure: str) -> None:
    first, second, third = turns(InsightsReflector, [operations("ADD: Read."), reply, operations("none")])[0]
    assert (second.prompt, second.failure, second.state) == (None, failure, first.state)
    assert (third.prompt, third.failure, third.analysis) == (first.prompt, None, "Nothing to change.")


def test_the_model_reads_the_rules_with_their_votes() -> None:
    first, second = turns(InsightsReflector, [operations("ADD: Read.", "ADD: Eat."), operations("UP 1")])[1]
    system, _, request = InsightsReflector.instruction.partition("\n\nAnswer with")
    assert first.startswith(system)
    assert first.endswith(request)
    assert "PROMPT:\nPlay well.\n\nRULES:\n(none)\n\nEPISODES:\n=== Episode 1 ===" in first
    assert "RULES:\n1. Read. (2 votes)\n2. Eat. (2 votes)\n\n" in second

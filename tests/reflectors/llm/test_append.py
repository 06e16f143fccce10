from __future__ import annotations

import pytest
from asked import turns

from ictbench.errors import UsageError
from ictbench.reflectors.llm.append import MOST, TITLE, AppendReflector
from ictbench.testing import Reply


def lessons(*texts: str) -> str:
    return "\n".join(["LESSONS:", *(f"- {text}" for text in texts)])


def prompts(*replies: str | Reply, cap: int = 8000) -> list[str | None]:
    return [reflection.prompt for reflection in turns(AppendReflector, replies, cap=cap)[0]]


def test_lessons_gather_with_their_turn_below_the_first_prompt() -> None:
    found = prompts(lessons("Read scrolls.", "Doors lead on."), lessons("Eat apples."))
    assert found[0] == f"Play well.\n\n{TITLE}\n- (turn 1) Read scrolls.\n- (turn 1) Doors lead on."
    assert found[1] == f"{found[0]}\n- (turn 2) Eat apples."


def test_nothing_new_leaves_the_prompt_as_it_is() -> None:
    reflections, _ = turns(AppendReflector, [lessons("Read."), "LESSONS:\nNone.", lessons("read.")])
    assert len({reflection.prompt for reflection in reflections}) == 1
    assert [reflection.failure for reflection in reflections] == [None] * 3
    assert [reflection.analysis for reflection in reflections] == ["- (turn 1) Read.", "Nothing new.", "Nothing new."]


def test_near_the_cap_the_oldest_lessons_make_room() -> None:
    cap = len(f"Play well.\n\n{TITLE}\n- (turn 1) aaaa\n- (turn 2) bbbb".encode())
    found = prompts(lessons("aaaa"), lessons("bbbb"), lessons("éé"), lessons("x" * 100), cap=cap)
    assert [(prompt or "").splitlines()[3:] for prompt in found] == [
        ["- (turn 1) aaaa"],
        ["- (turn 1) aaaa", "- (turn 2) bbbb"],
        ["- (turn 2) bbbb", "- (turn 3) éé"],
        # One that never fits drives nothing out.
        ["- (turn 2) bbbb", "- (turn 3) éé"],
    ]
    assert all(len((prompt or "").encode()) <= cap for prompt in found)


def test_no_more_than_so_many_lessons_a_turn_are_taken() -> None:
    (found,) = prompts(lessons(*"abcde"))
    assert found is not None
    assert found.count("(turn 1)") == MOST


@pytest.mark.parametrize(
    "reply",
    [
        "LESSONS:\n1. Read.\n2) Eat.",
        "Sure!\n\n**LESSONS:**\n\n*   Read.\n* Eat.\n",
        "<think>LESSONS:\n- no</think>## Lessons\nRead.\n\nEat.",
    ],
)
def test_the_list_is_read_however_it_is_marked(reply: str) -> None:
    assert prompts(reply) == [f"Play well.\n\n{TITLE}\n- (turn 1) Read.\n- (turn 1) Eat."]


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Read every scroll.", "unparseable"),
        ("LESSONS:\n\n", "unparseable"),
        (Reply(lessons("Read."), finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_loses_nothing_that_was_learned(reply: str | Reply, failure: str) -> None:
    first, second, third = turns(AppendReflector, [lessons("Read."), reply, lessons("Eat.")])[0]
    assert (second.prompt, second.failure, second.state) == (None, failure, first.state)
    assert second.usage.calls == 1
    assert (third.prompt or "").splitlines()[-2:] == ["- (turn 1) Read.", "- (turn 3) Eat."]


def test_the_model_reads_the_prompt_with_its_lessons_and_the_episodes() -> None:
    first, second = turns(AppendReflector, [lessons("Read."), lessons("Eat.")])[1]
    system, _, request = AppendReflector.instruction.partition("\n\nAnswer with")
    assert first.startswith(system)
    assert first.endswith(request)
    assert "EPISODES:\n=== Episode 1 ===\nObservation 1:\nA?\nAction 1: read\n" in first
    assert "- (turn 1) Read." not in first
    assert f"PROMPT:\nPlay well.\n\n{TITLE}\n- (turn 1) Read.\n\n" in second


def test_it_needs_a_model() -> None:
    with pytest.raises(UsageError, match="AppendReflector needs a language model"):
        AppendReflector(None)

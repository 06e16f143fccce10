from __future__ import annotations

import pytest
from reflector_turns import run_turns

from ictbench.errors import UsageError
from ictbench.reflectors.llm.append import MAX_LESSONS, TITLE, AppendReflector
from ictbench.testing import Reply


def lessons(*texts: str) -> str:
    return "\n".join(["LESSONS:", *(f"- {text}" for text in texts)])


def prompts(*replies: str | Reply, cap: int = 8000) -> list[str | None]:
    return [reflection.prompt for reflection in run_turns(AppendReflector, replies, cap=cap)[0]]


def test_lessons_are_appended_with_their_turn() -> None:
    texts = prompts(lessons("Read scrolls.", "Doors lead on."), lessons("Eat apples."))
    assert texts[0] == f"Play well.\n\n{TITLE}\n- (turn 1) Read scrolls.\n- (turn 1) Doors lead on."
    assert texts[1] == f"{texts[0]}\n- (turn 2) Eat apples."


def test_without_new_lessons_the_prompt_is_unchanged() -> None:
    reflections, _ = run_turns(AppendReflector, [lessons("Read."), "LESSONS:\nNone.", lessons("read.")])
    assert len({reflection.prompt for reflection in reflections}) == 1
    assert [reflection.failure for reflection in reflections] == [None] * 3
    assert [reflection.analysis for reflection in reflections] == ["- (turn 1) Read.", "Nothing new.", "Nothing new."]


def test_the_oldest_lessons_are_dropped_at_the_cap() -> None:
    cap = len(f"Play well.\n\n{TITLE}\n- (turn 1) aaaa\n- (turn 2) bbbb".encode())
    texts = prompts(lessons("aaaa"), lessons("bbbb"), lessons("éé"), lessons("x" * 100), cap=cap)
    assert [(prompt or "").splitlines()[3:] for prompt in texts] == [
        ["- (turn 1) aaaa"],
        ["- (turn 1) aaaa", "- (turn 2) bbbb"],
        ["- (turn 2) bbbb", "- (turn 3) éé"],
        # A lesson that never fits displaces nothing.
        ["- (turn 2) bbbb", "- (turn 3) éé"],
    ]
    assert all(len((prompt or "").encode()) <= cap for prompt in texts)


def test_a_turn_adds_at_most_three_lessons() -> None:
    (prompt,) = prompts(lessons(*"abcde"))
    assert prompt is not None
    assert prompt.count("(turn 1)") == MAX_LESSONS == 3


@pytest.mark.parametrize(
    "reply",
    [
        "LESSONS:\n1. Read.\n2) Eat.",
        "Sure!\n\n**LESSONS:**\n\n*   Read.\n* Eat.\n",
        "<think>LESSONS:\n- no</think>## Lessons\nRead.\n\nEat.",
        "LESSONS:\n- no</think>LESSONS:\n- Read.\n- Eat.<|im_end|>",
    ],
)
def test_a_list_is_read_in_any_markup(reply: str) -> None:
    assert prompts(reply) == [f"Play well.\n\n{TITLE}\n- (turn 1) Read.\n- (turn 1) Eat."]


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Read every scroll.", "unparseable"),
        ("LESSONS:\n\n", "unparseable"),
        ("LESSONS:\n- Read.\n<think>\n- Or eat?", "unparseable"),
        (Reply(lessons("Read."), finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_keeps_earlier_lessons(reply: str | Reply, failure: str) -> None:
    first, second, third = run_turns(AppendReflector, [lessons("Read."), reply, lessons("Eat.")])[0]
    assert (second.prompt, second.failure, second.state) == (None, failure, first.state)
    assert second.usage.calls == 1
    assert (third.prompt or "").splitlines()[-2:] == ["- (turn 1) Read.", "- (turn 3) Eat."]


def test_the_model_reads_the_prompt_with_its_lessons_and_the_episodes() -> None:
    first, second = run_turns(AppendReflector, [lessons("Read."), lessons("Eat.")])[1]
    system, _, request = AppendReflector.instruction.partition("\n\nAnswer with")
    assert first.startswith(system)
    assert first.endswith(request)
    assert "EPISODES:\n=== Episode 1 ===\nObservation 1:\nA?\nAction 1: read\n" in first
    assert "- (turn 1) Read." not in first
    assert f"PROMPT:\nPlay well.\n\n{TITLE}\n- (turn 1) Read.\n\n" in second


def test_a_missing_model_is_an_error() -> None:
    with pytest.raises(UsageError, match="AppendReflector needs a language model"):
        AppendReflector(None)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.errors import ModelFailure
from ictbench.models.chat_model import Completion, ToolCall
from ictbench.models.replies import MIN_REPLY_BYTES, clean_name, clean_text, finish_reply
from ictbench.models.token_counts import token_count
from ictbench.records import ModelSpec, Usage

SPEC = ModelSpec(provider="mine", model="m")
USAGE = Usage(calls=1, output_tokens=500)


def failure(completion: Completion) -> ModelFailure:
    with pytest.raises(ModelFailure) as caught:
        finish_reply(completion, SPEC)
    assert caught.value.usage == completion.usage
    return caught.value


@given(st.text(st.characters(categories=None)))
def test_cleaned_text_can_be_stored_and_shown(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned.encode().decode() == cleaned
    assert all(character in "\n\t" or not (character < " " or "\x7f" <= character < "\xa0") for character in cleaned)
    assert clean_text(cleaned) == cleaned


def test_line_breaks_and_tabs_are_kept() -> None:
    assert clean_text("\ufeffAction: \u200beat \u200d") == "Action: eat \u200d"
    assert clean_text("a\r\nb\rc\td\0e\x1b[1m\u2028\ud83d") == "a\nb\nc\td\ufffde\ufffd[1m\u2028\ufffd"


def test_text_and_calls_are_cleaned() -> None:
    call = ToolCall(id="1", name="a\0", arguments="\ud83d")
    finished = finish_reply(Completion("a\ud83d", USAGE, calls=(call,)), SPEC)
    assert (finished.text, finished.calls) == ("a\ufffd", ({"id": "1", "name": "a\ufffd", "arguments": "\ufffd"},))


def test_a_reply_that_is_too_large_is_a_failure() -> None:
    largest = Completion("x" * MIN_REPLY_BYTES, USAGE)
    assert finish_reply(largest, SPEC).text == largest.text
    for completion in (
        Completion("é" * (MIN_REPLY_BYTES // 2 + 1), USAGE),
        Completion("", USAGE, calls=(ToolCall(id="", name="act", arguments="x" * MIN_REPLY_BYTES),)),
    ):
        assert failure(completion).kind == "truncated"
        assert "65,538" in str(failure(completion)) or "65,539" in str(failure(completion))
    finish_reply(Completion("x" * (MIN_REPLY_BYTES + 1), USAGE), SPEC.model_copy(update={"max_tokens": 2000}))


def test_a_reply_of_reasoning_alone_has_no_answer() -> None:
    assert failure(Completion("<think>Hm.</think>", USAGE)).kind == "empty"
    assert failure(Completion("", USAGE, reasoning="Hm.")).kind == "empty"
    assert failure(Completion("", USAGE)).kind == "empty"
    for completion in (Completion("<think>Hm", USAGE, "length"), Completion("", USAGE, "length", reasoning="Hm")):
        assert str(failure(completion)) == "truncated: all 500 tokens of the reply are reasoning: raise max_tokens"
    assert finish_reply(Completion("", USAGE, "length"), SPEC).text == ""


def test_a_reply_that_went_on_after_its_turn_is_not_truncated() -> None:
    finished = finish_reply(Completion("Action: wait<|im_end|>\n<|im_start|>user\nYou", USAGE, "length"), SPEC)
    assert (finished.text, finished.finish_reason) == ("Action: wait", "stop")


def test_names_are_cleaned_and_shortened() -> None:
    assert clean_name("m\0\ud83d ") == "m\ufffd\ufffd"
    assert clean_name("x" * 1000) == "x" * 200
    assert [clean_name(value, "m") for value in (None, "", " ", 3, {"a": 1}, ["m"])] == ["m"] * 6


@pytest.mark.parametrize("value", [-1, True, 1.5, float("nan"), float("inf"), "3", None, [], {}, 10**400])
def test_a_count_that_cannot_be_right_is_unknown(value: object) -> None:
    assert token_count(value) is None


def test_a_plausible_count_is_kept() -> None:
    assert [token_count(value) for value in (0, 7, 7.0, 10**6)] == [0, 7, 7, 10**6]

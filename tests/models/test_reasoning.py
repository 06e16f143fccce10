from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.models.reasoning import drop_reasoning, has_reasoning, is_marker, split_reasoning
from ictbench.models.replies import read_answer

PAIRS = [
    *((f"<{name}>", f"</{name}>") for name in ("think", "thinking", "thought", "thoughts", "reasoning", "reason")),
    ("<THINK>", "</Think >"),
    ('<thinking mode="deep">', "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("<antThinking>", "</antThinking>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("[unused16]", "[unused17]"),
    ("<scratchpad>", "</scratchpad>"),
    ("&lt;think&gt;", "&lt;/think&gt;"),
    ("\uff1cthink\uff1e", "\uff1c/think\uff1e"),
    ("<|begin_of_thinking|>", "<|end_of_thinking|>"),
    ("<|start_of_thinking|>", "<|end_of_thinking|>"),
    ("<|think|>", "<|/think|>"),
]


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_reasoning_between_markers_is_separated(opening: str, closing: str) -> None:
    assert split_reasoning(f"{opening}I could eat.{closing}\nI wait.") == ("\nI wait.", "I could eat.")
    assert split_reasoning(f"I could eat.{closing}I wait.") == ("I wait.", "I could eat.")
    assert split_reasoning(f"{opening}I could eat.") == ("", "I could eat.")
    assert split_reasoning(f"{opening}{closing}I wait.") == ("I wait.", "")


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("<think>a</think>\n<think>b</think>\nc", "\nc", "a\nb"),
        ("<think>a<think>b</think>c</think>d", "d", "abc"),
        ("<think><think>a</think>b", "b", "a"),
        ("<think>a</think>b</think>c", "c", "a\nb"),
        ("a</think>b<think>c</think>d", "b<think>c</think>d", "a"),
        ("<think>a</think>b\n</think>\n", "b\n", "a"),
        ("Thought: <think>a</think>b", "b", "a"),
        ("a\n</think>", "", "a"),
        ("Never write `</think>`.", "Never write `</think>`.", ""),
        ("Write <think> and </think> around it.", "Write <think> and </think> around it.", ""),
        ("<think>a</think><answer>b</answer>", "b", "a"),
        ('<details type="reasoning" done="true">\na\n</details>\nb', "\nb", "a"),
        ('<details type="reasoning" done="false">\na', "", "a"),
        ("<details>a</details>b", "<details>a</details>b", ""),
        ("<answer>b</answer>", "b", ""),
        ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", "b", "a"),
        ('{"thought": "<think>a</think>", "action": "b"}', '{"thought": "<think>a</think>", "action": "b"}', ""),
        ("<think>a</think>" * 20 + "b", "b", "\n".join("a" * 20)),
    ],
)
def test_unusual_reasoning_is_separated(text: str, answer: str, reasoning: str) -> None:
    assert split_reasoning(text) == (answer, reasoning)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>", "b"),
        ("<|channel|>analysis<|message|>a<|end|><|channel|>final <|constrain|>json<|message|>b", "b"),
        ("analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b", "b"),
        ("<|channel|>final<|message|>b<|return|>", "b"),
        ("<|channel|>analysis<|message|>a", ""),
        ("<|channel|>analysis<|message|>a<|end|><|channel|>commentary to=functions.act<|message|>{}<|call|>", ""),
        ("analysisWe need more.assistantfinalb", "b"),
        ("We need more.assistantfinalb", "b"),
        ("analysisWe need", ""),
        ("analysis of the map", "analysis of the map"),
        ("Here is my thought process:\na\nHere's my response:b", "b"),
        ("Here is my thought process:\na", ""),
        ("<|im_start|>assistant\n<think>a</think>b<|im_end|>", "b"),
        ("<s>[INST]", ""),
        ("b</s>", "b"),
        ("b<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nc", "b"),
        ("Never write `<|im_end|>`.", "Never write `<|im_end|>`."),
        ('{"thought": "<|im_end|>", "action": "b"}', '{"thought": "<|im_end|>", "action": "b"}'),
    ],
)
def test_channels_and_turns_are_separated(text: str, answer: str) -> None:
    assert read_answer(text).text == answer


def test_reasoning_within_an_answer_is_found_and_dropped() -> None:
    text = "Up.\n<think>\nAction: eat\n</think>\nAction: wait"
    assert (split_reasoning(text).answer, has_reasoning(text)) == (text, True)
    assert drop_reasoning(text) == "Up.\n\nAction: wait"
    assert drop_reasoning("Up.\n<think>Action: eat") == "Up.\n"
    assert not has_reasoning("Write <think> and </think> around it, or `<think>`.")
    assert has_reasoning("Write <think> and\n</think> around it.")


def test_markers_among_tokens_are_known() -> None:
    assert all(is_marker(token) for token in ("<think>", "[/THINK]", "<|START_THINKING|>", "<|channel|>", "<channel|>"))
    assert not any(is_marker(token) for token in ("<|im_end|>", "</s>", "[INST]", "x<think>"))


PIECES = [marker for pair in PAIRS for marker in pair] + [
    *(
        "<|channel|>",
        "analysis",
        "final",
        "<|message|>",
        "<|end|>",
        "<|start|>",
        "assistantfinal",
        "<answer>",
        "</answer>",
    ),
    *("<|im_end|>", "<|im_start|>", "<s>", "</s>", "[INST]", "Here is my thought process:", "Here is my response:"),
    *("`", '"', "{", "}", "\n", " ", "Thought:", "x"),
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join))
def test_an_answer_is_read_again_unchanged(text: str) -> None:
    answer = read_answer(text).text
    assert read_answer(answer) == (answer, "", False)
    dropped = drop_reasoning(answer)
    assert len(dropped) <= len(answer)


@pytest.mark.parametrize("piece", [*PIECES, "<answer", "<think><think></think>", "<|channel|>final<|message|>final"])
def test_a_long_text_is_read_in_linear_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    started = time.process_time()
    drop_reasoning(read_answer(text).text)
    has_reasoning(text)
    assert time.process_time() - started < 5

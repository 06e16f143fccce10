"""Treatment of every reply, whichever model it is from: checked types, clean text, a maximum size, no reasoning.

`ModelClient` applies `finish_reply` to what a provider or a user's own class returns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from ictbench.errors import ModelFailure, PluginError
from ictbench.models.chat_model import Completion, FinishReason, ToolCall
from ictbench.models.reasoning import is_json_object, is_plain, split_reasoning
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.records import ModelSpec

MIN_REPLY_BYTES = 65_536
BYTES_PER_TOKEN = 64
"""More than a token has on average in any language, so that only a server that ignores the token limit exceeds it."""
MAX_NAME_CHARACTERS = 200
REASONS = frozenset(get_args(FinishReason))

# A carriage return becomes a line break; other control characters cannot be shown, and lone surrogates, which JSON can
# contain, cannot be encoded in a file or a digest.
LINE_BREAK = re.compile(r"\r\n?")
INVISIBLE = str.maketrans("", "", "\ufeff\u200b")
"""A byte order mark and a zero-width space, which would hide a label at the start of a line."""
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
REPLACEMENT = "\ufffd"

TURN_STARTS = (
    r"<\|im_start\|>(?:assistant)?",
    r"<\|start_header_id\|>assistant<\|end_header_id\|>",
    r"<\|header_start\|>assistant<\|header_end\|>",
    r"<start_of_turn>model",
    r"<\|turn>model",
    r"<\|START_OF_TURN_TOKEN\|>(?:<\|CHATBOT_TOKEN\|>)?",
    r"<\|start_of_role\|>assistant<\|end_of_role\|>",
    r"<\|assistant\|>",
    r"<\|Assistant\|>",
    r"<\uff5cAssistant\uff5c>",
    r"<\|begin_of_text\|>",
    r"<\uff5cbegin\u2581of\u2581sentence\uff5c>",
    r"<bos>",
    r"<s>",
    r"\[/INST\]",
)
"""Tokens of chat templates that may stand at the start of a reply; anywhere else the model starts another turn."""
TURN_ENDS = (
    r"<\|im_end\|>",
    r"<\|im_start\|>",
    r"<\|endoftext\|>",
    r"<\|end_of_text\|>",
    r"<\|eot_id\|>",
    r"<\|eom_id\|>",
    r"<\|eot\|>",
    r"<\|eom\|>",
    r"<\|start_header_id\|>",
    r"<\|header_start\|>",
    r"<end_of_turn>",
    r"<start_of_turn>",
    r"<turn\|>",
    r"<\|turn>",
    r"<eos>",
    r"</s>",
    r"\[/?INST\]",
    r"<\|end\|>",
    r"<\|return\|>",
    r"<\|call\|>",
    r"<\|start\|>",
    r"<\|user\|>",
    r"<\|system\|>",
    r"<\|observation\|>",
    r"<\|end_of_turn\|>",
    r"<\|endofturn\|>",
    r"<\|END_OF_TURN_TOKEN\|>",
    r"<\|START_OF_TURN_TOKEN\|>",
    r"<\|start_of_role\|>",
    r"<\|role_end\|>",
    r"<\|endofprompt\|>",
    r"<eot>",
    r"<pad>",
    r"<\uff5cend\u2581of\u2581sentence\uff5c>",
    r"<\uff5cUser\uff5c>",
)
"""Tokens of chat templates with which a turn ends or another begins. A change is a new version of the action format."""
LEADING = re.compile(rf"(?:\s*(?:{'|'.join(TURN_STARTS)}))+\s*")
ENDING = re.compile(rf"(?<![`'\"])(?:{'|'.join(TURN_ENDS)}|{'|'.join(TURN_STARTS)})")


def finish_reply(completion: Completion, spec: ModelSpec) -> Completion:
    """Return a model's reply as actors and reflectors see it. Finishing a reply again changes nothing.

    Raises:
        ModelFailure: The reply has no answer (`empty`, or `truncated` if it was cut within its reasoning), or is larger
            than its token limit allows (`truncated`).
        PluginError: A field has a wrong type.
    """
    _check_types(completion, spec.name)
    usage = completion.usage
    limit = max(MIN_REPLY_BYTES, BYTES_PER_TOKEN * spec.max_tokens)
    size = _size(completion)
    if size > limit:
        detail = f"the reply has {size:,} bytes, more than {limit:,}: the server ignores max_tokens {spec.max_tokens}"
        raise ModelFailure("truncated", detail, usage)
    answer, reasoning, ended = read_answer(clean_text(completion.text))
    calls = tuple(map(_clean_call, completion.calls))
    if completion.reasoning:
        reasoning = "\n\n".join(filter(None, [clean_text(completion.reasoning[:limit]), reasoning]))
    # A model that went on after the end of its turn had said everything before that.
    finished = Completion(answer, usage, "stop" if ended else completion.finish_reason, calls, reasoning)
    if finished.reasoning and completion.finish_reason == "length" and not (answer.strip() or calls):
        tokens = usage.output_tokens or spec.max_tokens
        raise ModelFailure("truncated", f"all {tokens} tokens of the reply are reasoning: raise max_tokens", usage)
    if finished.is_empty:
        raise ModelFailure("empty", "the reply is reasoning without an answer" if finished.reasoning else "", usage)
    return finished


class Answer(NamedTuple):
    """A reply's text: the answer, the reasoning before it, and whether the model went on after the end of its turn."""

    text: str
    reasoning: str
    ended: bool


def read_answer(text: str) -> Answer:
    """Return the answer in a reply's text, without reasoning before it and without tokens of the chat template."""
    if is_plain(text):
        return Answer(text, "", ended=False)
    # These channels have the tokens of the template in their midst.
    cut = text if "<|message|>" in text else cut_at_turn_end(text)
    split = split_reasoning(cut)
    answer = cut_at_turn_end(split.answer)
    return Answer(answer, split.reasoning, not (text.endswith(cut) and split.answer.endswith(answer)))


def clean_text(text: str) -> str:
    """Replace lone surrogates and control characters other than line breaks and tabs; drop zero-width spaces."""
    if "\r" in text:
        text = LINE_BREAK.sub("\n", text)
    if not text.isascii():
        text = text.translate(INVISIBLE)
    return UNPRINTABLE.sub(REPLACEMENT, text)


def clean_name(value: Any, default: str = "") -> str:
    """Return a name that a server reports, cleaned and shortened; `default` if it is not a str, or empty."""
    return (clean_text(value[:MAX_NAME_CHARACTERS]).strip() if isinstance(value, str) else "") or default


def cut_at_turn_end(text: str) -> str:
    """Return the text of the first turn, without tokens of the chat template."""
    if "<" not in text and "[" not in text:
        return text
    if leading := LEADING.match(text):
        text = text[leading.end() :]
    ending = ENDING.search(text)
    return text if ending is None or is_json_object(text) else text[: ending.start()]


def _check_types(completion: Any, name: str) -> None:
    """Check the fields of a completion, which a user's own class may have created.

    Raises:
        PluginError: A field has a wrong type.
    """
    if not isinstance(completion, Completion):
        raise PluginError(f"{name} returned {completion!r:.80}, not a Completion")
    for field, is_valid, wanted in FIELDS:
        if not is_valid(value := getattr(completion, field)):
            raise PluginError(f"{name} returned a Completion whose {field} is {value!r:.80}, not {wanted}")


def _is_str(value: Any) -> bool:
    return isinstance(value, str)


def _is_usage(value: Any) -> bool:
    return isinstance(value, Usage)


def _is_finish_reason(value: Any) -> bool:
    return isinstance(value, str) and value in REASONS


def _are_calls(calls: Any) -> bool:
    return isinstance(calls, tuple) and all(
        isinstance(call, dict) and all(isinstance(call.get(key), str) for key in ToolCall.__annotations__)
        for call in calls
    )


FIELDS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("text", _is_str, "a str"),
    ("reasoning", _is_str, "a str"),
    ("usage", _is_usage, "a Usage"),
    ("finish_reason", _is_finish_reason, "a FinishReason"),
    ("calls", _are_calls, "a tuple of ToolCalls"),
)
"""Fields of a completion, the check of their types, and the types in words."""


def _size(completion: Completion) -> int:
    """Return the size of text and calls in UTF-8 bytes."""
    texts = [completion.text, *(text for call in completion.calls for text in (call["name"], call["arguments"]))]
    return sum(len(text.encode(errors="replace")) for text in texts)


def _clean_call(call: ToolCall) -> ToolCall:
    return ToolCall(id=clean_text(call["id"]), name=clean_text(call["name"]), arguments=clean_text(call["arguments"]))

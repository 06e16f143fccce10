"""Separation of a reply's answer from the reasoning that a server left in its text.

Servers with a reasoning parser return the reasoning in a field of its own. Others leave it in the text, between the
markers of the model; if the chat template opens the reasoning, the text contains only the closing marker.
`docs/models.md` lists the forms and their sources.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

TAG_NAMES = (
    r"(?:think|thinking|thoughts?|thought_process|reason|reasoning|reflection|scratchpad|inner_monologue"
    r"|seed:think|mm:think|ant_?thinking)"
)
"""Names of XML-like tags around reasoning."""
LESS, GREATER = "(?:<|&lt;|\uff1c)", "(?:>|&gt;|\uff1e)"
"""Brackets of a tag: plain, escaped by a gateway, or of full width."""
OPENING = (
    rf"{LESS}{TAG_NAMES}(?:\s[^<>]{{0,200}})?{GREATER}",
    r"\[THINK\]",
    r"<\|START_THINKING\|>",
    r"<\|(?:begin_of_|start_of_)?think(?:ing)?\|>",
    r"<\|channel>(?:thought\n)?",
    r"<\|inner_prefix\|>",
    r"<\|begin_of_thought\|>",
    r"\u25c1think\u25b7",
    r"\[unused16\]",
)
CLOSING = (
    rf"{LESS}/{TAG_NAMES}\s{{0,20}}{GREATER}",
    r"\[/THINK\]",
    r"<\|END_THINKING\|>",
    r"<\|(?:end_of_|/)think(?:ing)?\|>",
    r"<channel\|>",
    r"<\|inner_suffix\|>",
    r"<\|end_of_thought\|>",
    r"\u25c1/think\u25b7",
    r"\[unused17\]",
)
MARKER = re.compile(f"(?P<open>{'|'.join(OPENING)})|{'|'.join(CLOSING)}", re.IGNORECASE)
QUOTES = "`'\"\u201c\u201d\u2018\u2019"
"""A marker between two of these is a mention of the marker."""
LEAD = re.compile(r"[\s*`]*(?:thought[\s*`]*[:\uff1a][\s*`]*)?", re.IGNORECASE)
"""What may stand before reasoning at the start of a reply: the label of the thought."""
WRAPPER_START = re.compile(r"(?:\s*(?:<answer>|<response>|<\|START_RESPONSE\|>|<\|begin_of_(?:solution|box)\|>))+")
WRAPPER_ENDS = ("</answer>", "</response>", "<|END_RESPONSE|>", "<|end_of_solution|>", "<|end_of_box|>")
"""Markers that some models put around the whole answer."""

# Open WebUI folds reasoning into an element that other texts use, too, so only one with this attribute is reasoning.
DETAILS = re.compile(r'<details\s+type="reasoning"[^<>]{0,200}>(?P<inner>.*?)(?P<end></details>|\Z)', re.DOTALL)

# OpenAI's harmony format, whole, without its first marker, and with all special tokens removed by the server.
CHANNEL = re.compile(
    r"(?:<\|channel\|>\s*|\A\s*(?:assistant)?)(?P<name>analysis|commentary|final)\b[^<]{0,200}"
    r"(?:<\|constrain\|>[^<]{0,200})?<\|message\|>"
    r"(?P<body>.*?)(?=<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)
CHANNEL_TOKENS = frozenset({"<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>"})
BARE_FINAL = "assistantfinal"
BARE_ANALYSIS = re.compile(r"\s*analysis(?=[A-Z])")

# Granite 3.2 has no markers, but two sentences.
GRANITE_THOUGHT = re.compile(r"\s*Here(?:'s| is) my thought process:")
GRANITE_RESPONSE = re.compile(r"Here(?:'s| is) my response:")

MAX_PASSES = 8
"""Times that reasoning is looked for, as an answer may begin with reasoning again. A text with more has no answer."""


class SplitReply(NamedTuple):
    """A reply's text in its two parts."""

    answer: str
    reasoning: str = ""


def split_reasoning(text: str) -> SplitReply:
    """Separate the answer from the reasoning before it.

    Reasoning that is never closed leaves no answer. Reasoning after the start of the answer stays in it; see
    `drop_reasoning` and `has_reasoning`. Splitting an answer again changes nothing.
    """
    if is_plain(text) or is_json_object(text):
        return SplitReply(text)
    text = DETAILS.sub(lambda block: f"<think>{block['inner']}{'</think>' if block['end'] else ''}", text)
    parts: list[str] = []
    for _ in range(MAX_PASSES):
        answer, reasoning = _split_once(text)
        parts += [reasoning.strip()] if reasoning.strip() else []
        if answer == text:
            return SplitReply(answer, "\n\n".join(parts))
        text = answer
    return SplitReply("", "\n\n".join([*parts, text]))


def drop_reasoning(text: str) -> str:
    """Return the text without any reasoning, wherever it stands; what follows an unclosed marker is dropped."""
    if is_plain(text):
        return text
    markers = _markers(text)
    kept: list[str] = []
    position = index = 0
    while index < len(markers):
        marker = markers[index]
        kept.append(text[position : marker.start()])
        if marker["open"]:
            position, index = _block_end(text, markers, index)
        else:
            position, index = marker.end(), index + 1
    return "".join([*kept, text[position:]])


def has_reasoning(text: str) -> bool:
    """Return whether reasoning may stand in the text: a marker at the start of a line, or a block of several lines."""
    markers = _markers(text)
    index = 0
    while index < len(markers):
        marker = markers[index]
        line = text[text.rfind("\n", 0, marker.start()) + 1 : marker.start()]
        end, index = _block_end(text, markers, index) if marker["open"] else (marker.end(), index + 1)
        if not line.strip(" \t*`") or "\n" in text[marker.start() : end]:
            return True
    return False


def is_plain(text: str) -> bool:
    """Return whether a text has neither reasoning nor tokens of a chat template, as a quick look tells."""
    return not (
        "<" in text
        or "[" in text
        or "\u25c1" in text
        or "&lt;" in text
        or "\uff1c" in text
        or BARE_FINAL in text
        or text.lstrip().startswith(("analysis", "Here"))
    )


def is_marker(token: str) -> bool:
    """Return whether a token of a vocabulary marks reasoning."""
    return token in CHANNEL_TOKENS or MARKER.fullmatch(token) is not None


def is_json_object(text: str) -> bool:
    """Return whether the text is a JSON object, whose strings may contain anything."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _split_once(text: str) -> SplitReply:
    for split in (_split_markers, _split_granite, _split_channels):
        parts = split(text)
        if parts.answer != text:
            return parts
    return SplitReply(_unwrap(text))


def _unwrap(text: str) -> str:
    start = WRAPPER_START.match(text)
    if not start:
        return text
    inner = text[start.end() :].rstrip()
    while inner.endswith(WRAPPER_ENDS):
        inner = inner[: inner.rindex("<")].rstrip()
    return inner


def _split_channels(text: str) -> SplitReply:
    segments = list(CHANNEL.finditer(text)) if "<|message|>" in text else []
    if segments:
        final = [segment["body"] for segment in segments if segment["name"] == "final"]
        rest = [segment["body"] for segment in segments if segment["name"] != "final"]
        return SplitReply("\n".join(final), "\n".join(rest))
    if BARE_FINAL in text:
        reasoning, _, answer = text.rpartition(BARE_FINAL)
        return SplitReply(answer, reasoning)
    return SplitReply("", text) if BARE_ANALYSIS.match(text) else SplitReply(text)


def _split_granite(text: str) -> SplitReply:
    thought = GRANITE_THOUGHT.match(text)
    if not thought:
        return SplitReply(text)
    response = GRANITE_RESPONSE.search(text, thought.end())
    if not response:
        return SplitReply("", text[thought.end() :])
    return SplitReply(text[response.end() :], text[thought.end() : response.start()])


def _split_markers(text: str) -> SplitReply:
    markers = _markers(text)
    reasoning: list[str] = []
    length = len(text.rstrip())
    position = index = 0
    while index < len(markers):
        marker = markers[index]
        before = text[position : marker.start()]
        if marker["open"]:
            end, index = _block_end(text, markers, index)
            if LEAD.fullmatch(before):
                reasoning.append(MARKER.sub("", text[marker.end() : end]))
                position = end
            continue
        index += 1
        if reasoning and marker.end() >= length:
            # A stray marker after the answer.
            return SplitReply(before, "\n".join(reasoning))
        reasoning.append(before)
        position = marker.end()
    return SplitReply(text[position:], "\n".join(reasoning))


def _markers(text: str) -> list[re.Match[str]]:
    return [
        marker
        for marker in MARKER.finditer(text)
        if not (
            text[marker.start() - 1 : marker.start()] in QUOTES
            and text[marker.end() : marker.end() + 1] in QUOTES
            and marker.start() > 0
            and marker.end() < len(text)
        )
    ]


def _block_end(text: str, markers: list[re.Match[str]], index: int) -> tuple[int, int]:
    """Return where the reasoning that `markers[index]` opens ends, and the index of the first marker after it.

    Reasoning with fewer closing markers than opening ones ends at the last closing one, without any at the text's end.
    """
    depth = 0
    last_closing = None
    for current in range(index, len(markers)):
        if markers[current]["open"]:
            depth += 1
        else:
            depth, last_closing = depth - 1, current
        if depth == 0:
            break
    if last_closing is None:
        return len(text), len(markers)
    return markers[last_closing].end(), last_closing + 1

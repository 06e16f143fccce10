"""Tool-call format of the ReAct actor: each decision is a tool call, and its result is the next observation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ictbench.models.chat_model import ACT_TOOL, ToolCall
from ictbench.models.reasoning import drop_reasoning
from ictbench.models.replies import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import Completion, Message
    from ictbench.records import Step

TOOLS_FORMAT = f"""\
In every turn you are shown what you observe and which actions are available.
First think about what to do, then choose exactly one of the available actions.
Answer by calling the tool "{ACT_TOOL}", once, with your reasoning and one available action, copied exactly."""


def tool_call_messages(observations: Sequence[str], steps: Sequence[Step]) -> list[Message]:
    """Return the conversation after the system prompt, as tool calls and their results.

    A decision without a valid call becomes plain text, as no result may follow it.

    Args:
        observations: Text of each turn, the current one last.
        steps: The past steps, one less than `observations`.
    """
    messages: list[Message] = []
    call: ToolCall | None = None
    for number, text in enumerate(observations):
        messages.append({"role": "user", "content": text} if call is None else _result(text, call))
        if number == len(steps):
            break
        step = steps[number]
        if step.proposed is None:
            call = None
            messages.append({"role": "assistant", "content": step.thought.strip() or "(no answer)"})
        else:
            arguments = json.dumps({"thought": step.thought, "action": step.proposed}, ensure_ascii=False)
            # Mistral's servers require ids of nine letters and digits.
            call = ToolCall(id=f"call{number:05d}", name=ACT_TOOL, arguments=arguments)
            messages.append({"role": "assistant", "content": "", "call": call})
    return messages


def parse_tool_call(completion: Completion) -> tuple[str | None, str]:
    """Return action and thought of a reply. Without exactly one call of the tool with an action, the action is None."""
    if len(completion.calls) == 1 and (call := completion.calls[0])["name"] == ACT_TOOL:
        arguments = parse_json_object(call["arguments"]) or {}
        action, thought = arguments.get("action"), arguments.get("thought")
        if isinstance(action, str):
            said = thought if isinstance(thought, str) and thought else completion.text
            return clean_text(action), drop_reasoning(clean_text(said)).strip()
    calls = [f"{call['name']}({call['arguments']})" for call in completion.calls]
    return None, "\n".join(filter(None, [drop_reasoning(completion.text).strip(), *calls]))


def parse_json_object(text: str) -> dict[str, Any] | None:
    """Return the object that a text is in JSON; None if it is none, or one with a key twice, or nested too deeply."""
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raise ValueError if a key occurs twice, as which of its values counts would be a guess."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key occurs twice")
    return value


def _result(text: str, call: ToolCall) -> Message:
    return {"role": "tool", "content": text, "call": call}

"""The format of an actor that plays by native tool calls: each decision calls a tool, whose result is what it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ictbench.models.chat_model import ACT_TOOL, ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import Completion, Message
    from ictbench.records import Step

TOOLS_FORMAT = f"""\
In every turn you are shown what you observe and which actions are available.
First think about what to do, then choose exactly one of the available actions.
Answer by calling the tool "{ACT_TOOL}", once, with your reasoning and one available action, copied exactly."""


def called_messages(shown: Sequence[str], past: Sequence[Step]) -> list[Message]:
    """The conversation after the system prompt: what was shown in each turn, the present one last, and each call.

    A decision that called nothing usable is told as text, as no result may follow it.
    """
    messages: list[Message] = []
    call: ToolCall | None = None
    for number, text in enumerate(shown):
        messages.append({"role": "user", "content": text} if call is None else _result(text, call))
        if number == len(past):
            break
        step = past[number]
        if step.proposed is None:
            call = None
            messages.append({"role": "assistant", "content": step.thought.strip() or "(no answer)"})
        else:
            arguments = json.dumps({"thought": step.thought, "action": step.proposed}, ensure_ascii=False)
            # Nine letters and digits: what Mistral's servers demand.
            call = ToolCall(id=f"call{number:05d}", name=ACT_TOOL, arguments=arguments)
            messages.append({"role": "assistant", "content": "", "call": call})
    return messages


def parse_calls(completion: Completion) -> tuple[str | None, str]:
    """Action and thought of a reply; no action where it is not exactly one call of the tool with an action."""
    try:
        (call,) = completion.calls
        given = json.loads(call["arguments"])
        if call["name"] == ACT_TOOL and isinstance(action := given["action"], str):
            return action, str(given.get("thought") or completion.text).strip()
    except (ValueError, TypeError, LookupError, AttributeError):
        pass
    calls = [f"{call['name']}({call['arguments']})" for call in completion.calls]
    return None, "\n".join(filter(None, [completion.text.strip(), *calls]))


def _result(text: str, call: ToolCall) -> Message:
    return {"role": "tool", "content": text, "call": call}

"""Tool-call format of the ReAct actor: each decision is a tool call, and its result is the next observation."""

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
    try:
        (call,) = completion.calls
        arguments = json.loads(call["arguments"])
        if call["name"] == ACT_TOOL and isinstance(action := arguments["action"], str):
            return action, str(arguments.get("thought") or completion.text).strip()
    except (ValueError, TypeError, LookupError, AttributeError):
        pass
    calls = [f"{call['name']}({call['arguments']})" for call in completion.calls]
    return None, "\n".join(filter(None, [completion.text.strip(), *calls]))


def _result(text: str, call: ToolCall) -> Message:
    return {"role": "tool", "content": text, "call": call}

"""The ReAct actor of the paper: a language model that writes a thought and then one action."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from ictbench.actors.actor import Actor, History
from ictbench.actors.tool_call_format import TOOLS_FORMAT, parse_tool_call, tool_call_messages
from ictbench.errors import ModelFailure, UsageError
from ictbench.models.chat_model import Constraint, ConstraintStyle
from ictbench.records import Decision

if TYPE_CHECKING:
    from ictbench.models import ChatModel, Message
    from ictbench.records import Step

FORMAT = """\
In every turn you are shown what you observe and which actions are available.
First think about what to do, then choose exactly one of the available actions.
Answer in this format and write nothing after it:
Thought: <your reasoning>
Action: <one available action, copied exactly>"""
JSON_FORMAT = """\
In every turn you are shown what you observe and which actions are available.
First think about what to do, then choose exactly one of the available actions.
Answer with a JSON object and nothing else:
{"thought": "<your reasoning>", "action": "<one available action, copied exactly>"}"""
ACTIONS_HEADING = "Available actions:"

# Markdown's marks for bold and code are ignored around a label and around an action; no others are.
MARKS = "*`"
ACTION_LINE = re.compile(rf"[\s{MARKS}]*action[\s{MARKS}]*:(.*)", re.IGNORECASE | re.DOTALL)
THOUGHT_LABEL = re.compile(rf"[\s{MARKS}]*thought[\s{MARKS}]*?:[{MARKS}]*", re.IGNORECASE)


class ReActActor(Actor):
    """Actor that shows a language model the episode so far and parses `Action: …` from its reply.

    A reply without such a line is a decision without an action; no action is guessed.
    """

    needs_model = True

    def __init__(
        self,
        model: ChatModel | None = None,
        decoding: Literal["free", "grammar", "json", "tools"] = "free",
        history: int | None = None,
        **options: Any,
    ) -> None:
        """Create the actor.

        Args:
            model: The language model that plays.
            decoding: `free` for text; `grammar` or `json` to constrain replies to a thought and an available action;
                `tools` for a call of a tool with these two arguments.
            history: Most past turns to show, None for all.
            options: Not used; any is an error.

        Raises:
            UsageError: There is no model, or it does not support the decoding.
        """
        super().__init__(model, **options)
        if model is None:
            raise UsageError("the actor 'react' needs a language model, e.g. openai/gpt-4o-mini")
        self._style = None if decoding == "free" else ConstraintStyle(decoding)
        if self._style and self._style not in model.capabilities:
            supported = ", ".join([*sorted(model.capabilities), "free"])
            raise UsageError(f"{model.spec.name} does not support decoding {decoding!r}; it supports: {supported}")
        self._model = model
        self._history = history

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Ask the model for a thought and an action; see `Actor.act`."""
        constraint = Constraint(self._style, history.actions) if self._style and history.actions else None
        messages = render_messages(prompt, history, self._history, self._style)
        completion = await self._model.complete(messages, seed=seed, constraint=constraint)
        truncated = completion.finish_reason == "length"
        if self._style is ConstraintStyle.TOOLS:
            action, thought = parse_tool_call(completion)
        else:
            parse = parse_json_reply if self._style is ConstraintStyle.JSON else parse_reply
            action, thought = parse(completion.text, truncated=truncated)
        if action is None and truncated:
            raise ModelFailure("truncated", "the reply has no end and no action", completion.usage)
        return Decision(action=action, thought=thought, usage=completion.usage)


def render_messages(
    prompt: str, history: History, window: int | None = None, style: ConstraintStyle | None = None
) -> list[Message]:
    """Return the conversation that shows an episode to the model.

    To save tokens, a past turn lists its actions only if they differ from the current ones.

    Args:
        prompt: System prompt.
        history: The episode so far.
        window: Most past turns to show, None for all.
        style: Constraint on the reply, which determines the format that the model is asked for.
    """
    as_json = style is ConstraintStyle.JSON
    format_text = TOOLS_FORMAT if style is ConstraintStyle.TOOLS else JSON_FORMAT if as_json else FORMAT
    messages: list[Message] = [{"role": "system", "content": f"{prompt}\n\n{format_text}"}]
    steps = history.steps if window is None else history.steps[max(0, len(history.steps) - window) :]
    observations = [
        (step.observation if step.actions == history.actions else _situation(step.observation, step.actions))
        or "(nothing)"
        for step in steps
    ]
    observations.append(_situation(history.observation, history.actions))
    if style is ConstraintStyle.TOOLS:
        return [*messages, *tool_call_messages(observations, steps)]
    for step, text in zip(steps, observations, strict=False):
        messages.append({"role": "user", "content": text})
        messages.append({"role": "assistant", "content": _json_reply(step) if as_json else _reply(step)})
    messages.append({"role": "user", "content": observations[-1]})
    return messages


def parse_reply(text: str, *, truncated: bool = False) -> tuple[str | None, str]:
    """Parse a reply in text: the action is on its last line that starts with `Action:`, the thought above that line.

    Args:
        text: The reply.
        truncated: Whether the reply reached the token limit. An action on its last line is then ignored, as it may be
            incomplete (`run n` of `run ne`).

    Returns:
        The action, None if there is none, and the thought.
    """
    lines = text.split("\n")
    for index in range(len(lines) - 1, -1, -1):
        if match := ACTION_LINE.match(lines[index]):
            if truncated and index == len(lines) - 1:
                break
            action = match[1].strip().strip(MARKS + " \t").strip()
            return action or None, _thought("\n".join(lines[:index]))
    return None, _thought(text)


def parse_json_reply(text: str, *, truncated: bool = False) -> tuple[str | None, str]:
    """Parse a reply in JSON. The action is None if the reply is not a valid object, or was truncated."""
    try:
        reply = json.loads(text)
        return (None if truncated else str(reply["action"])), str(reply["thought"])
    except (ValueError, TypeError, KeyError):
        return None, text.strip()


def _situation(observation: str, actions: tuple[str, ...]) -> str:
    return "\n".join([observation, "", ACTIONS_HEADING, *actions])


def _reply(step: Step) -> str:
    thought = f"Thought: {step.thought}" if step.thought else ""
    action = "" if step.proposed is None else f"Action: {step.proposed}"
    # Some servers reject a message without content.
    return "\n".join(filter(None, [thought, action])) or "(no answer)"


def _json_reply(step: Step) -> str:
    return json.dumps({"thought": step.thought, "action": step.proposed or ""}, ensure_ascii=False)


def _thought(text: str) -> str:
    label = THOUGHT_LABEL.match(text)
    return text[label.end() if label else 0 :].strip()

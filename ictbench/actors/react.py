"""The actor of the paper: a language model that thinks in words and then names one action (ReAct)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from ictbench.actors.actor import Actor, History
from ictbench.actors.calls import TOOLS_FORMAT, called_messages, parse_calls
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

# Only markdown's bold and code marks are forgiven around a label and around an action.
MARKS = "*`"
ACTION_LINE = re.compile(rf"[\s{MARKS}]*action[\s{MARKS}]*:(.*)", re.IGNORECASE | re.DOTALL)
THOUGHT_LABEL = re.compile(rf"[\s{MARKS}]*thought[\s{MARKS}]*?:[{MARKS}]*", re.IGNORECASE)


class ReActActor(Actor):
    """Shows a language model the whole episode so far and reads `Action: …` from its reply.

    A reply without such a line is a decision without an action; none is ever guessed.
    """

    needs_model = True

    def __init__(
        self,
        model: ChatModel | None = None,
        decoding: Literal["free", "grammar", "json", "tools"] = "free",
        history: int | None = None,
        **options: Any,
    ) -> None:
        """Take the model.

        Args:
            model: who plays.
            decoding: `free` text; a reply that constrained decoding holds to a thought and an available action; or
                `tools`, a call of a tool that takes these two.
            history: how many past turns to show, the last ones; all of them if None.
            options: none but these.

        Raises:
            UsageError: there is no model, or it cannot decode so.
        """
        super().__init__(model, **options)
        if model is None:
            raise UsageError("the actor 'react' needs a language model, e.g. openai/gpt-4o-mini")
        self._style = None if decoding == "free" else ConstraintStyle(decoding)
        if self._style and self._style not in model.capabilities:
            able = ", ".join(sorted(model.capabilities)) or "none"
            raise UsageError(f"{model.spec.name} cannot restrict replies by {decoding}; it can: {able}, or use free")
        self._model = model
        self._history = history

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Ask the model; see `Actor.act`."""
        constraint = Constraint(self._style, history.actions) if self._style and history.actions else None
        messages = render_messages(prompt, history, self._history, self._style)
        completion = await self._model.complete(messages, seed=seed, constraint=constraint)
        cut = completion.finish_reason == "length"
        if self._style is ConstraintStyle.TOOLS:
            action, thought = parse_calls(completion)
        else:
            parse = parse_json if self._style is ConstraintStyle.JSON else parse_reply
            action, thought = parse(completion.text, cut=cut)
        if action is None and cut:
            raise ModelFailure("truncated", "the reply has no end and no action", completion.usage)
        return Decision(action=action, thought=thought, usage=completion.usage)


def render_messages(
    prompt: str, history: History, window: int | None = None, style: ConstraintStyle | None = None
) -> list[Message]:
    """The conversation that puts the last `window` turns of `history` before the model, all of them if None.

    Past turns list their actions only where these differ from the present ones, to save tokens.
    """
    as_json = style is ConstraintStyle.JSON
    described = TOOLS_FORMAT if style is ConstraintStyle.TOOLS else JSON_FORMAT if as_json else FORMAT
    messages: list[Message] = [{"role": "system", "content": f"{prompt}\n\n{described}"}]
    past = history.steps if window is None else history.steps[max(0, len(history.steps) - window) :]
    shown = [
        (step.observation if step.actions == history.actions else _situation(step.observation, step.actions))
        or "(nothing)"
        for step in past
    ]
    shown.append(_situation(history.observation, history.actions))
    if style is ConstraintStyle.TOOLS:
        return [*messages, *called_messages(shown, past)]
    for step, text in zip(past, shown, strict=False):
        messages.append({"role": "user", "content": text})
        messages.append({"role": "assistant", "content": _json_reply(step) if as_json else _reply(step)})
    messages.append({"role": "user", "content": shown[-1]})
    return messages


def parse_reply(text: str, *, cut: bool = False) -> tuple[str | None, str]:
    """Action and thought of a reply: its last line that starts with `Action:`, and all text before that line.

    Args:
        text: what the model wrote.
        cut: whether it was stopped in mid-sentence. An action on the last line may then be the beginning of
            another one (`run n` of `run ne`), and is not taken.

    Returns:
        The action, None where there is none, and the thought.
    """
    lines = text.split("\n")
    for index in range(len(lines) - 1, -1, -1):
        if match := ACTION_LINE.match(lines[index]):
            if cut and index == len(lines) - 1:
                break
            action = match[1].strip().strip(MARKS + " \t").strip()
            return action or None, _thought("\n".join(lines[:index]))
    return None, _thought(text)


def parse_json(text: str, *, cut: bool = False) -> tuple[str | None, str]:
    """Action and thought of a reply that is a JSON object; no action where it is none, or was cut short."""
    try:
        reply = json.loads(text)
        return (None if cut else str(reply["action"])), str(reply["thought"])
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

"""The ReAct actor of the paper: a language model that writes a thought and then one action."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from ictbench.actors.actor import Actor, History
from ictbench.actors.tool_call_format import (
    TOOLS_FORMAT,
    parse_json_object,
    parse_tool_call,
    tool_call_messages,
)
from ictbench.choices import ACTION_FORMAT
from ictbench.errors import ConfigError, ModelFailure, UsageError
from ictbench.models.chat_model import Constraint, ConstraintStyle
from ictbench.models.reasoning import drop_reasoning
from ictbench.models.replies import clean_text, read_answer
from ictbench.records import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.choices import PastActions
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

FENCED_JSON = re.compile(r"\s*```(?:json)?[ \t]*\n(?P<inner>.*?)\n?[ \t]*```\s*", re.IGNORECASE | re.DOTALL)

# Markdown's marks for bold and code are ignored around a label and around an action; no others are.
MARKS = "*`"
COLON = "[:\uff1a]"
ACTION_LINE = re.compile(rf"[\s{MARKS}]*action[\s{MARKS}]*{COLON}(.*)", re.IGNORECASE | re.DOTALL)
THOUGHT_LABEL = re.compile(rf"[\s{MARKS}]*thought[\s{MARKS}]*?{COLON}[{MARKS}]*", re.IGNORECASE)
# With such a line a model goes on with the other side's part of the conversation.
OTHER_SIDE = re.compile(rf"[\s{MARKS}]*(?:observation(?: ?\d+)?|user|human)[\s{MARKS}]*{COLON}", re.IGNORECASE)
QUOTES = ('""', "''", "\u201c\u201d", "\u2018\u2019", "\u00ab\u00bb")
PERIODS = ".\u3002"


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
        action_format: int = ACTION_FORMAT,
        past_actions: PastActions = "changed",
        **options: Any,
    ) -> None:
        """Create the actor.

        Args:
            model: The language model that plays.
            decoding: `free` for text; `grammar` or `json` to constrain replies to a thought and an available action;
                `tools` for a call of a tool with these two arguments.
            history: Most past turns to show, None for all.
            action_format: Version of how replies are read; only the current one is available.
            past_actions: Lists of available actions to show of past turns: those that differ from the current one, or
                none.
            options: Not used; any is an error.

        Raises:
            UsageError: There is no model, or it does not support the decoding.
            ConfigError: The action format is another one.
        """
        super().__init__(model, **options)
        if model is None:
            raise UsageError("the actor 'react' needs a language model, e.g. openai/gpt-4o-mini")
        if action_format != ACTION_FORMAT:
            raise ConfigError(
                f"action_format {action_format} is not available: this version of ictbench reads replies in format "
                f"{ACTION_FORMAT}"
            )
        self._style = None if decoding == "free" else ConstraintStyle(decoding)
        if self._style and self._style not in model.capabilities:
            supported = ", ".join([*sorted(model.capabilities), "free"])
            raise UsageError(f"{model.spec.name} does not support decoding {decoding!r}; it supports: {supported}")
        self._model = model
        self._history = history
        self._past_actions = past_actions

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Ask the model for a thought and an action; see `Actor.act`."""
        constraint = Constraint(self._style, history.actions) if self._style and history.actions else None
        messages = render_messages(prompt, history, self._history, self._style, self._past_actions)
        completion = await self._model.complete(messages, seed=seed, constraint=constraint)
        truncated = completion.finish_reason == "length"
        if self._style is ConstraintStyle.TOOLS:
            action, thought = parse_tool_call(completion)
        else:
            parse = parse_json_reply if self._style is ConstraintStyle.JSON else parse_reply
            action, thought = parse(completion.text, truncated=truncated)
        if action is None and truncated:
            raise ModelFailure("truncated", "the reply has no end and no action", completion.usage)
        return Decision(action=plain_action(action, history.actions), thought=thought, usage=completion.usage)


def render_messages(
    prompt: str,
    history: History,
    window: int | None = None,
    style: ConstraintStyle | None = None,
    past_actions: PastActions = "changed",
) -> list[Message]:
    """Return the conversation that shows an episode to the model.

    Args:
        prompt: System prompt.
        history: The episode so far.
        window: Most past turns to show, None for all.
        style: Constraint on the reply, which determines the format that the model is asked for.
        past_actions: Lists of available actions to show of past turns: to save tokens, those that differ from the
            current one, or none.
    """
    as_json = style is ConstraintStyle.JSON
    format_text = TOOLS_FORMAT if style is ConstraintStyle.TOOLS else JSON_FORMAT if as_json else FORMAT
    messages: list[Message] = [{"role": "system", "content": f"{prompt}\n\n{format_text}"}]
    steps = history.steps if window is None else history.steps[max(0, len(history.steps) - window) :]
    observations = [
        (
            step.observation
            if past_actions == "none" or step.actions == history.actions
            else _situation(step.observation, step.actions)
        )
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
    """Parse a reply in text: its first line that starts with `Action:` is the action, the text above is the thought.

    Reasoning is left out, wherever it stands, and so is everything from the point on where the model goes on with
    another turn: a token of the chat template, or a line that starts with `Observation:`, unless it is the first one.

    Args:
        text: The reply.
        truncated: Whether the reply reached the token limit. An action on its last line is then ignored, as it may be
            incomplete (`run n` of `run ne`).

    Returns:
        The action, None if there is none, and the thought.
    """
    answer = read_answer(text)
    lines = drop_reasoning(answer.text).split("\n")
    truncated = truncated and not answer.ended
    for index, line in enumerate(lines):
        if OTHER_SIDE.match(line) and (above := "\n".join(lines[:index])).strip():
            return None, _thought(above)
        if match := ACTION_LINE.match(line):
            if truncated and index == len(lines) - 1:
                break
            return _strip_marks(match[1]) or None, _thought("\n".join(lines[:index]))
    return None, _thought("\n".join(lines))


def parse_json_reply(text: str, *, truncated: bool = False) -> tuple[str | None, str]:
    """Parse a reply in JSON, with or without a Markdown fence around it.

    The action is None if the reply is not an object with a thought and an action, or was truncated.
    """
    answer = read_answer(text)
    fenced = FENCED_JSON.fullmatch(answer.text)
    reply = parse_json_object(fenced["inner"] if fenced else answer.text)
    action, thought = (reply.get("action"), reply.get("thought")) if reply else (None, None)
    if not isinstance(action, str) or not isinstance(thought, str):
        return None, drop_reasoning(answer.text).strip()
    return None if truncated else clean_text(action), drop_reasoning(clean_text(thought))


def plain_action(action: str | None, available: Sequence[str]) -> str | None:
    """Return the action without quotation marks around it and a period after it, if such an action is available."""
    if action is None or action in available:
        return action
    known = set(map(_normalize, available))
    if _normalize(action) in known:
        return action
    plain = action
    # A period may stand within the marks or after them.
    for _ in range(2):
        plain = _strip_marks(plain.removesuffix(PERIODS[0]).removesuffix(PERIODS[1]))
        plain = next((plain[1:-1] for pair in QUOTES if len(plain) > 1 and plain[0] + plain[-1] == pair), plain)
        if _normalize(plain) in known:
            return plain
    return action


def _normalize(action: str) -> str:
    return " ".join(action.split()).casefold()


def _strip_marks(text: str) -> str:
    return text.strip().strip(MARKS + " \t").strip()


def _situation(observation: str, actions: tuple[str, ...]) -> str:
    return "\n".join([observation, "", ACTIONS_HEADING, *actions])


def _reply(step: Step) -> str:
    thought, action = step.thought, step.proposed
    if action is None:
        # Some servers reject a message without content.
        return f"Thought: {thought}" if thought else "(no answer)"
    return f"Thought: {thought}\nAction: {action}" if thought else f"Action: {action}"


def _json_reply(step: Step) -> str:
    return json.dumps({"thought": step.thought, "action": step.proposed or ""}, ensure_ascii=False)


def _thought(text: str) -> str:
    label = THOUGHT_LABEL.match(text)
    return text[label.end() if label else 0 :].strip()

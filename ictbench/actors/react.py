"""The actor of the paper: a language model that thinks in words and then names one action (ReAct)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ictbench.actors.contract import Actor, History
from ictbench.errors import UsageError
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

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Take the model.

        Raises:
            UsageError: there is none.
        """
        super().__init__(model, **options)
        if model is None:
            raise UsageError("the actor 'react' needs a language model, e.g. openai/gpt-4o-mini")
        self._model = model

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Ask the model; see `Actor.act`."""
        completion = await self._model.complete(render_messages(prompt, history), seed=seed)
        action, thought = parse_reply(completion.text, cut=completion.finish_reason == "length")
        return Decision(action=action, thought=thought, usage=completion.usage)


def render_messages(prompt: str, history: History) -> list[Message]:
    """The conversation that puts `history` before the model.

    Past turns list their actions only where these differ from the present ones, to save tokens.
    """
    messages: list[Message] = [{"role": "system", "content": f"{prompt}\n\n{FORMAT}"}]
    for step in history.steps:
        shown = step.observation if step.actions == history.actions else _situation(step.observation, step.actions)
        messages.append({"role": "user", "content": shown or "(nothing)"})
        messages.append({"role": "assistant", "content": _reply(step)})
    messages.append({"role": "user", "content": _situation(history.observation, history.actions)})
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


def _situation(observation: str, actions: tuple[str, ...]) -> str:
    return "\n".join([observation, "", ACTIONS_HEADING, *actions])


def _reply(step: Step) -> str:
    thought = f"Thought: {step.thought}" if step.thought else ""
    action = "" if step.proposed is None else f"Action: {step.proposed}"
    # Some servers reject a message without content.
    return "\n".join(filter(None, [thought, action])) or "(no answer)"


def _thought(text: str) -> str:
    label = THOUGHT_LABEL.match(text)
    return text[label.end() if label else 0 :].strip()

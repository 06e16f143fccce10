"""Environment for TRL's `environment_factory`: a rollout of the trainer is a whole loop of N turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ictbench.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ictbench.runs import LoopPlayer, LoopRollout

LoopReward = Literal["gain", "best", "fresh"]
OVER = 'That was the last turn. Answer with "done".'

CHATML = """\
{%- for message in messages %}
{{- '<|im_start|>' + ('user' if message.role == 'tool' else message.role) + '\n' + (message.content or '') }}
{%- for call in message.tool_calls or [] %}{{ call.function.name }} {{ call.function.arguments | tojson }}{% endfor %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' + PREFIX }}{% endif %}"""
"""Chat template in which a tool's result is a message of the user. The text of a call is shown to no model: the trainer
keeps the tokens that the model wrote, and renders a call only to check the template."""


class LoopEnvironment:
    """One loop at a time, as TRL's trainers expect it: `reset`, a tool, `get_reward`.

    TRL passes errors of a tool to the model as text. What prevented episodes from being played is therefore raised
    again by `get_reward`: it must not become a reward.
    """

    def __init__(self, player: LoopPlayer, reward: LoopReward = "gain") -> None:
        """Store the player, which all environments of a training share.

        Args:
            player: Plays the loops, and says which reflector's question is asked.
            reward: The reward of a loop; see `ictbench.runs.LoopRewards`.
        """
        self._player = player
        self._reward: LoopReward = reward
        self._rollout: LoopRollout | None = None
        self._error: Exception | None = None

    def reset(self, family: str, loop: int, **_: Any) -> str:
        """Start a loop and return the first question; the arguments are columns of a row of `loop_rows`."""
        self._error = None
        self._rollout = self._player.start(family, loop)
        return self._rollout.messages()[-1]["content"]

    def write_prompt(self, reply: str) -> str:
        """Change the system prompt of the agent. It then plays new episodes, and you are asked again.

        Args:
            reply: The answer to the last question, in the form that it asks for.

        Returns:
            The next question, with what happened in the new episodes.
        """
        rollout = self._started()
        if rollout.finished or not isinstance(reply, str):
            raise UsageError(
                f"the loop is over after {rollout.turns} turns" if rollout.finished else "reply is no text"
            )
        try:
            rollout.answer(reply)
            return OVER if rollout.finished else rollout.messages()[-1]["content"]
        except Exception as error:
            self._error = error
            raise

    def get_reward(self) -> float:
        """Return the reward of the loop; turns that the model did not use keep the prompt.

        Raises:
            InfrastructureError: An episode could not be played in two attempts.
            RunError: No more episodes can be played.
        """
        if self._error is not None:
            raise self._error
        rollout = self._started()
        rollout.stop()
        if self._reward == "fresh":
            return rollout.fresh()
        return float(getattr(rollout.rewards(), self._reward))

    def _started(self) -> LoopRollout:
        if self._rollout is None:
            raise UsageError("no loop is in progress; call reset first")
        return self._rollout


def loop_rows(player: LoopPlayer, loops: Iterable[int]) -> list[dict[str, Any]]:
    """Return the rows of a data set: one per loop and family, with the messages that come before the first question."""
    before = player.question.build("", "", player.plan.prompt_bytes)[:-1]
    return [
        {"prompt": [*before, {"role": "user", "content": ""}], "family": family, "loop": loop}
        for loop in loops
        for family in player.families
    ]


def take_replies_as_calls(tokenizer: Any, player: LoopPlayer) -> None:
    """Let a model without tool calls take part: whatever it writes is the argument of `write_prompt`.

    Sets the tokenizer's chat and response templates. Each reply starts with the question's `reply_prefix`.

    Args:
        tokenizer: A tokenizer with ChatML's tokens, e.g. that of SmolLM2.
        player: The player of the environments.

    Raises:
        ConfigError: The tokenizer has no such tokens.
    """
    known = tokenizer.get_vocab()
    if missing := [token for token in ("<|im_start|>", "<|im_end|>") if token not in known]:
        raise ConfigError(f"the tokenizer has no token {missing[0]}: use a model with tool calls, or one with ChatML")
    tokenizer.chat_template = CHATML.replace("PREFIX", repr(player.question.reply_prefix))
    call = {"name": "write_prompt", "arguments": {"reply": "{content}"}}
    tokenizer.response_template = {
        "defaults": {"role": "assistant"},
        "start_anchor": "<|im_start|>assistant\n",
        "fields": {
            "tool_calls": {
                "close_pattern": r"<\|im_end\|>\s*",
                "content": "text",
                "repeats": True,
                "transform": {"type": "function", "function": call},
            }
        },
    }

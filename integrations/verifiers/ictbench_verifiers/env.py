"""The environment: a rollout is one loop of N turns, in which the model writes the prompts of an agent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import verifiers.v1 as vf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import Message
    from ictbench.runs import LoopPlayer, LoopRollout
    from ictbench_verifiers.taskset import LoopTask

ROLES = {"user": vf.UserMessage, "assistant": vf.AssistantMessage}


class LoopEnvConfig(vf.EnvConfig):
    """The reflector is the model that is evaluated or trained. It only chats, so it needs no sandbox."""

    reflector: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())
    system_role: bool = True
    """Whether the instruction is a system message. For servers that refuse one, it begins the first user message."""


class LoopEnv(vf.Env[LoopEnvConfig]):
    """Plays the loop of a task with a model that answers the reflector's questions."""

    _player: LoopPlayer | None = None

    async def start(self) -> None:
        """Open the models and workers of the actor, which all rollouts share."""
        self._player = await asyncio.to_thread(self.taskset.open_player)

    async def stop(self) -> None:
        """Close them."""
        if self._player is not None:
            await asyncio.to_thread(self._player.close)

    async def run(self, task: LoopTask, agents: vf.Agents) -> None:
        """Play one loop.

        A model that stops early keeps its last prompt. An error of its endpoint or of an episode fails the rollout,
        which then has no rewards.
        """
        assert self._player is not None
        rollout = self._player.start(task.data.family, task.data.loop)
        opened = _with_question(task, await asyncio.to_thread(rollout.messages), system_role=self.config.system_role)
        async with agents.reflector.interaction(opened) as interaction:
            segment = await interaction.turn()
            while not segment.terminated:
                cut = interaction.trace.calls[-1].finish_reason == "length"
                await asyncio.to_thread(rollout.answer, segment.last_reply, cut=cut)
                if rollout.finished:
                    break
                question = await asyncio.to_thread(rollout.messages)
                segment = await interaction.turn(question[-1]["content"])
            if not interaction.trace.errors:
                interaction.trace.info.update(await asyncio.to_thread(_measured, rollout))


def _with_question(task: LoopTask, question: Sequence[Message], *, system_role: bool) -> LoopTask:
    """Return the task with the first question as its prompt."""
    system = "\n\n".join(message["content"] for message in question if message["role"] == "system")
    turns: list[Any] = [dict(message) for message in question if message["role"] != "system"]
    if system and not system_role:
        turns[0]["content"] = f"{system}\n\n{turns[0]['content']}"
    opened: LoopTask = task.with_data(
        system_prompt=system if system and system_role else None,
        prompt=[ROLES[turn["role"]](content=turn["content"]) for turn in turns],
    )
    return opened


def _measured(rollout: LoopRollout) -> dict[str, Any]:
    """Return what the trace records of a loop: its measures, and the loop as a run records it."""
    rollout.stop()
    result = rollout.result()
    failures = [prompt.failure for prompt in result.prompts[1:]]
    unusable = sum(failure is not None for failure in failures) / len(failures)
    return {
        "measures": {**rollout.rewards()._asdict(), "unusable_replies": unusable},
        "loop": result.model_dump(mode="json"),
    }

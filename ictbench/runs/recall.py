"""Texts that a learner's memory adds to the prompts of episodes, and checks of the contract of memories."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ictbench.actors.opening import opening_spec
from ictbench.errors import PluginError
from ictbench.plugin_errors import player_error
from ictbench.records import ADDED_BYTES, MEMORY_BYTES, digest_of, extended_prompt
from ictbench.rollout import Priority
from ictbench.visible_text import is_encodable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.records import Division, Memory, Reflection, Task
    from ictbench.reflectors import Reflector
    from ictbench.rollout import Executor

RECALL_SECONDS = 5.0
"""Maximum duration of one call of `recall`. The built-in learners take milliseconds."""

Opening = tuple[str, tuple[str, ...]]
"""First observation of a task, and the actions that are available then."""


@dataclass
class Recalls:
    """Source of the added texts of a run. A task is started once to see how it begins; nothing is decided in it."""

    reflector: Reflector
    label: str
    """Label of the reflector."""
    executor: Executor
    prompt_bytes: int
    """Cap of a prompt with its added text, in UTF-8 bytes."""
    seconds: float = RECALL_SECONDS
    _openings: dict[str, asyncio.Task[Opening]] = field(default_factory=dict)
    _starts: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._starts = asyncio.Semaphore(2 * self.executor.workers)

    async def added(self, prompt: str, memory: Memory, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return the text that the memory adds to a prompt, by task id; empty texts are left out.

        Raises:
            PluginError: The learner breaks its contract.
            InfrastructureError: A task cannot be started.
        """
        if memory.value is None or not tasks:
            return {}
        openings = dict(zip([t.id for t in tasks], await asyncio.gather(*map(self._opening, tasks)), strict=True))
        try:
            async with asyncio.timeout(self.seconds * 2 * len(tasks)):
                texts = await asyncio.to_thread(self._recall_all, memory, openings)
        except TimeoutError:
            raise PluginError(
                f"reflector {self.label}: recall takes longer than {self.seconds:g} s an episode; make it faster, or "
                "keep less in the memory"
            ) from None
        for task_id, text in texts.items():
            if (size := len(extended_prompt(prompt, text).encode())) > self.prompt_bytes:
                raise PluginError(
                    f"reflector {self.label}: the prompt of {task_id} has {size:,} bytes with what the memory adds, of "
                    f"at most {self.prompt_bytes:,}; shorten prompt[0]"
                )
        return {task_id: text for task_id, text in texts.items() if text}

    def _recall_all(self, memory: Memory, openings: Mapping[str, Opening]) -> dict[str, str]:
        texts = {task_id: self._recall(memory, opening) for task_id, opening in openings.items()}
        # In another order: what depends on earlier calls shows.
        for task_id, opening in reversed(list(openings.items())):
            if self._recall(memory, opening) != texts[task_id]:
                raise PluginError(
                    f"reflector {self.label}: recall gives different texts for the same memory and the same first "
                    "observation; it must depend on its arguments only"
                )
        if digest_of(memory.value, 16) != memory.digest:
            raise PluginError(
                f"reflector {self.label}: recall changes the memory; only `reflect` may return another one"
            )
        return texts

    def _recall(self, memory: Memory, opening: Opening) -> str:
        try:
            text = self.reflector.recall(memory.value, *opening)
        except Exception as error:
            raise player_error(error, f"reflector {self.label}", "recall", type(self.reflector), None) from error
        if not isinstance(text, str):
            raise PluginError(f"reflector {self.label}: recall returned {text!r:.80}; return a text")
        if (size := len(text.encode(errors="replace"))) > ADDED_BYTES:
            raise PluginError(
                f"reflector {self.label}: recall returned {size:,} bytes, of at most {ADDED_BYTES:,}; return less"
            )
        if not is_encodable(text):
            raise PluginError(f"reflector {self.label}: recall returned text that UTF-8 cannot encode: {text!r:.80}")
        return text

    def _opening(self, task: Task) -> asyncio.Task[Opening]:
        known = self._openings.get(task.id)
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            known = self._openings[task.id] = asyncio.create_task(self._start(task))
        return known

    async def _start(self, task: Task) -> Opening:
        async with self._starts:
            trajectory = (await self.executor.play(opening_spec(task), Priority.EXPERIENCE)).trajectory
        if not trajectory.steps:
            return trajectory.last_observation, ()
        return trajectory.steps[0].observation, trajectory.steps[0].actions


def with_own_memory(label: str, reflection: Reflection, division: Division) -> Reflection:
    """Return a reflection whose memory is a copy that the reflector cannot change afterwards.

    Raises:
        PluginError: The reflector is not of the division `memory`, the memory is not plain JSON, or it is too large.
    """
    if reflection.memory is None:
        return reflection
    if division != "memory":
        raise PluginError(f'reflector {label} returned a memory; set `division = "memory"` in its class')
    try:
        text = json.dumps(reflection.memory, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise PluginError(f"reflector {label}: its memory is not plain JSON: {error}") from None
    if size > MEMORY_BYTES:
        raise PluginError(
            f"reflector {label}: its memory has {size:,} bytes, of at most {MEMORY_BYTES:,}; keep less of the episodes"
        )
    return reflection.model_copy(update={"memory": json.loads(text)})


def copied(memory: Memory) -> Memory:
    """Return a copy of a memory for a reflector, which may change it."""
    return memory if memory.value is None else memory.model_copy(update={"value": copy.deepcopy(memory.value)})

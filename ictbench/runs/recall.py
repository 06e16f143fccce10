"""Texts that a learner's memory adds to the prompts of episodes, with checks of what `recall` returns."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ictbench.actors.opening import opening_spec
from ictbench.errors import PluginError
from ictbench.plugin_errors import player_error
from ictbench.records import ADDED_BYTES, canonical_json, digest_of
from ictbench.rollout import Priority
from ictbench.runs.timed_calls import TooSlowError, in_daemon_thread
from ictbench.visible_text import is_encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ictbench.records import Memory, Task
    from ictbench.reflectors import Reflector
    from ictbench.rollout import Executor
    from ictbench.runs.timed_calls import TimedCalls

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
    seconds: float = field(default_factory=lambda: RECALL_SECONDS)
    """Maximum duration of one call of `recall`."""
    _openings: dict[str, asyncio.Task[Opening]] = field(default_factory=dict)
    _starts: asyncio.Semaphore = field(init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the request whose texts are recalled."""

    def __post_init__(self) -> None:
        self._starts = asyncio.Semaphore(2 * self.executor.workers)

    async def added(self, memory: Memory, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return the text that a memory adds to the prompt of each task, by task id; empty texts are left out.

        Raises:
            PluginError: The learner breaks its contract.
            InfrastructureError: A task cannot be started.
        """
        if memory.value is None or not tasks:
            return {}
        ids = [task.id for task in tasks]
        openings = dict(zip(ids, await asyncio.gather(*map(self._opening, tasks)), strict=True))
        try:
            async with self._turn:
                texts = await in_daemon_thread(lambda call: self._recall_all(call, memory, openings), self.seconds)
        except TooSlowError:
            size = len(canonical_json(memory.value).encode())
            raise PluginError(
                f"reflector {self.label}: recall takes longer than {self.seconds:g} s with a memory of {size:,} bytes; "
                "make it faster, or keep less in the memory"
            ) from None
        return {task_id: text for task_id, text in texts.items() if text}

    async def aclose(self) -> None:
        """Cancel the starts of tasks that nobody needs any more."""
        tasks = list(self._openings.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _recall_all(self, call: TimedCalls, memory: Memory, openings: Mapping[str, Opening]) -> Mapping[str, str]:
        """Return what is recalled for each opening; runs in a thread."""
        texts = {task_id: self._recall(call, memory, opening) for task_id, opening in openings.items()}
        # In another order: what depends on earlier calls shows.
        for task_id, opening in reversed(list(openings.items())):
            if self._recall(call, memory, opening) != texts[task_id]:
                raise PluginError(
                    f"reflector {self.label}: recall gives different texts for the same memory and the same first "
                    "observation; it must depend on its arguments only"
                )
        if digest_of(memory.value, 16) != memory.digest:
            raise PluginError(
                f"reflector {self.label}: recall changes the memory; only `reflect` may return another one"
            )
        return texts

    def _recall(self, call: TimedCalls, memory: Memory, opening: Opening) -> str:
        return recalled(lambda: call(self.reflector.recall, memory.value, *opening), type(self.reflector), self.label)

    async def _opening(self, task: Task) -> Opening:
        """Return how a task begins. Shielded, because other requests may wait for it."""
        known = self._openings.get(task.id)
        if known is None:
            known = self._openings[task.id] = asyncio.create_task(self._start(task))
            known.add_done_callback(lambda done: self._forget_failure(task.id, done))
        return await asyncio.shield(known)

    async def _start(self, task: Task) -> Opening:
        async with self._starts:
            trajectory = (await self.executor.play(opening_spec(task), Priority.EXPERIENCE)).trajectory
        if not trajectory.steps:
            return trajectory.last_observation, ()
        return trajectory.steps[0].observation, trajectory.steps[0].actions

    def _forget_failure(self, task_id: str, done: asyncio.Task[Opening]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._openings.pop(task_id, None)


def recalled(recall: Callable[[], object], learner: type[Reflector], label: str) -> str:
    """Return what a call of `recall` returns, checked.

    Raises:
        PluginError: It fails, or returns something else than a text of at most `ADDED_BYTES`.
        TooSlowError: The call says so.
    """
    where = f"reflector {label}"
    try:
        text = recall()
    except TooSlowError:
        raise
    except Exception as error:
        raise player_error(error, f"{where}, recall", "recall", learner, None) from error
    if not isinstance(text, str):
        raise PluginError(f"{where}: recall returned {text!r:.80}; return a text")
    if not is_encodable(text):
        raise PluginError(f"{where}: recall returned text that UTF-8 cannot encode: {text!r:.80}")
    if (size := len(text.encode())) > ADDED_BYTES:
        raise PluginError(f"{where}: recall returned {size:,} bytes, of at most {ADDED_BYTES:,}; return less")
    return text

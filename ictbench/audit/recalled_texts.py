"""Recomputation of what memories added to prompts: the recall of a built-in learner, on the starts that a replay shows.

Nothing is trusted: a memory may be any JSON, and a call of recall has a time limit.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ictbench.actors.opening import opening_spec
from ictbench.audit.findings import quote
from ictbench.audit.memory_checks import prompts_by_digest
from ictbench.audit.replay_episode import Mismatch
from ictbench.errors import PluginError
from ictbench.plugins import resolve
from ictbench.records import canonical_json
from ictbench.rollout import Priority
from ictbench.runs.recall import RECALL_SECONDS, recalled
from ictbench.runs.timed_calls import TooSlowError, in_daemon_thread
from ictbench.submissions.known_players import REFLECTORS, layers_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping

    from pydantic import JsonValue

    from ictbench.records import Episode, PluginSpec, Task
    from ictbench.reflectors import Reflector
    from ictbench.rollout import Executor
    from ictbench.runs.recall import Opening
    from ictbench.submissions.episode_records import EpisodeRecord, Evidence


class _Added(NamedTuple):
    """Text that a record states as added by a memory."""

    key: str
    task_id: str
    text: str


@dataclass
class RecalledTexts:
    """Texts that the memories of a built-in learner added in replayed episodes, to be recalled again."""

    learner: type[Reflector]
    label: str
    memory_of: Mapping[str, str]
    """Digests of memories, by the digest of the prompt that they go with."""
    memories: Mapping[str, str]
    """Canonical JSON of memories by digest."""
    _added: defaultdict[str, list[_Added]] = field(default_factory=lambda: defaultdict(list))
    """By digest of the memory: then each memory is parsed, and its index built, once."""
    _openings: dict[str, Opening] = field(default_factory=dict)
    """By task id."""

    @classmethod
    def of(cls, evidence: Evidence, keys: Collection[str] | None) -> RecalledTexts:
        """Read the memories that belong to episodes.

        Args:
            evidence: Holds a result for which `unknown_recall` is None, and memories that were checked before.
            keys: Keys of the episodes; None for all.
        """
        result = evidence.result
        prompts = prompts_by_digest(result)
        digests = prompts.keys() if keys is None else {_prompt_of(key) for key in keys}
        memory_of = {name: prompts[name].memory for name in digests if name in prompts and prompts[name].memory}
        needed = {*memory_of.values()}
        *_, innermost = layers_of(result.reflector)
        return cls(
            resolve("reflector", innermost.name),
            result.reflector.label,
            memory_of,
            {memory.digest: canonical_json(memory.value) for memory in evidence.memories() if memory.digest in needed},
        )

    def __len__(self) -> int:
        return sum(map(len, self._added.values()))

    async def add(self, record: EpisodeRecord, replayed: Episode, executor: Executor) -> None:
        """Note an episode, if a memory goes with its prompt.

        Args:
            record: The record.
            replayed: Its replay, which agrees with it.
            executor: Starts the task again if the replay has no decision.
        """
        digest, task = self.memory_of.get(record.prompt), replayed.task
        if digest is None:
            return
        if task.id not in self._openings:
            self._openings[task.id] = await _opening(replayed, task, executor)
        self._added[digest].append(_Added(record.key, task.id, record.added))

    async def mismatches(self) -> AsyncIterator[Mismatch]:
        """Yield the episodes whose added text is not what the memory adds."""
        for digest, group in self._added.items():
            if digest not in self.memories:
                yield Mismatch("added", group[0].key, f"the memory {digest} is missing")
                continue
            memory, texts = json.loads(self.memories[digest]), {}
            for added in group:
                if added.task_id not in texts:
                    try:
                        texts[added.task_id] = await self._recall(memory, self._openings[added.task_id])
                    except _RecallFailedError as error:
                        yield Mismatch("added", added.key, f"the memory {digest} cannot be recalled: {error}")
                        break
                if (expected := texts[added.task_id]) != added.text:
                    detail = f"{quote(added.text)} was added, and the memory {digest} adds {quote(expected)}"
                    yield Mismatch("added", added.key, detail)

    async def _recall(self, memory: JsonValue, opening: Opening) -> str:
        # Recall depends on its arguments only; a complete instance would need its model.
        learner = self.learner.__new__(self.learner)
        try:
            return await in_daemon_thread(
                lambda call: recalled(lambda: call(learner.recall, memory, *opening), self.learner, self.label),
                RECALL_SECONDS,
            )
        except TooSlowError:
            raise _RecallFailedError(f"it takes longer than {RECALL_SECONDS:g} s") from None
        except PluginError as error:
            raise _RecallFailedError(str(error)) from error


class _RecallFailedError(Exception):
    """Reason why a memory cannot be recalled."""


def unknown_recall(reflector: PluginSpec) -> str | None:
    """Return why the recall of a learner is not called: part of it is not built in; None if it is."""
    unknown = next(_unknown_layers(reflector), None)
    return None if unknown is None else f"{quote(unknown)} is not part of ictbench"


def _unknown_layers(reflector: PluginSpec) -> Iterator[str]:
    return (layer.name for layer in layers_of(reflector) if layer.name not in REFLECTORS)


def _prompt_of(key: str) -> str:
    """Return the digest of the prompt in an episode key."""
    return key.rpartition("@")[2].partition(".")[0]


async def _opening(replayed: Episode, task: Task, executor: Executor) -> Opening:
    """Return the first observation of an episode, and the actions that were available then."""
    trajectory = replayed.trajectory
    if not trajectory.steps:
        # It failed before its first decision, so its replay shows no actions.
        trajectory = (await executor.play(opening_spec(task), Priority.TEST)).trajectory
    if not trajectory.steps:
        return trajectory.last_observation, ()
    return trajectory.steps[0].observation, trajectory.steps[0].actions

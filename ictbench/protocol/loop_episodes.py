"""Enumeration of the episodes of a finished loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ictbench.records import episode_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.protocol.loop_result import LoopResult, OutcomeString, Purpose


class PlayedTasks(NamedTuple):
    """Tasks that a loop played under one prompt for one purpose."""

    purpose: Purpose
    prompt: int
    """Index of the prompt."""
    tasks: tuple[str, ...]
    outcomes: OutcomeString
    """Those of each task stand together if it is played several times."""
    digests: tuple[str, ...] = ()
    """Digest of the prompt of each task, where an optimiser chose it."""

    @property
    def repeats(self) -> int:
        """Episodes per task."""
        return len(self.outcomes) // max(1, len(self.tasks))

    def keys(self, digest: str) -> Iterator[str]:
        """Yield the keys of the episodes under the prompt with this digest, in the order of the outcomes."""
        if self.digests:
            yield from map(episode_key, self.tasks, self.digests)
            return
        for task in self.tasks:
            for replicate in range(self.repeats):
                yield episode_key(task, digest, replicate)


class EpisodeUse(NamedTuple):
    """One use of an episode in a loop."""

    purpose: Purpose
    prompt: int
    """Index of the prompt; for a replay, of the prompt that its turn produced; for the experience of an optimiser, of
    the prompt before its turn."""
    key: str


def played_tasks(loop: LoopResult) -> Iterator[PlayedTasks]:
    """Yield the tasks that a loop played, by purpose and prompt, without the reflector's own replays.

    The loop may contradict itself: no index is looked up.
    """
    for prompt, batch in enumerate(loop.batches):
        yield PlayedTasks("experience", prompt, batch.tasks, batch.outcomes, batch.prompts)
    for prompt, outcomes in enumerate(loop.selection):
        yield PlayedTasks("selection", prompt, loop.selection_tasks, outcomes)
    for prompt, outcomes in loop.test.items():
        yield PlayedTasks("test", prompt, loop.test_tasks, outcomes)
    turns = zip(loop.audit, loop.batches, loop.batches[1:], strict=False)
    for turn, (audit, batch, next_batch) in enumerate(turns, 1):
        yield PlayedTasks("audit", turn, batch.tasks, audit.replayed)
        yield PlayedTasks("audit", turn - 1, next_batch.tasks, audit.fresh)
    if loop.online:
        under = {0: loop.online.base, loop.best: loop.online.best}
        for prompt, turns_outcomes in under.items():
            for batch, outcomes in zip(loop.batches, turns_outcomes, strict=False):
                yield PlayedTasks("online", prompt, batch.tasks, outcomes)


def episode_uses(loop: LoopResult) -> Iterator[EpisodeUse]:
    """Yield every use of an episode in a loop; an episode with several uses occurs several times."""
    for played in played_tasks(loop):
        for key in played.keys(loop.prompts[played.prompt].digest):
            yield EpisodeUse(played.purpose, played.prompt, key)
    for turn, keys in enumerate(loop.replays, 1):
        for key in keys:
            yield EpisodeUse("replay", turn, key)


def keys_for(loop: LoopResult, purpose: Purpose, prompt: int | None = None) -> list[str]:
    """Return the keys of the episodes played for a purpose, in the order of the outcomes.

    Args:
        loop: The loop.
        purpose: The purpose.
        prompt: Index of the only prompt to include; None includes all.
    """
    return [use.key for use in episode_uses(loop) if use.purpose == purpose and prompt in (None, use.prompt)]

"""Replay verification: recorded actions are played again, and each episode is compared with its record."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ictbench.audit.findings import Findings
from ictbench.audit.recalled_texts import RecalledTexts, unknown_recall
from ictbench.audit.replay_episode import ASPECTS, Aspect, Mismatch, first_mismatch, replay_spec
from ictbench.audit.shown_checks import text_mismatch
from ictbench.errors import EnvError, PluginError, UsageError, WorkerLostError
from ictbench.models import ModelPool, UsageMeter
from ictbench.records import task_id_of
from ictbench.rollout import Priority
from ictbench.rollout.env_errors import ENV_BROKE
from ictbench.runs.engine import open_executor
from ictbench.runs.sync_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from ictbench.audit.verification import Check
    from ictbench.records import Episode, Task
    from ictbench.rollout import Executor
    from ictbench.runs.options import Options
    from ictbench.submissions.episode_records import EpisodeRecord, Evidence

IN_FLIGHT = 16
"""Episodes sent to each worker at a time: then workers return them in groups, which costs less."""

MAX_MISMATCHES = 10
"""Mismatches after which the replay stops. It also stops at the first environment that breaks."""


@dataclass
class Replay:
    """Outcome of a replay: what was played, and what differs from the records."""

    episodes: int = 0
    decisions: int = 0
    shown: int | None = None
    """Episodes shown in full whose texts were compared; None for a run, which shows none."""
    recalled: int | None = None
    """Episodes whose added texts were recomputed from memories; None if the learner has no memory, or is not known."""
    not_recalled: str = ""
    """Why the texts that memories added were not recomputed."""
    _findings: Mapping[Aspect, Findings] = field(default_factory=lambda: {name: Findings(name) for name in ASPECTS})

    @property
    def checks(self) -> tuple[Check, ...]:
        """One check for each aspect of an episode; that of texts only for a submission, of added ones with memories."""
        passed = f"as recorded, in {self.episodes:,} episodes with {self.decisions:,} decisions"
        checks = [findings.check(passed) for name, findings in self._findings.items() if name not in ("added", "texts")]
        if self.recalled is not None:
            checks.append(self._findings["added"].check(f"as the memories add them, in {self.recalled:,} episodes"))
        elif self.not_recalled:
            checks.append(self._findings["added"].skipped(f"not recomputed: {self.not_recalled}"))
        if self.shown is not None:
            checks.append(self._findings["texts"].check(f"word for word, in the {self.shown} episodes shown in full"))
        return tuple(checks)

    @property
    def enough(self) -> bool:
        """Whether so much differs that playing more would show nothing new."""
        return bool(self._findings["played"].count) or self.mismatches >= MAX_MISMATCHES

    @property
    def mismatches(self) -> int:
        """Number of episodes that differ."""
        return sum(findings.count for findings in self._findings.values())

    def add(self, record: EpisodeRecord, mismatch: Mismatch | None) -> None:
        """Count an episode that was played."""
        self.episodes += 1
        self.decisions += len(record.trajectory.steps)
        if mismatch is not None:
            self._findings[mismatch.aspect].add(f"{mismatch.key}: {mismatch.detail}")

    async def add_recalled(self, texts: RecalledTexts) -> None:
        """Recall what memories added in the episodes that were played, until enough differs."""
        self.recalled = len(texts)
        async for mismatch in texts.mismatches():
            self._findings[mismatch.aspect].add(f"{mismatch.key}: {mismatch.detail}")
            if self.enough:
                return


def draw_sample(keys: Iterable[str], count: int, seed: str) -> set[str]:
    """Return `count` of the keys, drawn uniformly; equal seeds give equal samples, whatever the order of the keys."""

    def rank(key: str) -> bytes:
        return hashlib.sha256(f"{seed}/{key}".encode()).digest()

    return set(heapq.nsmallest(count, keys, key=rank))


def replay(
    evidence: Evidence,
    tasks: Mapping[str, Task],
    options: Options,
    *,
    sample: Collection[str] | None = None,
    on_played: Callable[[int], None] = lambda episodes: None,
) -> Replay:
    """Play recorded episodes again, until all are played or enough of them differ from their records.

    Episodes that a submission shows in full are always played, and their texts compared.

    Args:
        evidence: Holds the records.
        tasks: The suite's own tasks, by id. What a record says about its task is not used.
        options: Options of a run that say where episodes are played.
        sample: Keys of the episodes to play; None for all.
        on_played: Called with the number of episodes just played.

    Raises:
        MissingExtraError: Ray is not installed.
        WorkerError: No worker can be started.
    """

    shown = {episode.key: episode for episode in evidence.shown_episodes()}
    chosen = None if sample is None else {*sample, *shown}
    has_memories = evidence.result.division == "memory"
    not_recalled = (unknown_recall(evidence.result.reflector) or "") if has_memories else ""
    recalled = RecalledTexts.of(evidence, chosen) if has_memories and not not_recalled else None

    async def play() -> Replay:
        meter = UsageMeter()
        executor = await open_executor(options, ModelPool(meter), meter)
        try:
            records = (record for record in evidence.episodes() if chosen is None or record.key in chosen)
            replayer = _Replayer(executor, tasks, evidence.digits, options.env_timeout, on_played, shown, recalled)
            result = await replayer.play_all(records)
            result.not_recalled = not_recalled
            if recalled is not None:
                await result.add_recalled(recalled)
            return result
        finally:
            await executor.aclose()

    return run_blocking(play)


class _EnoughPlayed(Exception):  # noqa: N818 - not an error
    """Stops the replay."""


@dataclass
class _Replayer:
    """Plays records on an executor and collects the outcome."""

    executor: Executor
    tasks: Mapping[str, Task]
    digits: int
    env_timeout: float
    on_played: Callable[[int], None]
    shown: Mapping[str, Episode]
    recalled: RecalledTexts | None
    result: Replay = field(init=False)

    def __post_init__(self) -> None:
        self.result = Replay(shown=0 if self.shown else None)

    async def play_all(self, records: Iterator[EpisodeRecord]) -> Replay:
        """Play all records, several at a time."""
        players = [asyncio.create_task(self._play_in_turn(records)) for _ in range(IN_FLIGHT * self.executor.workers)]
        try:
            await asyncio.gather(*players)
        except _EnoughPlayed:
            pass
        finally:
            for player in players:
                player.cancel()
            await asyncio.gather(*players, return_exceptions=True)
        return self.result

    async def _play_in_turn(self, records: Iterator[EpisodeRecord]) -> None:
        """Play one record after the other, from an iterator shared with the other players."""
        for record in records:
            mismatch = await self._play(record)
            if self.result.enough:
                return
            self.result.add(record, mismatch)
            self.on_played(1)
            if self.result.enough:
                raise _EnoughPlayed

    async def _play(self, record: EpisodeRecord) -> Mismatch | None:
        task, shown = self.tasks[task_id_of(record.key)], self.shown.get(record.key)
        try:
            spec = replay_spec(record, task, keep_texts=shown is not None)
            replayed = await self.executor.play(spec, Priority.TEST)
        except (EnvError, PluginError, UsageError) as error:
            return Mismatch("played", record.key, self._reason(error))
        mismatch = first_mismatch(record, replayed, self.digits)
        if mismatch is None and self.recalled is not None:
            await self.recalled.add(record, replayed, self.executor)
        if mismatch is None and shown is not None:
            self.result.shown = (self.result.shown or 0) + 1
            if difference := text_mismatch(shown, replayed):
                return Mismatch("texts", record.key, difference)
        return mismatch

    def _reason(self, error: EnvError | PluginError | UsageError) -> str:
        if isinstance(error.__cause__, WorkerLostError):
            return f"the environment crashed, or took longer than {self.env_timeout:g} s"
        message = str(error)
        if isinstance(error, PluginError):
            return f"{ENV_BROKE}{message}"
        return message if message.startswith(ENV_BROKE) else f"{ENV_BROKE}{type(error).__name__}: {message}"

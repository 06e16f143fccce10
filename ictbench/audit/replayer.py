"""A worker that plays recorded episodes again and keeps its environments warm."""

from __future__ import annotations

import faulthandler
import os
import signal
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from ictbench.audit.playback import Mismatch, play_back
from ictbench.plugins import resolve
from ictbench.rollout.remote.worker_main import die_with_parent
from ictbench.submissions.episode_records import EpisodeRecord

if TYPE_CHECKING:
    from ictbench.envs import TextEnv
    from ictbench.records import Task

SPARE = 8
"""Environments that are kept."""

RETIRE_AFTER = 1_000
"""Episodes after which all are closed and made anew: what they leak, they do not leak for ever."""


class Chunk(NamedTuple):
    """Episodes to play."""

    episodes: tuple[str, ...]
    """Records as JSON, their tasks the suite's own."""
    digits: int
    """Hexadecimal digits of each recorded hash."""
    patience: float
    """Seconds that they may take together; then the process ends itself."""


class Played(NamedTuple):
    """What came of a chunk."""

    episodes: int
    decisions: int
    mismatches: tuple[Mismatch, ...]


class _Warm:
    """The environments of this process."""

    def __init__(self) -> None:
        self._envs: dict[tuple[str, str], TextEnv] = {}
        self._handed_out = 0

    def fitting(self, task: Task) -> TextEnv:
        """An environment that fits a task."""
        env_class: type[TextEnv] = resolve("env", task.env)
        key = (task.env, env_class.pool_key(task))
        self._handed_out += 1
        if self._handed_out % RETIRE_AFTER == 0 or (key not in self._envs and len(self._envs) == SPARE):
            self.close()
        if key not in self._envs:
            self._envs[key] = env_class()
        return self._envs[key]

    def close(self) -> None:
        """Close all."""
        while self._envs:
            self._envs.popitem()[1].close()


_warm = _Warm()
_nowhere = os.open(os.devnull, os.O_WRONLY)


def become_replayer(scratch: str) -> None:
    """Set this process up; its environments put their temporary files into `scratch`."""
    die_with_parent()
    # The terminal's Ctrl-C is for the process that hands out the work.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["TMPDIR"] = tempfile.tempdir = scratch


def play_chunk(chunk: Chunk) -> Played:
    """Play all of a chunk's episodes."""
    # Ends the process even while it hangs inside a library that holds all of Python's threads up.
    faulthandler.dump_traceback_later(chunk.patience, exit=True, file=_nowhere)
    try:
        records = [EpisodeRecord.model_validate_json(line) for line in chunk.episodes]
        mismatches = tuple(mismatch for record in records if (mismatch := _play(record, chunk.digits)))
    finally:
        faulthandler.cancel_dump_traceback_later()
    return Played(len(records), sum(len(record.trajectory.steps) for record in records), mismatches)


def _play(record: EpisodeRecord, digits: int) -> Mismatch | None:
    try:
        return play_back(_warm.fitting(record.task), record.task, record, digits)
    except Exception as error:  # whatever an environment may raise
        _warm.close()
        return Mismatch("played", record.key, f"the environment broke: {type(error).__name__}: {error}")

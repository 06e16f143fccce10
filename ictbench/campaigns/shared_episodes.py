"""Episodes that cells share: two with the same actor, prompt, task and sampling seed are played once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.errors import RunFolderError
from ictbench.runs.journal import Journal
from ictbench.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from ictbench.records import Episode, EpisodeSpec, PluginSpec
    from ictbench.rollout import Executor, Priority

RECENT = 256
"""Finished episodes kept at hand until the journal of the cell that played them holds them."""

log = logging.getLogger(__name__)


def group_of(identity: Mapping[str, Any], actor: PluginSpec) -> str:
    """Return what must be equal for the episodes of two runs to be the same, besides prompt, task and replicate.

    Two servers may serve different weights under one name: their episodes are not shared.

    Args:
        identity: Identity of a run, as its run.json has it.
        actor: Its actor, with the address of its model.
    """
    classes = identity.get("classes") or {}
    return json.dumps(
        [
            *(identity.get(name) for name in ("suite_digest", "max_steps", "episode_time_limit", "actor", "versions")),
            *(classes.get(kind) for kind in ("actor", "env")),
            actor.model and actor.model.base_url,
        ],
        sort_keys=True,
    )


@dataclass(slots=True)
class _InFlight:
    task: asyncio.Task[Episode]
    waiting: int = 0
    taken: bool = False
    """Whether a caller has counted the episode as played by itself."""


class SharedEpisodes:
    """Plays an episode once for all cells, and finds those that the journal of another cell holds.

    Args:
        executor: Plays what no cell has.
        repeated: Kinds of failures that a session plays again: failed episodes of earlier sessions are not shared.
    """

    def __init__(self, executor: Executor, repeated: Collection[str] = ()) -> None:
        self._executor = executor
        self._repeated = frozenset(repeated)
        self._journals: dict[Path, Journal] = {}
        """Open journals by folder of the cell."""
        self._groups: dict[Path, str] = {}
        self._in_flight: dict[tuple[str, str], _InFlight] = {}
        self._recent: OrderedDict[tuple[str, str], Episode] = OrderedDict()
        self.on_played: Callable[[], None] = lambda: None
        """Called after every episode that was played."""
        self.played = 0
        """Episodes that the executor has played."""
        self.found = 0
        """Episodes that a cell received without playing them."""

    def add_cell(self, folder: Path, group: str) -> None:
        """Look for episodes of a group in the journal of a cell from now on."""
        if self._groups.get(folder) == group:
            return
        self._groups[folder] = group
        if folder not in self._journals:
            # Not read-only: such a journal would not see what its cell records from now on.
            self._journals[folder] = Journal(RunFolder(folder).journal)

    async def play(self, group: str, own: Path, spec: EpisodeSpec, priority: Priority) -> tuple[Episode, bool]:
        """Return an episode, and whether it was played for this cell.

        Args:
            group: Group of the cell.
            own: Folder of the cell, whose journal does not hold the episode.
            spec: The episode.
            priority: Order of its requests.

        Raises:
            InfrastructureError: The episode is owed.
        """
        if spec.memory:
            # Its digest does not say whose memory it is, and another learner would add another text.
            alone = await self._executor.play(spec, priority)
            self._count_played()
            return alone, True
        key = (group, spec.key)
        flight = self._in_flight.get(key)
        if flight is None:
            if (episode := self._recorded(group, own, spec.key)) is not None:
                self.found += 1
                return episode, False
            flight = self._in_flight[key] = _InFlight(asyncio.create_task(self._executor.play(spec, priority)))
            flight.task.add_done_callback(lambda task: self._finish(key, task))
        flight.waiting += 1
        try:
            # Shielded: other cells may wait for it.
            episode = await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.waiting == 1:
                flight.task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await flight.task
            raise
        finally:
            flight.waiting -= 1
        mine, flight.taken = not flight.taken, True
        self.found += not mine
        return episode, mine

    def close(self) -> None:
        """Close the journals."""
        for journal in self._journals.values():
            journal.close()
        self._journals.clear()
        self._groups.clear()

    def _finish(self, key: tuple[str, str], task: asyncio.Task[Episode]) -> None:
        del self._in_flight[key]
        if task.cancelled() or task.exception() is not None:
            return
        self._count_played()
        self._recent[key] = task.result()
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def _count_played(self) -> None:
        self.played += 1
        self.on_played()

    def _recorded(self, group: str, own: Path, key: str) -> Episode | None:
        if (episode := self._recent.get((group, key))) is not None:
            return episode
        for folder, journal in self._journals.items():
            if folder == own or self._groups[folder] != group:
                continue
            try:
                episode = journal.episode(key)
            except RunFolderError as error:
                log.warning("cell %s: %s", folder.name, error)
                continue
            if episode is not None and episode.trajectory.failure not in self._repeated:
                return episode
        return None

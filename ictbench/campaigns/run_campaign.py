"""Session of a campaign: one process that plays what its folder does not hold yet, cell beside cell."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ictbench.campaigns.cell_state import recorded_state
from ictbench.campaigns.shared_engine import open_shared_engine
from ictbench.campaigns.shared_episodes import group_of
from ictbench.campaigns.write_campaign import write_campaign
from ictbench.errors import IctbenchError, LimitReachedError, ResultError, RunFolderError
from ictbench.records import Usage
from ictbench.runs.api import Run
from ictbench.runs.journal import Journal
from ictbench.runs.run_folder import RunFolder
from ictbench.runs.run_log import log_to_file
from ictbench.runs.session import Opening, account, run_session, write_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ictbench.campaigns.campaign_folder import CampaignFolder
    from ictbench.campaigns.plan_campaign import CampaignPlan, PlannedCell
    from ictbench.campaigns.shared_engine import SharedEngine
    from ictbench.results import Result
    from ictbench.runs.progress import Progress

Status = Literal["waiting", "running", "complete", "incomplete", "stopped", "failed"]

SIDE_BY_SIDE = 4
"""Cells that run at the same time by default: enough to keep connections busy, few enough to complete some early."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class CellState:
    """State of one cell in this session."""

    name: str
    status: Status = "waiting"
    reason: str = ""
    """Why the cell is not complete."""
    seconds: float = 0.0
    progress: Progress | None = None


@dataclass(slots=True)
class CampaignProgress:
    """Live state of a campaign, which a display may read at any time."""

    cells: dict[str, CellState]
    engine: SharedEngine
    on_change: Callable[[CellState], None] = lambda _: None
    """Receives a cell whenever its status changes."""


@dataclass(frozen=True, slots=True)
class FinishedCampaign:
    """Outcome of a session."""

    states: tuple[CellState, ...]
    played: int
    """Episodes that were played."""
    found: int
    """Episodes that a cell took from another one."""


async def run_cells(
    plan: CampaignPlan,
    cells: Sequence[PlannedCell],
    folder: CampaignFolder,
    side_by_side: int,
    on_start: Callable[[CampaignProgress], None] | None = None,
) -> FinishedCampaign:
    """Play what the folder does not hold yet; a cell that fails does not stop the others.

    Args:
        plan: The campaign.
        cells: The cells to play.
        folder: Its folder.
        side_by_side: Cells that run at the same time.
        on_start: Receives the live state before anything is played.

    Raises:
        UsageError: The folder or an option does not fit; nothing was played.
        WorkerError: The Ray cluster does not exist.
    """
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(open_shared_engine(plan.shared))
        stack.enter_context(folder.claim(plan))
        stack.enter_context(log_to_file(folder.log, plan.shared.log_level, everything=True))
        ledger = stack.enter_context(closing(Journal(folder.ledger)))
        stack.enter_context(account(ledger, shared.meter))
        _open_journals(plan.cells, folder, shared)
        shared.meter.spent = _spent(plan.cells, folder, shared.meter.spent)
        shared.episodes.on_played = lambda: ledger.note("spent", shared.meter.spent.model_dump(mode="json"))
        states = {cell.name: CellState(cell.name) for cell in cells}
        progress = CampaignProgress(states, shared)
        if on_start:
            on_start(progress)
        slots, repeats = asyncio.Semaphore(side_by_side), bool(plan.shared.retry_failed)
        session = _Session(folder, shared, progress, ledger, slots, repeats)
        log.info("campaign %s: %d cells, %d side by side", plan.name, len(cells), side_by_side)
        async with asyncio.TaskGroup() as group:
            for cell in cells:
                group.create_task(session.run(cell))
        # While the folder is still locked.
        write_campaign(folder)
        return FinishedCampaign(tuple(states.values()), shared.episodes.played, shared.episodes.found)


@dataclass(slots=True)
class _Session:
    folder: CampaignFolder
    shared: SharedEngine
    progress: CampaignProgress
    ledger: Journal
    slots: asyncio.Semaphore
    repeats: bool
    """Whether failed episodes of complete cells are played again."""
    limit: str = ""
    """The limit that a cell has met."""

    async def run(self, cell: PlannedCell) -> None:
        """Run one cell, and note how it ended."""
        state = self.progress.cells[cell.name]
        if not self.repeats and is_complete(self.folder.cell(cell.name)):
            self._change(state, "complete")
            return
        async with self.slots:
            if self.limit and (cell.plan.actor.model or cell.plan.reflector.model):
                self._change(state, "stopped", f"not started: {self.limit}")
                return
            self._change(state, "running")
            clock = time.monotonic()
            try:
                result = await self._play(cell, state)
            except LimitReachedError as error:
                self.limit = str(error)
                outcome: tuple[Status, str] = "stopped", self.limit
            except IctbenchError as error:
                outcome = "failed", str(error)
            except Exception as error:
                # A mistake in one cell, which its log shows, must not cost the others.
                log.warning("cell %s failed", cell.name, exc_info=error)
                outcome = "failed", f"{type(error).__name__}: {error}; the traceback is in {self.folder.log}"
            else:
                outcome = ("complete", "") if result.complete else ("incomplete", _owed(result))
            finally:
                state.seconds = time.monotonic() - clock
                self.ledger.note("spent", self.shared.meter.spent.model_dump(mode="json"))
            self._change(state, *outcome)

    async def _play(self, cell: PlannedCell, state: CellState) -> Result:
        folder = self.folder.cell(cell.name)
        classes: dict[str, Any] = {"classes": {**cell.classes}} if cell.classes else {}

        def started(_: Path, progress: Progress) -> None:
            state.progress = progress

        opening = Opening(partial(self.shared.of_cell, cell, folder), cell.versions)
        return await run_session(cell.plan, cell.loops, RunFolder(folder), started, write_run, classes, opening)

    def _change(self, state: CellState, status: Status, reason: str = "") -> None:
        state.status, state.reason = status, reason
        log.info("cell %s: %s%s", state.name, status, f": {reason}" if reason else "")
        self.progress.on_change(state)


def is_complete(folder: Path) -> bool:
    """Return whether a cell has a complete result; a damaged one is written again from the journal."""
    if recorded_state(folder)[0] != "complete":
        return False
    try:
        return Run(folder).result.complete
    except ResultError as error:
        log.warning("cell %s: %s", folder.name, error)
        return False


def _open_journals(cells: Iterable[PlannedCell], folder: CampaignFolder, shared: SharedEngine) -> None:
    """Let cells find the episodes that earlier sessions of other cells have recorded."""
    for cell in cells:
        run = RunFolder(folder.cell(cell.name))
        if run.journal.exists() and run.config.exists():
            try:
                shared.episodes.add_cell(run.path, group_of(run.read_config(), cell.plan.actor))
            except RunFolderError as error:
                log.warning("cell %s: %s", cell.name, error)


def _spent(cells: Iterable[PlannedCell], folder: CampaignFolder, noted: Usage) -> Usage:
    """Return what all sessions spent: as the ledger says, or the sum over cells if a killed session left it behind."""
    runs = [RunFolder(folder.cell(cell.name)) for cell in cells]
    of_cells = Usage()
    for run in runs:
        if run.journal.exists():
            with closing(Journal(run.journal)) as journal:
                of_cells += Usage.model_validate(journal.get("spent", {}))
    return noted if noted.calls >= of_cells.calls else of_cells


def _owed(result: Result) -> str:
    reasons = f" ({'; '.join(result.host.troubles)})" if result.host.troubles else ""
    return f"{result.owed} episodes or reflections are owed{reasons}"

"""Public functions of campaigns: campaign, plan, load_campaign."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from ictbench.campaigns.campaign_folder import CampaignFolder
from ictbench.campaigns.campaign_table import long_table
from ictbench.campaigns.cell_comparisons import compare_cells
from ictbench.campaigns.dry_run_campaign import dry_run_campaign
from ictbench.campaigns.learned_cells import judge_cells
from ictbench.campaigns.plan_campaign import plan_campaign, select_cells
from ictbench.campaigns.run_campaign import SIDE_BY_SIDE, run_cells
from ictbench.campaigns.write_campaign import complete_results
from ictbench.errors import ConfigError, RunInterruptedError, stopped_by
from ictbench.runs.api import Run
from ictbench.runs.run_folder import RunFolder
from ictbench.runs.sync_loop import run_blocking
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from ictbench.campaigns.campaign_file import CampaignFile
    from ictbench.campaigns.cell_comparisons import Pair
    from ictbench.campaigns.dry_run_campaign import CampaignDryRun
    from ictbench.campaigns.learned_cells import LearnedCell
    from ictbench.campaigns.run_campaign import CampaignProgress, CellState
    from ictbench.results import Result
    from ictbench.runs.option_types import CampaignOptions

CAMPAIGNS = Path("campaigns")
"""Folder of campaigns that state no other."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign on disk."""

    folder: Path
    states: tuple[CellState, ...] = field(default=(), repr=False)
    """How each cell ended in the session that returned this record."""
    played: int = field(default=0, repr=False)
    """Episodes that the session played."""
    found: int = field(default=0, repr=False)
    """Episodes that a cell took from another one in the session."""

    @property
    def cells(self) -> dict[str, Run]:
        """Runs of the cells that have started, by name; each is an ordinary run."""
        folder = CampaignFolder(self.folder)
        folders = {name: folder.cell(name) for name in folder.read_config()["cells"]}
        return {name: Run(path) for name, path in folders.items() if RunFolder(path).config.exists()}

    def results(self) -> dict[str, Result]:
        """Return the results of the complete cells, by name."""
        return complete_results(CampaignFolder(self.folder))

    def table(self) -> pd.DataFrame:
        """Return the long table: one row per complete cell, family and measure, with a column per axis."""
        cells = CampaignFolder(self.folder).read_config()["cells"]
        return long_table(self.results(), {name: cell["values"] for name, cell in cells.items()})

    def comparisons(self) -> list[Pair]:
        """Return the differences of all pairs of complete cells on the same tasks."""
        return compare_cells(self.results())

    def learned(self) -> list[LearnedCell]:
        """Return for each reflector whether it learned from experience."""
        return judge_cells(self.results())


def campaign(
    file: str | Path | Mapping[str, Any],
    *,
    out: str | Path | None = None,
    cells: Iterable[str] = (),
    side_by_side: int = SIDE_BY_SIDE,
    on_start: Callable[[CampaignProgress], None] | None = None,
    **options: Unpack[CampaignOptions],
) -> Campaign:
    """Play the cells of a matrix, and write tables, comparisons and report.

    A folder that holds the same campaign is continued: nothing that it records is played again. A cell that fails does
    not stop the others; `states` of the campaign says how each ended.

    Args:
        file: The file of the campaign, or the same content as a mapping.
        out: Folder of the campaign; None for `campaigns/NAME`.
        cells: Names of the cells to play; none for all.
        side_by_side: Cells that run at the same time.
        on_start: Receives the live state before anything is played.
        options: Options of the whole campaign, instead of those in the file: limits, executor, workers, cache.

    Raises:
        UsageError: Something requested does not exist or does not fit; nothing was played.
        RunError: The campaign stopped early; everything finished is recorded.
    """
    if side_by_side < 1:
        raise ConfigError(f"side_by_side is {side_by_side}, and at least one cell must run")
    plan = plan_campaign(file, options)
    folder = CampaignFolder(folder_of(plan.file, out))
    chosen = select_cells(plan, cells)
    try:
        finished = run_blocking(lambda: run_cells(plan, chosen, folder, side_by_side, on_start))
    except KeyboardInterrupt as error:
        raise RunInterruptedError(f"{stopped_by(error)}; everything finished is recorded in {folder.path}") from error
    return Campaign(folder.path, finished.states, finished.played, finished.found)


def dry_run(
    file: str | Path | Mapping[str, Any],
    *,
    out: str | Path | None = None,
    cells: Iterable[str] = (),
    ask: bool = False,
    **options: Unpack[CampaignOptions],
) -> CampaignDryRun:
    """Make the same checks as `campaign`, and return what each cell would do at most and cost, and what is there.

    Args:
        file: The file of the campaign, or the same content as a mapping.
        out: Folder of the campaign; None for `campaigns/NAME`.
        cells: Names of the cells; none for all.
        ask: Whether each model is rehearsed and asked a few times, so that replies are measured instead of assumed.
        options: Options of the whole campaign, instead of those in the file.

    Raises:
        UsageError: Something requested does not exist or does not fit.
        RunError: A model that is asked does not answer, or rejects the requests of the run.
    """
    plan = plan_campaign(file, options)
    return dry_run_campaign(plan, folder_of(plan.file, out), select_cells(plan, cells), ask=ask)


def load_campaign(folder: str | Path) -> Campaign:
    """Load a campaign from its folder.

    Raises:
        RunFolderError: The folder is not that of a campaign.
    """
    path = expand_home(folder)
    CampaignFolder(path).read_config()
    return Campaign(path)


def folder_of(file: CampaignFile, out: str | Path | None) -> Path:
    """Return the folder of a campaign: `out`, or one in `campaigns/` that is named after it."""
    if out is not None:
        return expand_home(out)
    plain = "".join(c if c.isalnum() or c in "-._" else "-" for c in file.name).strip(".") or "campaign"
    return CAMPAIGNS / plain

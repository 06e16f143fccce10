"""Check of a campaign for regressions, cell by cell, against a committed baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.campaigns.campaign_folder import CONFIG, CampaignFolder
from ictbench.campaigns.campaign_results import holds_results, read_results
from ictbench.campaigns.write_campaign import complete_results
from ictbench.errors import ResultError
from ictbench.records import Record
from ictbench.results.regression_check import Check, check_cells
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.results import Result
    from ictbench.results.pairing import Measure


class CampaignCheck(Record):
    """Check of a campaign against a baseline."""

    checks: tuple[Check, ...]
    """One per cell that both have. P-values are corrected over all cells."""
    missing: tuple[str, ...]
    """Cells of the baseline that are not complete in the campaign: the check fails."""
    new: tuple[str, ...]
    """Complete cells that the baseline lacks; they are not checked."""

    @property
    def failed(self) -> bool:
        """Whether a measure of a cell fell significantly by more than the tolerance, or a cell is missing."""
        return bool(self.missing) or any(check.failed for check in self.checks)


def check_campaign(
    campaign: str | Path,
    baseline: str | Path,
    *,
    tolerance: float = 0.05,
    measures: Sequence[Measure] = ("best",),
    force: bool = False,
) -> CampaignCheck:
    """Check all cells of a campaign against those of the same names in a baseline.

    Args:
        campaign: Folder of a campaign, or the file of its results.
        baseline: The same of what it must not fall below.
        tolerance: How much a measure may fall, as a share.
        measures: The measures to check.
        force: Check cells that are not comparable, and say so.

    Raises:
        UsageError: The tolerance is not a share, a measure cannot be compared, or a path is not that of a campaign.
        ResultError: No cell is in both, or two are not comparable and `force` is False.
    """
    now, before = results_at(campaign), results_at(baseline)
    both = [name for name in before if name in now]
    if not both:
        raise ResultError(f"no complete cell of {campaign} is in {baseline}; name two campaigns of the same file")
    checks = check_cells(
        {name: (now[name], before[name]) for name in both}, tolerance=tolerance, measures=measures, force=force
    )
    return CampaignCheck(
        checks=tuple(checks),
        missing=tuple(name for name in before if name not in now),
        new=tuple(name for name in now if name not in before),
    )


def is_campaign(path: str | Path) -> bool:
    """Return whether a path is the folder of a campaign, or the file of its results."""
    place = expand_home(path)
    return (place / CONFIG).is_file() or holds_results(place)


def results_at(path: str | Path) -> dict[str, Result]:
    """Return the results of the complete cells, by name.

    Raises:
        RunFolderError: The folder is not that of a campaign.
        ResultError: The file is not that of a campaign's results, or a result is damaged.
    """
    place = expand_home(path)
    return complete_results(CampaignFolder(place)) if place.is_dir() else read_results(place)

"""Dry run of a campaign: what each cell would do at most and cost, what cells share, and what is there already."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ictbench.campaigns.campaign_folder import CampaignFolder, what_is_asked
from ictbench.campaigns.cell_state import Recorded, recorded_state
from ictbench.campaigns.reachable_p import reachable_in_plan
from ictbench.campaigns.shared_episodes import group_of
from ictbench.records import Record
from ictbench.runs.cost_estimate import DryRun, estimate
from ictbench.runs.sync_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.campaigns.plan_campaign import CampaignPlan, PlannedCell
    from ictbench.runs.cost_sample import Played


class CellDryRun(Record):
    """Dry run of one cell."""

    name: str
    planned: DryRun
    status: Recorded
    recorded: int
    """Episodes that the folder of the cell holds."""
    shared: int
    """Episodes under prompt[0] that an earlier cell plays too: they are played once."""

    @property
    def left(self) -> float:
        """Share of the cell that is left to play at most."""
        if self.status == "complete":
            return 0.0
        episodes = self.planned.counts["episodes"]
        return max(0.0, 1 - max(self.recorded, self.shared) / episodes) if episodes else 0.0

    @property
    def tokens(self) -> tuple[int, int] | None:
        """Least and most tokens of both players that are left; None without a model."""
        players = [player for player in (self.planned.actor, self.planned.reflector) if player]
        if not players:
            return None
        ends = [
            sum(player.input_tokens[end] + player.output_tokens[end] for player in players) * self.left
            for end in (0, 1)
        ]
        return round(ends[0]), round(ends[1])

    @property
    def cost(self) -> tuple[float, float] | None:
        """Least and most US dollars that are left; None if a price is unknown, or without a model."""
        players = [player for player in (self.planned.actor, self.planned.reflector) if player]
        costs = [player.cost for player in players]
        if not costs or None in costs:
            return None
        known = [cost for cost in costs if cost]
        return sum(cost[0] for cost in known) * self.left, sum(cost[1] for cost in known) * self.left

    @property
    def seconds(self) -> tuple[float, float]:
        """Least and most seconds that are left, alone on connections and workers."""
        return self.planned.seconds[0] * self.left, self.planned.seconds[1] * self.left


class CampaignDryRun(Record):
    """Dry run of a campaign."""

    name: str
    folder: str
    cells: tuple[CellDryRun, ...]
    smallest_p: float | None = None
    """Smallest p-value of a comparison of these cells after correction; None if no two play the same tasks."""

    @property
    def episodes(self) -> int:
        """Episodes of all cells at most, whether recorded, shared or left."""
        return sum(cell.planned.counts["episodes"] for cell in self.cells)

    @property
    def tokens(self) -> tuple[int, int] | None:
        """Least and most tokens that are left; None without any model."""
        pairs = [cell.tokens for cell in self.cells if cell.tokens]
        return (sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)) if pairs else None

    @property
    def cost(self) -> tuple[float, float] | None:
        """Least and most US dollars that are left; None if a price is unknown, or without any model."""
        asking = [cell for cell in self.cells if cell.tokens]
        pairs = [cell.cost for cell in asking if cell.cost]
        if not pairs or len(pairs) < len(asking):
            return None
        return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)

    @property
    def seconds(self) -> tuple[float, float]:
        """Least and most seconds that are left.

        At least those of the longest cell, and those for which all cells need the connections and workers that they
        share. At most those of all cells one after the other.
        """
        busy = sum(cell.planned.busy[0] * cell.left for cell in self.cells)
        longest = max((cell.seconds[0] for cell in self.cells), default=0.0)
        return max(busy, longest), sum(cell.seconds[1] for cell in self.cells)


def dry_run_campaign(plan: CampaignPlan, folder: Path, cells: Sequence[PlannedCell], *, ask: bool) -> CampaignDryRun:
    """Return what the cells would do; nothing is recorded.

    Raises:
        RunFolderError: The folder holds another campaign.
        RunError: A model that is asked does not answer, or rejects the requests of the run.
    """
    campaign = CampaignFolder(folder)
    if campaign.config.exists():
        campaign.check(what_is_asked(plan))
    shared = shared_first_episodes(cells)
    played: Played = {}
    return CampaignDryRun(
        name=plan.name,
        folder=str(folder),
        cells=tuple(_dry_run(cell, campaign, shared[cell.name], played, ask=ask) for cell in cells),
        smallest_p=reachable_in_plan(cells),
    )


def shared_first_episodes(cells: Sequence[PlannedCell]) -> dict[str, int]:
    """Return how many episodes under prompt[0] each cell shares with an earlier one.

    Those are its first batches, and the selection and test tasks under prompt[0], of cells with the same actor.
    """
    seen: dict[str, set[str]] = defaultdict(set)
    shared: dict[str, int] = {}
    for cell in cells:
        keys = set()
        for loop in cell.loops:
            # An optimiser chooses its episodes itself.
            first = loop.batches[0] if loop.batches and loop.experience != "pooled" else ()
            tasks = [(task, 0) for task in first]
            scored = (*loop.selection, *loop.test)
            tasks += [(task, replicate) for task in scored for replicate in range(loop.repeats)]
            keys |= {cell.plan.episode(task, loop.prompt, replicate).key for task, replicate in tasks}
        group = group_of(cell.identity, cell.plan.actor)
        shared[cell.name] = len(keys & seen[group])
        seen[group] |= keys
    return shared


def _dry_run(cell: PlannedCell, campaign: CampaignFolder, shared: int, played: Played, *, ask: bool) -> CellDryRun:
    planned = run_blocking(lambda: estimate(cell.plan, cell.loops, ask=ask, played=played))
    status, recorded = recorded_state(campaign.cell(cell.name))
    return CellDryRun(name=cell.name, planned=planned, status=status, recorded=recorded, shared=shared)

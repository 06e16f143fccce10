"""Plan of a campaign: all its cells, resolved and checked before anything is played."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.campaigns.campaign_file import read_campaign
from ictbench.errors import ConfigError, UsageError
from ictbench.models import ModelPool
from ictbench.plugins import resolve, suggest
from ictbench.rollout.remote.ray_starter import require_ray
from ictbench.runs.engine import check_playable, open_players
from ictbench.runs.options import Options, check_caller
from ictbench.runs.own_classes import named_classes
from ictbench.runs.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ictbench.campaigns.campaign_file import CampaignFile, Cell
    from ictbench.protocol import LoopPlan
    from ictbench.runs.plan import RunPlan

SHOWN_CELLS = 3
"""Cells that a message about several of them names."""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell whose run can start."""

    cell: Cell
    plan: RunPlan
    loops: list[LoopPlan]
    versions: dict[str, str]
    """Versions of the packages that determine the behaviour of the environment."""
    classes: dict[str, str]
    """Digests of the caller's own classes."""

    @property
    def name(self) -> str:
        """Name of the cell."""
        return self.cell.name

    @property
    def identity(self) -> dict[str, Any]:
        """What must be equal for the cell to be continued, as plain JSON."""
        own = {"classes": self.classes} if self.classes else {}
        return {**self.plan.identity(), **own, "versions": self.versions}


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """A campaign whose cells can all start."""

    file: CampaignFile
    shared: Options
    """Options that hold for all cells together; the others have their defaults."""
    cells: tuple[PlannedCell, ...]

    @property
    def name(self) -> str:
        """Name of the campaign."""
        return self.file.name


def plan_campaign(source: str | Path | Mapping[str, Any], shared: Mapping[str, Any] | None = None) -> CampaignPlan:
    """Read a file and check all its cells.

    Args:
        source: The file, or the same content as a mapping.
        shared: Options of the whole campaign, which replace those of the file.

    Raises:
        ConfigError: Something is wrong; the message names everything that is.
        MissingExtraError: The executor's package is not installed.
        UsageError: An option of the whole campaign does not fit.
    """
    check_caller("campaign", shared or {})
    file = read_campaign(source)
    problems = _Problems(file.problems)
    common = {**file.shared, **(shared or {})}
    options = Options.parse(common)
    if options.executor == "ray":
        require_ray()
    known: dict[str, dict[str, str]] = {}
    planned = [one for cell in file.cells if (one := _planned(cell, common, known, problems)) is not None]
    _check_distinct(planned, problems)
    problems.raise_if_any(file.name)
    return CampaignPlan(file, options, tuple(planned))


def select_cells(plan: CampaignPlan, names: Iterable[str]) -> tuple[PlannedCell, ...]:
    """Return the cells of these names, in the order of the plan; all if no name is given.

    Raises:
        ConfigError: There is no such cell.
    """
    chosen, known = set(names), {cell.name for cell in plan.cells}
    for name in sorted(chosen - known):
        raise ConfigError(f"campaign {plan.name} has no cell {name!r}; {suggest(name, known)}")
    return tuple(cell for cell in plan.cells if not chosen or cell.name in chosen)


class _Problems:
    """Problems by message, with the cells that have them."""

    def __init__(self, of_file: Iterable[str]) -> None:
        self._cells: dict[str, list[str]] = {message: [] for message in of_file}

    def add(self, message: str, *cells: str) -> None:
        self._cells.setdefault(message, []).extend(cells)

    def raise_if_any(self, campaign: str) -> None:
        """Report everything at once.

        Raises:
            ConfigError: There is a problem.
        """
        if not self._cells:
            return
        texts = [f"{message}{_in_cells(cells)}" for message, cells in self._cells.items()]
        if len(texts) == 1:
            raise ConfigError(f"campaign {campaign}: {texts[0]}; nothing was played")
        listed = "; ".join(f"({number}) {text}" for number, text in enumerate(texts, 1))
        raise ConfigError(f"campaign {campaign} has {len(texts)} problems, and nothing was played: {listed}")


def _in_cells(cells: list[str]) -> str:
    if not cells:
        return ""
    shown = ", ".join(cells[:SHOWN_CELLS])
    return f" (cell{'s' * (len(cells) > 1)} {shown}{f' and {len(cells) - 3} more' if len(cells) > SHOWN_CELLS else ''})"


def _planned(
    cell: Cell, common: Mapping[str, Any], known: dict[str, dict[str, str]], problems: _Problems
) -> PlannedCell | None:
    """Return the plan of a cell; None if something is wrong, which is added to the problems."""
    try:
        named, classes = named_classes({**common, **cell.options})
        plan = make_plan(Options.parse(named))
        loops = list(plan.loops())
        # Cells that differ in their reflectors have the same tasks, and checking these takes the time.
        solver = resolve("actor", plan.actor.name).sees_solution
        tasks = json.dumps([plan.suite.digest, plan.families, plan.sizes.model_dump(), plan.traits.experience, solver])
        if tasks not in known:
            known[tasks] = check_playable(plan, loops)
        open_players(plan, ModelPool())
    except UsageError as error:
        problems.add(str(error), cell.name)
        return None
    return PlannedCell(cell, plan, loops, known[tasks], classes)


def _check_distinct(cells: Iterable[PlannedCell], problems: _Problems) -> None:
    """Check that no two cells are the same run, e.g. because a value equals the default of another cell."""
    first: dict[str, str] = {}
    for cell in cells:
        trained = list(cell.plan.trained_on) if cell.plan.trained_on is not None else None
        key = json.dumps([cell.identity, trained])
        if (same := first.setdefault(key, cell.name)) != cell.name:
            problems.add(
                f"cells {same} and {cell.name} are the same run: exclude one of them, or give two models two names"
            )

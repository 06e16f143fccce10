"""Folder of a campaign: what was asked, and the folders of the runs of its cells."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.errors import RunFolderError
from ictbench.runs.folder_lock import lock_folder
from ictbench.runs.run_folder import write_atomically
from ictbench.safe_read import parse_json, read_bytes, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ictbench.campaigns.plan_campaign import CampaignPlan

CAMPAIGN_SCHEMA = "ictbench.campaign/1"
CONFIG = "campaign.json"
MAX_CONFIG_BYTES, MAX_CONFIG_VALUES = 200_000_000, 5_000_000
ADDRESS = "_base_url"
"""End of the names of options that are left out, as in run.json: addresses may hold secrets, and may change."""
MAX_CHANGES = 5
"""Changes that the refusal of a changed file names."""


@dataclass(frozen=True, slots=True)
class CampaignFolder:
    """Paths of the files of a campaign."""

    path: Path

    @property
    def config(self) -> Path:
        """What was asked: name, axes, and every cell with its options and its identity."""
        return self.path / CONFIG

    @property
    def ledger(self) -> Path:
        """What all sessions took and spent, in an SQLite file."""
        return self.path / "ledger.sqlite"

    @property
    def log(self) -> Path:
        """Log of all cells in all sessions."""
        return self.path / "campaign.log"

    @property
    def results(self) -> Path:
        """Results of all complete cells in one file, schema `ictbench.campaign-results/1`."""
        return self.path / "results.json"

    @property
    def tables(self) -> Path:
        """The long table, and the pairwise comparisons, as CSV, Markdown and Parquet."""
        return self.path / "tables"

    @property
    def summary(self) -> Path:
        """State of the cells, the table, comparisons and verdicts, as Markdown."""
        return self.path / "report.md"

    def cell(self, name: str) -> Path:
        """Return the folder of a cell, which is the folder of an ordinary run."""
        return self.path / "cells" / name

    def claim(self, plan: CampaignPlan) -> IO[str]:
        """Create the folder, or check that it holds the same campaign; hold its lock until the file is closed.

        Raises:
            RunFolderError: The folder cannot be written, holds something else or another campaign, or is in use.
        """
        lock = lock_folder(self.path, CONFIG, kind="campaign")
        try:
            asked = what_is_asked(plan)
            if self.config.exists():
                self.check(asked)
            else:
                shared = json.loads(json.dumps(dict(plan.file.shared), default=_name_of))
                config = {"schema": CAMPAIGN_SCHEMA, "ictbench": __version__, "shared": shared, **asked}
                write_atomically(self.config, json.dumps(config, indent=1, ensure_ascii=False) + "\n")
        except BaseException:
            lock.close()
            raise
        return lock

    def check(self, asked: Mapping[str, Any]) -> None:
        """Check that the folder holds the campaign that is asked for.

        Raises:
            RunFolderError: It does not; the message says what changed.
        """
        changes = list(_changes(self.read_config(), asked))
        if changes:
            shown = "; ".join(changes[:MAX_CHANGES])
            more = f"; and {len(changes) - MAX_CHANGES} more changes" if len(changes) > MAX_CHANGES else ""
            raise RunFolderError(
                f"{self.path} holds another campaign: the file has changed since, or another file has the same name. "
                f"The differences: {shown}{more}; undo the changes, or choose another name or --out"
            )

    def read_config(self) -> dict[str, Any]:
        """Return what was asked.

        Raises:
            RunFolderError: The folder is not that of a campaign, or the file cannot be read.
        """
        if not os.path.lexists(self.config):
            raise RunFolderError(f"{self.path} is not the folder of a campaign: it has no {CONFIG}")
        with reading(RunFolderError):
            config = parse_json(read_bytes(self.config, MAX_CONFIG_BYTES), str(self.config), MAX_CONFIG_VALUES)
        if not isinstance(config, dict) or config.get("schema") != CAMPAIGN_SCHEMA:
            raise RunFolderError(
                f"{self.config} is not of schema {CAMPAIGN_SCHEMA}: another version of ictbench wrote it"
            )
        if not _is_whole(config):
            raise RunFolderError(f"{self.config} is damaged; restore it, or choose another --out")
        return config


def _is_whole(config: Mapping[str, Any]) -> bool:
    """Return whether a configuration has all parts."""
    cells = config.get("cells")
    return (
        all(isinstance(config.get(name), str) for name in ("name", "description"))
        and isinstance(cells, dict)
        and all(
            isinstance(cell, dict)
            and all(isinstance(cell.get(part), dict) for part in ("values", "options", "identity"))
            for cell in cells.values()
        )
        and all(re.fullmatch(r"[\w.+,=-]+", name, re.ASCII) and name.strip(".") for name in cells)
    )


def what_is_asked(plan: CampaignPlan) -> dict[str, Any]:
    """Return what campaign.json says of a plan, as plain JSON. Limits and workers may change, and are left out."""
    asked = {
        "name": plan.name,
        "description": plan.file.description,
        "axes": list(plan.file.axes),
        "cells": {
            cell.name: {
                "values": dict(cell.cell.labels),
                "options": {name: value for name, value in cell.cell.options.items() if not name.endswith(ADDRESS)},
                "identity": cell.identity,
            }
            for cell in plan.cells
        },
    }
    plain: dict[str, Any] = json.loads(json.dumps(asked, default=_name_of))
    return plain


def _name_of(value: Any) -> str:
    """Return the name of a class, or a value as text."""
    return f"{value.__module__}:{value.__qualname__}" if isinstance(value, type) else str(value)


def _changes(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between the recorded campaign and the one that is asked for; texts about it may change."""
    before, after = there.get("cells", {}), here["cells"]
    yield from (f"cell {name} is no longer asked for" for name in before if name not in after)
    yield from (f"cell {name} is new" for name in after if name not in before)
    seen: set[str] = set()
    for name in after:
        if name not in before:
            continue
        one, other = before[name].get("identity", {}), after[name]["identity"]
        for field in dict.fromkeys((*one, *other)):
            if one.get(field) != other.get(field):
                change = f"{field} was {_short(one.get(field))} and is {_short(other.get(field))}"
                if change not in seen:
                    seen.add(change)
                    yield f"in cell {name}, {change}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "..."

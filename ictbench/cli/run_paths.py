"""Runs that paths on the command line name: folders of runs and campaigns, files of results."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CAMPAIGN = "campaign.json"
FOLDER_FILES = (CAMPAIGN, "run.json", "result.json")
"""Files of which the folder of a campaign or a run has one at least."""


def runs_in(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield runs as they are, and the cells of campaigns that have a result; name the others."""
    from ictbench.errors import ConfigError
    from ictbench.runs.run_folder import RunFolder

    for path in paths:
        if path.is_dir() and not any((path / name).exists() for name in FOLDER_FILES):
            raise ConfigError(f"{path} is neither the folder of a campaign nor that of a run; name one of them")
        if not path.exists():
            raise ConfigError(f"there is no {path}; name the folder of a campaign or of a run, or the file of a result")
        if not (path / CAMPAIGN).exists():
            yield path
            continue
        cells = [RunFolder(cell) for cell in sorted((path / "cells").glob("*"))]
        finished = [cell.path for cell in cells if cell.result.exists()]
        if not finished:
            raise ConfigError(f"no cell of campaign {path} has a result yet; run the campaign to its end")
        for cell in cells:
            if cell.path not in finished:
                print(f"{cell.path} has no result yet; continue the campaign", file=sys.stderr)
        yield from finished

"""Files that sum a campaign up: results, long table, comparisons, verdicts, report."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

from ictbench.campaigns.campaign_results import write_results
from ictbench.campaigns.campaign_summary import summary_markdown
from ictbench.campaigns.campaign_table import long_table
from ictbench.campaigns.cell_comparisons import compare_cells, pairs_table
from ictbench.campaigns.cell_state import recorded_state
from ictbench.campaigns.learned_cells import judge_cells
from ictbench.errors import ResultError
from ictbench.results.table_text import csv_text, markdown_of
from ictbench.runs.api import Run
from ictbench.runs.run_folder import RunFolder, write_atomically
from ictbench.web.report import write_report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

    from ictbench.campaigns.campaign_folder import CampaignFolder
    from ictbench.results import Result

EPISODES = 20_000
"""Maximum trajectories in the page, over all cells."""
MOST_RUNS = 40
"""Maximum runs that a page shows side by side; more cells make more pages."""

log = logging.getLogger(__name__)


def write_campaign(folder: CampaignFolder) -> None:
    """Write all files that follow from the runs of the cells.

    Raises:
        RunFolderError: A file cannot be written, or the folder is damaged.
        ResultError: A result is damaged.
    """
    config = folder.read_config()
    states = {name: recorded_state(folder.cell(name)) for name in config["cells"]}
    results: dict[str, Result] = {}
    for name in config["cells"]:
        try:
            results |= complete_results(folder, [name])
        except ResultError as error:
            # The summary shows that the cell has no result; its next session writes it again.
            log.warning("cell %s: %s", name, error)
            states[name] = "started", states[name][1]
    values = {name: cell["values"] for name, cell in config["cells"].items()}
    write_results(folder.results, config["name"], results)
    pairs, verdicts = compare_cells(results), judge_cells(results)
    folder.tables.mkdir(exist_ok=True)
    write_table(folder.tables, "cells", long_table(results, values))
    write_table(folder.tables, "comparisons", pairs_table(pairs))
    learned = [verdict.model_dump(mode="json") for verdict in verdicts]
    write_atomically(folder.path / "learned.json", json.dumps(learned, indent=1, ensure_ascii=False) + "\n")
    write_atomically(folder.summary, summary_markdown(config, states, results, report_pages(results), pairs, verdicts))
    _write_report(folder, results)


def report_pages(cells: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the pages of the report by name, each with the complete cells that it shows side by side."""
    names = tuple(cells)
    groups = (names[first : first + MOST_RUNS] for first in range(0, len(names), MOST_RUNS))
    return {f"report{'' if number == 1 else f'-{number}'}.html": group for number, group in enumerate(groups, 1)}


def complete_results(folder: CampaignFolder, cells: Iterable[str] | None = None) -> dict[str, Result]:
    """Return the results of the complete cells, by name.

    Args:
        folder: The folder of the campaign.
        cells: Names of the cells; None for all.

    Raises:
        ResultError: A result is damaged.
    """
    names = folder.read_config()["cells"] if cells is None else cells
    runs = {name: Run(folder.cell(name)) for name in names if RunFolder(folder.cell(name)).result.exists()}
    return {name: run.result for name, run in runs.items() if run.is_complete}


def write_table(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write a table as CSV, Markdown, and Parquet where pyarrow is installed."""
    write_atomically(folder / f"{name}.csv", csv_text(table))
    write_atomically(folder / f"{name}.md", markdown_of(table) + "\n")
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        log.info("%s.parquet is not written: pyarrow is not installed (pip install 'ictbench[datasets]')", name)
        return
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_atomically(folder / f"{name}.parquet", buffer.getvalue())


def _write_report(folder: CampaignFolder, results: dict[str, Result]) -> None:
    for page, cells in report_pages(results).items():
        shown = [folder.cell(name) for name in cells]
        write_report(shown, folder.path / page, episodes=max(1, EPISODES // len(results)))

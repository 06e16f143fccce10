"""Runs: loops driven on an engine, recorded in a folder, resumable."""

from ictbench.runs.api import Run, dry_run, load_result, load_run, run
from ictbench.runs.progress import Progress
from ictbench.runs.sync_player import EpisodePlayer

__all__ = ["EpisodePlayer", "Progress", "Run", "dry_run", "load_result", "load_run", "run"]

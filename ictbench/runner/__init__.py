"""Runs: loops driven on an engine, recorded in a folder, resumable."""

from ictbench.runner.api import Run, dry_run, load_result, load_run, run
from ictbench.runner.episode_player import EpisodePlayer
from ictbench.runner.progress import Progress
from ictbench.runner.report import write_report

__all__ = ["EpisodePlayer", "Progress", "Run", "dry_run", "load_result", "load_run", "run", "write_report"]

"""Plays episodes: one, or many at once."""

from ictbench.engine.executor import Executor, Priority
from ictbench.engine.inline import InlineExecutor
from ictbench.engine.worker import EpisodeWorker

__all__ = ["EpisodeWorker", "Executor", "InlineExecutor", "Priority"]

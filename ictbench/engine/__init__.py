"""Plays episodes: one, or many at once."""

from ictbench.engine.executor import Executor, Priority
from ictbench.engine.fleet import Fleet
from ictbench.engine.inline import InlineExecutor
from ictbench.engine.process import ProcessStarter, cores
from ictbench.engine.ray_cluster import RayStarter
from ictbench.engine.worker import EpisodeWorker

__all__ = [
    "EpisodeWorker",
    "Executor",
    "Fleet",
    "InlineExecutor",
    "Priority",
    "ProcessStarter",
    "RayStarter",
    "cores",
]

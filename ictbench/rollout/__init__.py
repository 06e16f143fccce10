"""Plays episodes: one, or many at once."""

from ictbench.rollout.executor import Executor, Priority
from ictbench.rollout.inline import InlineExecutor
from ictbench.rollout.make_executor import ExecutorName, make_executor
from ictbench.rollout.remote.process_starter import ProcessStarter, cores
from ictbench.rollout.remote.ray_starter import RayStarter
from ictbench.rollout.remote.worker_pool import WorkerPool
from ictbench.rollout.worker import EpisodeWorker

__all__ = [
    "EpisodeWorker",
    "Executor",
    "ExecutorName",
    "InlineExecutor",
    "Priority",
    "ProcessStarter",
    "RayStarter",
    "WorkerPool",
    "cores",
    "make_executor",
]

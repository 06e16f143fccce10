"""Rollouts: one episode, a worker with many episodes in flight, and executors that distribute episodes to workers."""

from ictbench.rollout.executor import Executor, Priority
from ictbench.rollout.inline import InlineExecutor
from ictbench.rollout.remote.process_starter import ProcessStarter, cores
from ictbench.rollout.remote.ray_starter import RayStarter
from ictbench.rollout.remote.worker_pool import WorkerPool
from ictbench.rollout.worker import EpisodeWorker

__all__ = [
    "EpisodeWorker",
    "Executor",
    "InlineExecutor",
    "Priority",
    "ProcessStarter",
    "RayStarter",
    "WorkerPool",
    "cores",
]

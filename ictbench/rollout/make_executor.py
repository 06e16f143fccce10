"""Choice of an executor by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ictbench.rollout.inline import InlineExecutor
from ictbench.rollout.remote.process_starter import ProcessStarter, cores
from ictbench.rollout.remote.ray_starter import RayStarter
from ictbench.rollout.remote.worker_pool import WorkerPool
from ictbench.rollout.worker import EpisodeWorker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ictbench.models import ModelPool, UsageMeter
    from ictbench.rollout.executor import Executor

ExecutorName = Literal["inline", "process", "ray"]


async def make_executor(
    name: ExecutorName,
    models: ModelPool,
    meter: UsageMeter,
    *,
    workers: int | None,
    env_timeout: float,
    cache: Path | None = None,
    ray_address: str | None = None,
    worker_resources: Mapping[str, float] | None = None,
) -> Executor:
    """Return the executor called `name`.

    Args:
        name: `inline` plays in this process, `process` in worker processes, `ray` on a Ray cluster.
        models: Models that exist once, for all workers.
        meter: Limits on all requests to models.
        workers: Number of workers; None for one a core, or as many as the cluster has room for.
        env_timeout: Seconds that an environment may take for one call before its worker is replaced; not `inline`.
        cache: Path of the response cache.
        ray_address: See `RayStarter`.
        worker_resources: See `RayStarter`.

    Raises:
        MissingExtraError: Ray is not installed.
        WorkerError: There is no such cluster, or it has no room for a worker.
    """
    if name == "inline":
        return InlineExecutor(EpisodeWorker(models))
    if name == "process":
        return WorkerPool(ProcessStarter(models, meter, cache), workers or cores(), env_timeout)
    starter = RayStarter(models, meter, ray_address, worker_resources)
    # Also with a given number of workers: a run on a cluster without room for any would wait for ever.
    room = await starter.workers()
    return WorkerPool(starter, workers or room, env_timeout)

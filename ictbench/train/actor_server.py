"""One model server per machine for the actor of a training of several processes."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, IctbenchError
from ictbench.models.model_options import EXTRA_BODY
from ictbench.models.providers.custom import open_model
from ictbench.models.servers.local_model import LocalModel
from ictbench.plugins import resolve
from ictbench.runs.sync_loop import run_on_portal, start_portal
from ictbench.train.processes import Processes, fail_together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.models.servers.local_model import Endpoint
    from ictbench.records import ModelSpec
    from ictbench.runs.plan import RunPlan

START_LIMIT = timedelta(hours=1)
"""Longest time that the other processes wait for a server."""


@dataclass(frozen=True, slots=True)
class Started:
    """What the process that launches the server tells the others."""

    endpoint: Endpoint | None = None
    problem: str = ""


@contextmanager
def shared_actor_server(plan: RunPlan, *, on_cpu: bool) -> Iterator[RunPlan]:
    """Launch the actor's server in one process per machine, and yield the plan by which all processes use it.

    The plan is yielded as it is if there is one process, or if the actor needs no launched server.

    Args:
        plan: The plan of the reward episodes.
        on_cpu: Whether the training uses no GPU.

    Raises:
        InfrastructureError: The server of a machine does not start.
    """
    processes, spec = Processes.from_environment(), plan.actor.model
    if spec is None or processes.count == 1 or not _is_launched(spec):
        yield plan
        return
    from accelerate import PartialState
    from accelerate.utils import gather_object

    # The trainer continues with this process group.
    PartialState(cpu=on_cpu, timeout=START_LIMIT)
    with ExitStack() as stack:
        started = _start(spec, stack) if processes.local_rank == 0 else Started()
        everywhere: list[Started] = gather_object([started])
        if problem := next((each.problem for each in everywhere if each.problem), None):
            fail_together(problem)
        endpoint = everywhere[processes.rank - processes.local_rank].endpoint
        if endpoint is None:
            raise ConfigError("the launcher numbers the processes of a machine otherwise than RANK - LOCAL_RANK says")
        if endpoint.key:
            os.environ[endpoint.key_variable] = endpoint.key
        options = {name: value for name, value in spec.options.items() if name == EXTRA_BODY}
        served = spec.model_copy(update={"model": endpoint.model, "base_url": endpoint.url, "options": options})
        yield replace(plan, actor=plan.actor.model_copy(update={"model": served}))


def _is_launched(spec: ModelSpec) -> bool:
    return isinstance(model := open_model(resolve("model", spec.provider), spec), LocalModel) and not model.is_remote


def _start(spec: ModelSpec, stack: ExitStack) -> Started:
    """Launch the server until `stack` is closed."""
    try:
        portal = stack.enter_context(start_portal())
        model = open_model(resolve("model", spec.provider), spec)
        assert isinstance(model, LocalModel)
        stack.callback(run_on_portal, portal, model.aclose)
        run_on_portal(portal, model.start)
        return Started(endpoint=model.endpoint)
    except IctbenchError as error:
        return Started(problem=f"the server of the actor does not start: {error}")

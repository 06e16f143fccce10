"""The processes of a training, as `accelerate launch` or torchrun started them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NoReturn

from ictbench.errors import InfrastructureError


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that `accelerate launch` or torchrun started."""

    rank: int
    count: int
    local_rank: int
    local_count: int
    """Processes on this machine."""

    @classmethod
    def from_environment(cls) -> Processes:
        """Return what the launcher's variables say: one process without a launcher."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        return cls(
            rank=int(os.environ.get("RANK", "0")),
            count=count,
            local_rank=int(os.environ.get("LOCAL_RANK", "0")),
            local_count=int(os.environ.get("LOCAL_WORLD_SIZE", str(count))),
        )

    def share(self, total: int) -> int:
        """Return the share of this process in a number that all processes share, at least 1."""
        return max(1, total // self.count)

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0


def fail_together(problem: str) -> NoReturn:
    """End a process because of a problem that all processes know: only the first one reports it.

    Raises:
        InfrastructureError: In the first process.
        SystemExit: In the others.
    """
    if Processes.from_environment().is_first:
        raise InfrastructureError(problem)
    raise SystemExit(1)

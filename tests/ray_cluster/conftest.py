"""A real Ray cluster of several nodes on this machine."""

from __future__ import annotations

import faulthandler
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}

import faulty_plugins
import pytest
from ray.cluster_utils import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """End the tests with a traceback if a cluster hangs."""
    faulthandler.dump_traceback_later(240, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start a head node that plays nothing, and two nodes with room for one worker each."""
    with pytest.MonkeyPatch.context() as patch:
        # Makes a user's own classes importable on every node.
        patch.setenv("PYTHONPATH", str(Path(faulty_plugins.__file__).parent), prepend=os.pathsep)
        cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        yield cluster
        cluster.shutdown()

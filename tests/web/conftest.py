from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.results import Result
from ictbench.web.report import ReportSource

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    """A small run: two families of different roles, three loops, two turns, audited."""
    return ictbench.run(
        suite="minihack-v1",
        families="room-random,read",
        audit=True,
        turns=2,
        batch_size=2,
        loops=3,
        selection_size=3,
        test_size=4,
        out=tmp_path_factory.mktemp("run") / "small",
    )


@pytest.fixture(scope="session")
def source(run: ictbench.Run) -> ReportSource:
    """The run with all its episodes."""
    return ReportSource("small", run.result, lambda: map(run.episode, run.episode_keys()))


@pytest.fixture
def edited(source: ReportSource) -> Callable[[Callable[[Any], None]], ReportSource]:
    """A function that returns the run with the JSON of its result edited in place."""

    def edited(edit: Callable[[Any], None]) -> ReportSource:
        plain = json.loads(source.result.to_json())
        edit(plain)
        return ReportSource(source.name, Result.model_validate_json(json.dumps(plain)), source.episodes)

    return edited

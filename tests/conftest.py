"""What the tests of the leaderboard share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from honest import honest_run, honest_submission

if TYPE_CHECKING:
    from pathlib import Path

    import ictbench
    from ictbench.submissions.layout import SubmissionFolder


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes that run tests at the same time."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "leaderboard"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def run(shared_folder: Path) -> ictbench.Run:
    """An honest run that a board ranks."""
    return honest_run(shared_folder)


@pytest.fixture(scope="session")
def honest(shared_folder: Path) -> SubmissionFolder:
    """Its submission."""
    return honest_submission(shared_folder)

"""Fixtures shared by all tests, and by those of submissions, audit and board."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from honest import honest_run, honest_submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import ictbench
    from ictbench.submissions.layout import SubmissionFolder


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Let Ctrl-C reach the programs that tests start, also where a background job inherited that it is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def one_worker() -> Iterator[None]:
    """Give a run one worker process unless the test asks for more: pytest-xdist already uses all cores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ictbench.runs.engine.cores", lambda: 1)
        yield


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder for all test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "leaderboard"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def run(shared_folder: Path) -> ictbench.Run:
    """Return an honest run that a board ranks."""
    return honest_run(shared_folder)


@pytest.fixture(scope="session")
def honest(shared_folder: Path) -> SubmissionFolder:
    """Return the submission of the honest run."""
    return honest_submission(shared_folder)

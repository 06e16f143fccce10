"""An honest run and its submission, created once and shared by all tests and test processes."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

from optimised import propose
from recalled_rules import RECALLED_RULES

import ictbench
from ictbench.board.examine import check_submission
from ictbench.submissions.build_submission import draft, submit
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.metadata import Statement
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.records import Division

SUITE, SLUG = "minihack-v1", "scripted-pair"
STATEMENT = Statement(name="Scripted pair", description="Rules.", submitted_by="The authors")


def honest_run(folder: Path) -> ictbench.Run:
    """Return the smallest run that a board ranks: the scripted pair, lite profile, held-out families."""
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "run/result.json").exists():
            return ictbench.load_run(folder / "run")
        return ictbench.run(suite=SUITE, profile="lite", families="held-out", out=folder / "run")


def honest_memory_submission(folder: Path) -> SubmissionFolder:
    """Return the submission of a run of `RecalledRules`, a learner with a memory, on a board of its own."""
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        submission = BoardFolder(folder / "memory" / SUITE).submission(SLUG)
        if not submission.path.exists():
            run = ictbench.run(
                suite=SUITE,
                profile="lite",
                families="held-out",
                actor="rules",
                reflector=RECALLED_RULES,
                out=folder / "memory-run",
            )
            submit(draft(run, folder / "memory", STATEMENT, trust_code=True), check_submission, git=False)
        return submission


def honest_optimiser_submission(folder: Path) -> SubmissionFolder:
    """Return the submission of a run of `gepa-loop`, whose model is scripted, on a board of its own."""
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        submission = BoardFolder(folder / "optimiser" / SUITE).submission(SLUG)
        if not submission.path.exists():
            with ScriptedServer(propose, model="m") as server:
                run = ictbench.run(
                    suite=SUITE,
                    profile="lite",
                    families="held-out",
                    actor="rules",
                    reflector="gepa-loop:openai/m",
                    reflector_base_url=server.url,
                    reflector_trained_on="nothing",
                    out=folder / "optimiser-run",
                )
            statement = STATEMENT.model_copy(update={"reflector_weights": "closed"})
            submit(draft(run, folder / "optimiser", statement), check_submission, git=False)
        return submission


def honest_submission_of(division: Division, folder: Path) -> SubmissionFolder:
    """Return the honest submission of a learner of a division."""
    made = {
        "reflector": honest_submission,
        "memory": honest_memory_submission,
        "optimiser": honest_optimiser_submission,
    }
    return made[division](folder)


def honest_submission(folder: Path) -> SubmissionFolder:
    """Return the submission of the honest run, on a board without other entries."""
    run = honest_run(folder)
    boards = folder / "leaderboards"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        submission = BoardFolder(boards / SUITE).submission(SLUG)
        if not submission.path.exists():
            submit(draft(run, boards, STATEMENT), check_submission, git=False)
        return submission

"""State of a run on disk: whether it is running, paused or complete, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ictbench.records import Usage
from ictbench.runs.folder_lock import is_locked
from ictbench.runs.unfinished import recorded_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.runs.journal import Journal
    from ictbench.runs.run_folder import RunFolder

Status = Literal["running", "paused", "complete"]


@dataclass(frozen=True, slots=True)
class RunState:
    """Counts of a run. A paused run is one that no process plays and that is not complete."""

    status: Status
    turns_done: Mapping[str, int]
    """Finished turns by family, over all its loops."""
    turns: int
    """Planned turns of each family."""
    episodes: int
    """Recorded episodes; each counts once."""
    max_episodes: int
    """Upper bound on the episodes of the run; equal prompts are played once."""
    spent: Usage
    started: str | None
    """Start of the first session, ISO 8601."""
    seconds: float
    """Seconds of all ended sessions."""

    @property
    def in_words(self) -> str:
        """One line: status, turns, episodes."""
        done, planned = sum(self.turns_done.values()), self.turns * len(self.turns_done)
        counts = (
            f"{done} of {planned} turns and {self.episodes:,} of at most {self.max_episodes:,} episodes are recorded"
        )
        return f"The run is {self.status}: {counts}."


def read_state(folder: RunFolder, journal: Journal) -> RunState:
    """Return the state of a run.

    Raises:
        RunFolderError: The folder does not hold the plan of the run, or is damaged.
    """
    plan, _ = recorded_plan(folder, journal)
    status: Status = "running" if is_locked(folder.path) else "complete" if journal.get("complete") else "paused"
    done = journal.turns_done()
    return RunState(
        status=status,
        turns_done={family: done.get(family, 0) for family in plan.families},
        turns=plan.sizes.loops * plan.sizes.turns,
        episodes=journal.count(),
        max_episodes=plan.episode_bounds()["episodes"],
        spent=Usage.model_validate(journal.get("spent", {})),
        started=journal.get("started"),
        seconds=journal.get("seconds", 0.0),
    )

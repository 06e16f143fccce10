"""Control: puts the raw trajectories of solved episodes into the prompt, without reflection.

After Sarukkai et al., *Self-Generated In-Context Examples Improve LLM Agents for Sequential Decision-Making Tasks*
(arXiv 2505.00234): the agent's own successful trajectories are its examples. The paper retrieves examples per task.
Here one prompt serves all tasks of a family, so it holds the newest successful trajectories that fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.reflectors.controls.icl import IclReflector

if TYPE_CHECKING:
    from ictbench.records import Trajectory


class RetrievalReflector(IclReflector):
    """Appends the newest successful trajectories that fit to `prompt[0]`."""

    def accepts(self, trajectory: Trajectory) -> bool:
        """Return whether the episode was solved."""
        return trajectory.solved

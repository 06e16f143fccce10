"""The control that shows successes and says nothing.

As in Sarukkai et al., *Self-Generated In-Context Examples Improve LLM Agents for Sequential Decision-Making Tasks*
(arXiv 2505.00234): the agent's own successful trajectories are its examples. There they are looked up task by task;
here one prompt serves all tasks of a family, so it holds the newest of them that fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.reflectors.controls.icl import IclReflector

if TYPE_CHECKING:
    from ictbench.records import Trajectory


class RetrievalReflector(IclReflector):
    """Puts the newest successful trajectories that fit below prompt[0]."""

    def is_shown(self, trajectory: Trajectory) -> bool:
        """Whether the episode was solved."""
        return trajectory.solved

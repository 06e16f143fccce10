"""A trajectory whose outcome is hidden."""

from __future__ import annotations

from ictbench.records import End, Trajectory


class UnlabelledTrajectory(Trajectory):
    """The beginning of an episode. Texts for a model leave its outcome out; for programs, it is not solved."""

    end: End = "step_limit"
    """The same for all, whatever happened."""

"""Records of a comparison: differences of one arm from a reference, by family and in the mean."""

from __future__ import annotations

from typing import Literal

from ictbench.records import Record, Role
from ictbench.results.pairing import Measure
from ictbench.results.schema import Interval


class Difference(Record):
    """One family, or the mean over families of one role, in two runs."""

    family: str | None
    """None for a mean over families."""
    role: Role
    families: int
    loops: int
    """Loops that were paired, over all families."""
    reference: float
    other: float
    difference: Interval
    """Other minus reference."""
    p: float
    """Of sign flips of whole loops, two-sided."""
    p_corrected: float
    """After Holm: over all families and arms, or, for a mean over families, over all arms."""
    smallest_p: float
    """What these sizes allow, before correction."""
    wins: int
    """Tasks that the other solved and the reference did not; a description, no test."""
    ties: int
    losses: int

    @property
    def name(self) -> str:
        """Of the family, or the role whose families the mean is of."""
        return self.family or f"mean {self.role}"


class Arm(Record):
    """One run, compared with the reference."""

    label: str
    not_comparable: tuple[str, ...]
    """Why it may not be compared, if it was all the same, by force."""
    families: tuple[Difference, ...]
    means: tuple[Difference, ...]
    """One a role, held-out first."""
    over: dict[str, Interval]
    """Best of a reflector minus best of the same one wrapped, by the wrapper's name, where one of the two is that."""
    verdict: tuple[str, ...]
    """What can be concluded and what cannot, in words."""

    @property
    def rows(self) -> tuple[Difference, ...]:
        """Families, then means."""
        return (*self.families, *self.means)

    @property
    def over_blind(self) -> Interval | None:
        """Best minus best of the same reflector without trajectories, where one of the two is that of the other."""
        return self.over.get("blind")


class Comparison(Record):
    """Runs compared with the first of them."""

    measure: Measure
    reference: str
    suite: str
    games: Literal["over loops", "for these games"]
    """What intervals speak of, as in a result."""
    arms: tuple[Arm, ...]

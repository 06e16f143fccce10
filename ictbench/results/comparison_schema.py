"""Records of a comparison: differences of each arm from the reference, by family and on average."""

from __future__ import annotations

from typing import Literal

from ictbench.records import Record, Role
from ictbench.results.html_table import html_table, interval_text
from ictbench.results.pairing import Measure
from ictbench.results.schema import Interval


class Difference(Record):
    """Difference of an arm from the reference in one family, or on average over the families of one role."""

    family: str | None
    """None for the mean over families."""
    role: Role
    families: int
    loops: int
    """Number of paired loops, over all families."""
    reference: float
    other: float
    difference: Interval
    """Other minus reference."""
    p: float
    """Two-sided p-value: sign flips of whole loops, or the crossed t test if loops share their games."""
    p_corrected: float
    """After Holm: over all families and arms; for a mean over families, over all arms."""
    smallest_p: float
    """Smallest p-value that these sizes allow, before correction."""
    wins: int
    """Tasks that the arm solved and the reference did not, or in more of their repeats: descriptive, no test."""
    ties: int
    losses: int

    @property
    def name(self) -> str:
        """Name of the family, or of the mean with its role."""
        return self.family or f"mean {self.role}"


class Arm(Record):
    """One run, compared with the reference."""

    label: str
    not_comparable: tuple[str, ...]
    """Reasons why the two are not comparable; not empty only if the comparison was forced."""
    families: tuple[Difference, ...]
    means: tuple[Difference, ...]
    """One per role, held-out first."""
    over: dict[str, Interval]
    """By name of a wrapper: best of a reflector minus best of the same reflector wrapped, if these are the two runs."""
    verdict: tuple[str, ...]
    """Sentences on what can be concluded and what cannot."""

    @property
    def rows(self) -> tuple[Difference, ...]:
        """Families, then means."""
        return (*self.families, *self.means)

    @property
    def over_blind(self) -> Interval | None:
        """Best minus best of the same reflector without trajectories; None unless these are the two runs."""
        return self.over.get("blind")


class Comparison(Record):
    """Runs compared with a reference run."""

    measure: Measure
    reference: str
    suite: str
    games: Literal["over loops", "for these games"]
    """Scope of the intervals, as in a result."""
    arms: tuple[Arm, ...]

    def _repr_html_(self) -> str:
        rows = [
            (
                arm.label,
                row.name,
                f"{row.reference:.2f}",
                f"{row.other:.2f}",
                interval_text(row.difference.value, row.difference.low, row.difference.high, sign=True),
                f"{row.p_corrected:.3f}",
            )
            for arm in self.arms
            for row in arm.rows
        ]
        columns = ("run", "family", self.reference, "run's", "difference [95 %]", "corrected p")
        verdicts = [line for arm in self.arms for line in arm.verdict]
        return html_table(f"{self.measure} on {self.suite}", columns, rows, verdicts)

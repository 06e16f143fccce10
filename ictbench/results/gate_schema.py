"""Records of the gate: whether a reflector learned from experience, by family and on average."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ictbench.records import Record
from ictbench.results.schema import Interval

Requirement = Literal[
    "untrained", "blind", "shuffled", "unlabelled", "flipped", "constant", "copy", "copy-last", "copy-commonest"
]
"""Arms that a reflector must beat."""
Conclusion = Literal["learned", "not shown", "undecided", "too few loops"]
Measure = Literal["turns", "last", "best"]
"""Measures of success in which an arm must be beaten."""


class Lead(Record):
    """Success of the reflector minus that of an arm, on the same tasks."""

    difference: Interval
    p: float
    """Two-sided p-value, as in a comparison, without correction."""


class ArmLeads(Record):
    """Leads over one arm in one family, or on average over the held-out families."""

    role: str
    """A requirement, `losses`, or empty for an arm that is reported only."""
    label: str
    by_turn: tuple[Lead, ...]
    """On selection tasks, under prompt[1] … prompt[N]; empty in a brief gate."""
    turns: Lead
    """Mean over the turns, on selection tasks."""
    last: Lead
    """On test tasks, under the last prompts."""
    best: Lead
    """On test tasks, under the prompts that selection chose."""
    not_ahead: tuple[Measure, ...]
    """Measures in which the reflector is not significantly better."""
    beaten: bool
    """Whether the reflector is significantly better in all three measures."""


class FamilyGate(Record):
    """Verdict on one family, or on the mean over the held-out families."""

    family: str | None
    """None for the mean."""
    loops: int
    """Number of loops, over all families."""
    smallest_p: float
    """Smallest p-value that these loops allow."""
    gain: Lead
    """Best prompt minus prompt[0], on test tasks."""
    last_gain: Lead
    """Last prompt minus prompt[0], on test tasks."""
    growth: Lead
    """Success after the last turn minus after the first one, on selection tasks."""
    arms: tuple[ArmLeads, ...]
    conclusion: Conclusion
    called: str
    """What the reflector may be called in this family, in words."""

    @property
    def name(self) -> str:
        """Name of the family, or of the mean."""
        return self.family or "mean held-out"


class MissingArm(Record):
    """A required arm that was not given."""

    role: Requirement
    reason: str
    arguments: tuple[str, ...] = Field(default=(), exclude_if=lambda words: not words)
    """Options of `ictbench run`, besides those of the same setup, that play it; empty if no command can."""


class TextFitness(Record):
    """Whether learning can be shown on the text that a reflector reads."""

    text: str
    """Digest that the scripts must read, e.g. `events`."""
    score: float | None
    """Highest success on meta-train families, over turns, of a script that reads it and ignores outcomes; None if
    unknown."""
    fit: bool


class Gate(Record):
    """Whether a reflector learned from experience."""

    reflector: str
    suite: str
    fitness: TextFitness
    notes: tuple[str, ...] = ()
    """What a reader must know to judge the comparison."""
    missing: tuple[MissingArm, ...]
    families: tuple[FamilyGate, ...]
    """Held-out families; with fewer than six loops, no verdict is passed on one family."""
    mean: FamilyGate | None
    """None in a brief gate that judges single families."""

    @property
    def learned(self) -> bool:
        """Whether a family shows learning, or the mean where single families are not judged."""
        return any(family.conclusion == "learned" for family in self.judged)

    @property
    def judged(self) -> tuple[FamilyGate, ...]:
        """Families that have enough loops; the mean if none has."""
        judged = tuple(family for family in self.families if family.conclusion != "too few loops")
        return judged or ((self.mean,) if self.mean else ())

"""What a board needs of a submission's result: everything but its loops, and what follows from them.

The loops are most of a result. A board with many entries reads them once, and remembers what follows.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from ictbench.board.conflicts import content_digest
from ictbench.records import Division, Record, digest_of
from ictbench.results.comparability import setup_of
from ictbench.results.notes import remarks
from ictbench.results.outcomes import Outcomes as FamilyOutcomes
from ictbench.results.outcomes import is_constant, outcomes_by_prompt
from ictbench.results.schema import FamilyResult, Result
from ictbench.submissions.known_players import division_of

if TYPE_CHECKING:
    Outcomes = dict[str, FamilyOutcomes]
    """By held-out family."""


class RecordedOutcomes(Record):
    """Outcomes of one family as plain values."""

    values: dict[str, tuple[tuple[float, ...], ...]]
    kept: dict[str, tuple[bool, ...]]

    @classmethod
    def of(cls, outcomes: FamilyOutcomes) -> RecordedOutcomes:
        """Return the outcomes as plain values."""
        plain: dict[str, Any] = {
            "values": {prompt: values.tolist() for prompt, values in outcomes.values.items()},
            "kept": {prompt: kept.tolist() for prompt, kept in outcomes.kept.items()},
        }
        return cls.model_validate(plain)

    def arrays(self, *, constant: bool) -> FamilyOutcomes:
        """Return the outcomes as arrays."""
        values = {prompt: np.array(rows) for prompt, rows in self.values.items()}
        return FamilyOutcomes(values, {prompt: np.array(kept) for prompt, kept in self.kept.items()}, constant)


class EntryFacts(Record):
    """What follows from a result."""

    # Its validator turns JSON into Python lists, which a strict reading of tuples would refuse.
    result: Annotated[Result, BeforeValidator(Result.model_validate)]
    """The result, with empty loops."""
    checksum: str
    """Checksum of the whole result."""
    content: str | None
    """Digest of what was played (`content_digest`)."""
    track: str
    """Digest of everything but the reflector (`track_key`)."""
    division: Division
    """Division in which its reflector is ranked (`division_of`)."""
    experience: float
    """Episodes of experience per loop, held-out families: those of the batches, and those that the reflector played."""
    loops: dict[str, int]
    """Number of loops, by family."""
    outcomes: dict[str, RecordedOutcomes]
    """Outcomes on test tasks, by held-out family."""
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, result: Result) -> EntryFacts:
        """Return what follows from a whole result."""
        empty = [family.model_copy(update={"loops": ()}) for family in result.families]
        return cls(
            result=result.model_copy(update={"families": tuple(empty)}),
            checksum=result.checksum,
            content=content_digest(result),
            track=track_key(result),
            division=division_of(result),
            experience=_experience(result),
            loops={family.name: len(family.loops) for family in result.families},
            outcomes={name: RecordedOutcomes.of(family) for name, family in held_out_outcomes(result).items()},
            remarks=tuple(remarks(result)),
        )

    @property
    def without_loops(self) -> Result:
        """The result; use of the loops of a family raises an AttributeError."""
        families = [FamilyResult.model_construct(**_without(dict(family), "loops")) for family in self.result.families]
        return self.result.model_copy(update={"families": tuple(families)})

    @property
    def held_out_outcomes(self) -> Outcomes:
        """Outcomes on test tasks, by held-out family."""
        constant = is_constant(self.result.reflector)
        return {name: outcomes.arrays(constant=constant) for name, outcomes in self.outcomes.items()}


def held_out_outcomes(result: Result) -> Outcomes:
    """Return the outcomes of the held-out families."""
    constant = is_constant(result.reflector)
    held_out = [family for family in result.families if family.role == "held-out"]
    return {family.name: outcomes_by_prompt(family.loops, constant=constant) for family in held_out}


def track_key(result: Result) -> str:
    """Return a key that is equal for results that differ only by their reflectors."""
    held_out = (family for family in result.families if family.role == "held-out")
    tasks = sorted([family.name, [loop.test_tasks for loop in family.loops]] for family in held_out)
    return digest_of([track_setup(result), tasks], 12)


def track_setup(result: Result) -> dict[str, str]:
    """Return the setup without its families: every entry has all held-out ones, and others do not matter."""
    return {name: value for name, value in setup_of(result).items() if name != "families"}


def _experience(result: Result) -> float:
    loops = [loop for family in result.families if family.role == "held-out" for loop in family.loops]
    episodes = [
        sum(len(batch.tasks) for batch in loop.batches) + sum(len(keys) for keys in loop.replays) for loop in loops
    ]
    return fmean(episodes) if episodes else 0.0


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}

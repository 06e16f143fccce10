"""Conclusions of the gate in sentences, the only ones that reports and boards show."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from ictbench.results.gate_arms import REQUIREMENTS, SCRIPTS
from ictbench.results.gate_leads import is_ahead
from ictbench.results.significance import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.results.gate_schema import ArmLeads, Conclusion, FamilyGate, Gate, Lead, MissingArm

OUTCOMES = frozenset({"unlabelled", "flipped"})
"""Controls of outcomes."""
CONSTANTS = frozenset({"blind", "constant", "shuffled"})
"""Controls that a constant prompt equals."""


class Verdict(NamedTuple):
    """A conclusion, and in words what the reflector may be called."""

    conclusion: Conclusion
    called: str


def conclude(
    gains: Sequence[Lead],
    growth: Lead,
    arms: Sequence[ArmLeads],
    missing: Sequence[MissingArm],
    *,
    smallest_p: float,
    few: bool,
) -> Verdict:
    """Return the verdict on one family or on the mean.

    Args:
        gains: Best and last prompt minus prompt[0].
        growth: Last turn minus first turn.
        arms: Leads over the arms.
        missing: Required arms that were not given.
        smallest_p: Smallest p-value that the loops allow.
        few: Whether there are too few loops for a verdict on one family.
    """
    if few or smallest_p > ALPHA:
        return Verdict("too few loops", "too few loops for a verdict")
    unbeaten: set[str] = {arm.role for arm in arms if arm.role in REQUIREMENTS and not arm.beaten}
    beaten = {arm.role for arm in arms} - unbeaten
    equal = {arm.role for arm in arms if not is_ahead(arm.turns) and not is_ahead(arm.last)}
    if called := _called(unbeaten, beaten, equal & CONSTANTS, gains=any(map(is_ahead, gains)), grows=is_ahead(growth)):
        return Verdict("not shown", called)
    if missing:
        return Verdict("undecided", "beats every arm given")
    return Verdict("learned", "learned from experience")


def _called(unbeaten: set[str], beaten: set[str], constants: set[str], *, gains: bool, grows: bool) -> str:
    """Return what a reflector may be called that has not learned; empty if nothing speaks against learning.

    Args:
        unbeaten: Required arms that it does not beat.
        beaten: The other arms.
        constants: Arms without experience of the family that it does not lead in any measure.
        gains: Whether it is better than its first prompt.
        grows: Whether its success grows over the turns.
    """
    scripts = [script for script in SCRIPTS if script in unbeaten]
    if not gains:
        return "no better than its first prompt"
    if constants:
        return f"a good constant ({_not_better(constants)})"
    if scripts and beaten >= OUTCOMES:
        return f"uses outcomes, and what it gains needs none ({_not_better(scripts)})"
    if "copy" in scripts:
        return f"names what it is shown, and a constant ({_not_better(scripts)})"
    if scripts or unbeaten & OUTCOMES:
        return f"names what it is shown ({_not_better(scripts or unbeaten & OUTCOMES)})"
    if unbeaten:
        return _not_better(unbeaten)
    return "" if grows else "better than its controls from the first turn on, without growth"


def gate_sentence(gate: Gate) -> str:
    """Return the whole answer in one sentence, for reports and boards."""
    judged, families, missing = gate.judged, gate.families, gate.missing
    if any(family.family for family in judged):
        parts = [
            f"{called} in {_names(family.name for family in group)}"
            for called, group in groupby(sorted(judged, key=_order), key=lambda family: family.called)
        ]
    else:
        parts = [f"{judged[0].called} on average over {len(families)} held-out families, each with too few loops"]
    opening = "" if gate.learned else "not shown to have learned from experience: "
    ending = f"; missing arms: {_names(arm.role for arm in missing)}" if missing else ""
    return f"{gate.reflector}: {opening}{'; '.join(parts)}{ending}."


def _order(family: FamilyGate) -> tuple[bool, str]:
    return family.conclusion != "learned", family.called


def _not_better(arms: Iterable[str]) -> str:
    return f"not better than {_names(sorted(arms))}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)

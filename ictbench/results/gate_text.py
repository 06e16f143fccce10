"""Conclusions of the gate in sentences, the only ones that reports and boards show."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from ictbench.results.gate_arms import OUTCOME_WRAPPERS, REQUIREMENTS, SCRIPTS
from ictbench.results.gate_fitness import fitness_in_words
from ictbench.results.gate_leads import is_ahead
from ictbench.results.significance import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from ictbench.results.gate_schema import ArmLeads, Conclusion, FamilyGate, Gate, Lead, Measure, MissingArm

MIN_LOOPS = 6
"""Loops from which one family can be judged: the smallest p-value is then 0.031."""
OUTCOMES = frozenset(OUTCOME_WRAPPERS)
"""Controls of outcomes."""
UNSHOWN = frozenset({"blind", "shuffled"})
"""Controls that are shown no episode of the family."""
MEASURES: Mapping[Measure, str] = {
    "turns": "over the turns",
    "last": "at the last prompt",
    "best": "at the best prompt",
}


class Verdict(NamedTuple):
    """A conclusion, and in words what the reflector may be called."""

    conclusion: Conclusion
    called: str


def conclude(
    gains: tuple[Lead, Lead],
    growth: Lead,
    arms: Sequence[ArmLeads],
    missing: Sequence[MissingArm],
    *,
    fit: bool,
    smallest_p: float,
    few: bool,
) -> Verdict:
    """Return the verdict on one family or on the mean.

    Args:
        gains: Best and last prompt minus prompt[0].
        growth: Last turn minus first turn.
        arms: Leads over the arms.
        missing: Required arms that were not given.
        fit: Whether learning can be shown on the text that the reflector reads.
        smallest_p: Smallest p-value that the loops allow.
        few: Whether there are too few loops for a verdict on one family.
    """
    if few or smallest_p > ALPHA:
        return Verdict("too few loops", f"too few loops for a verdict ({MIN_LOOPS} are needed)")
    required = [arm for arm in arms if arm.role in REQUIREMENTS]
    beaten = {arm.role for arm in required if all(other.beaten for other in required if other.role == arm.role)}
    unbeaten = {arm.role: arm for arm in required if not arm.beaten}
    level = {role: arm for role, arm in unbeaten.items() if _explains(arm, *gains)}
    best, last = map(is_ahead, gains)
    if not (best or last):
        return Verdict("not shown", "not significantly better than its first prompt")
    if not required:
        return Verdict("undecided", "compared with no required arm")
    if called := _called(unbeaten, beaten, level, last=last, grows=is_ahead(growth)):
        return Verdict("not shown", called)
    if missing:
        return Verdict("undecided", "beats every required arm given")
    if not fit:
        return Verdict("undecided", "beats every required arm")
    return Verdict("learned", "learned from experience")


def _called(
    unbeaten: Mapping[str, ArmLeads],
    beaten: AbstractSet[str],
    level: Mapping[str, ArmLeads],
    *,
    last: bool,
    grows: bool,
) -> str:
    """Return what a reflector may be called that has not learned; empty if nothing speaks against learning.

    Args:
        unbeaten: Required arms that it does not beat, by role.
        beaten: Roles of the other required arms.
        level: Unbeaten arms that reach at least half of its gain. Where an unbeaten arm does not, too few loops are the
            likelier reason, and nothing is said about what the reflector does.
        last: Whether its last prompt is better than its first one.
        grows: Whether its success grows over the turns.
    """
    scripts = [script for script in SCRIPTS if script in level]

    def not_better(roles: Iterable[str]) -> str:
        return f"not better than {_names(_arm_and_measures(unbeaten[role]) for role in sorted(roles))}"

    if unshown := level.keys() & UNSHOWN:
        return f"a good constant ({not_better(unshown | (level.keys() & {'constant'}))})"
    if scripts and beaten >= OUTCOMES:
        return f"does worse without true outcomes, and what it gains needs none ({not_better(scripts)})"
    if "copy" in scripts:
        return f"names what it is shown, and a constant ({not_better(scripts)})"
    if scripts or level.keys() & OUTCOMES:
        return f"names what it is shown ({not_better(scripts or level.keys() & OUTCOMES)})"
    if "constant" in level:
        # It does not make the reflector a constant: a person may have written that prompt for these families.
        return f"worth no more than a constant prompt ({not_better(['constant'])})"
    if unbeaten:
        return f"not significantly better than {_names(_arm_and_measures(unbeaten[role]) for role in sorted(unbeaten))}"
    if not last:
        return "under its last prompt not significantly better than its first prompt"
    return "" if grows else "beats every required arm given, without significant growth from the first turn to the last"


def gate_sentence(gate: Gate) -> str:
    """Return the whole answer in one sentence, for reports and boards."""
    judged, families, missing = gate.judged, gate.families, gate.missing
    if any(family.family for family in judged):
        parts = [
            f"{called} in {_names(family.name for family in group)}"
            for called, group in groupby(sorted(judged, key=_order), key=lambda family: family.called)
        ]
    else:
        over = f"on average over {len(families)} held-out families, each with too few loops"
        parts = [f"{judged[0].called} {over if len(families) > 1 else f'in {families[0].name}'}"]
    opening = "" if gate.learned else "not shown to have learned from experience: "
    # Whether a prompt is the best constant of the meta-train families is for the reader to judge.
    constants = sorted({arm.label for arm in judged[0].arms if arm.role == "constant"})
    ending = f"; constant prompt: {_names(constants)}" if constants else ""
    ending += f"; missing arms: {_names(arm.role for arm in missing)}" if missing else ""
    if unfit := fitness_in_words(gate.fitness):
        ending += f"; {unfit}"
    return f"{gate.reflector}: {opening}{'; '.join(parts)}{ending}."


def _arm_and_measures(arm: ArmLeads) -> str:
    """Return the role of an arm with the measures in which it is not beaten, unless it is beaten in none."""
    if len(arm.not_ahead) == len(MEASURES):
        return arm.role
    return f"{arm.role} {' and '.join(MEASURES[measure] for measure in arm.not_ahead)}"


def _order(family: FamilyGate) -> tuple[bool, str]:
    return family.conclusion != "learned", family.called


def _explains(arm: ArmLeads, gain: Lead, last_gain: Lead) -> bool:
    """Return whether an arm is not beaten at the best or last prompt, and reaches half of the gain there."""
    pairs: dict[Measure, tuple[Lead, Lead]] = {"best": (arm.best, gain), "last": (arm.last, last_gain)}
    return any(
        measure in arm.not_ahead and lead.difference.value <= own.difference.value / 2
        for measure, (lead, own) in pairs.items()
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)

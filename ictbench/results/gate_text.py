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
UNSHOWN = frozenset({"blind", "shuffled"})
"""Controls that are shown no episode of the family."""


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
    required = [arm for arm in arms if arm.role in REQUIREMENTS]
    unbeaten: set[str] = {arm.role for arm in required if not arm.beaten}
    beaten = {arm.role for arm in required} - unbeaten
    level = {arm.role for arm in required if arm.role in unbeaten and _explains(arm, *gains)}
    best, last = map(is_ahead, gains)
    if not (best or last):
        return Verdict("not shown", "not significantly better than its first prompt")
    if not required:
        return Verdict("undecided", "compared with no required arm")
    if called := _called(unbeaten, beaten, level, last=last, grows=is_ahead(growth)):
        return Verdict("not shown", called)
    if missing:
        return Verdict("undecided", "beats every required arm given")
    return Verdict("learned", f"learned from experience{_level_at_best(required)}")


def _called(unbeaten: set[str], beaten: set[str], level: set[str], *, last: bool, grows: bool) -> str:
    """Return what a reflector may be called that has not learned; empty if nothing speaks against learning.

    Args:
        unbeaten: Required arms that it does not beat.
        beaten: The other required arms.
        level: Unbeaten arms that reach at least half of its gain. Where an unbeaten arm does not, too few loops are the
            likelier reason, and nothing is said about what the reflector does.
        last: Whether its last prompt is better than its first one.
        grows: Whether its success grows over the turns.
    """
    scripts = [script for script in SCRIPTS if script in level]
    if level & UNSHOWN:
        return f"a good constant ({_not_better(level & {*UNSHOWN, 'constant'})})"
    if scripts and beaten >= OUTCOMES:
        return f"does worse without true outcomes, and what it gains needs none ({_not_better(scripts)})"
    if "copy" in scripts:
        return f"names what it is shown, and a constant ({_not_better(scripts)})"
    if scripts or level & OUTCOMES:
        return f"names what it is shown ({_not_better(scripts or level & OUTCOMES)})"
    if "constant" in level:
        # It does not make the reflector a constant: a person may have written that prompt for these families.
        return "worth no more than a constant prompt (not better than constant)"
    if unbeaten:
        return f"not significantly better than {_names(sorted(unbeaten))}"
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
        parts = [f"{judged[0].called} on average over {len(families)} held-out families, each with too few loops"]
    opening = "" if gate.learned else "not shown to have learned from experience: "
    # Whether a prompt is the best constant of the meta-train families is for the reader to judge.
    constants = sorted({arm.label for arm in judged[0].arms if arm.role == "constant"})
    ending = f"; constant prompt: {_names(constants)}" if constants else ""
    ending += f"; missing arms: {_names(arm.role for arm in missing)}" if missing else ""
    return f"{gate.reflector}: {opening}{'; '.join(parts)}{ending}."


def _level_at_best(required: Iterable[ArmLeads]) -> str:
    """Return which required arms are not beaten under the prompts that selection chose; empty if all are."""
    level = sorted({arm.role for arm in required if not is_ahead(arm.best)})
    return f" (under the best prompts not significantly better than {_names(level)})" if level else ""


def _order(family: FamilyGate) -> tuple[bool, str]:
    return family.conclusion != "learned", family.called


def _explains(arm: ArmLeads, gain: Lead, last_gain: Lead) -> bool:
    """Return whether an arm reaches at least half of the reflector's gain, under the best or the last prompt."""
    return any(
        lead.difference.value <= own.difference.value / 2 for lead, own in ((arm.best, gain), (arm.last, last_gain))
    )


def _not_better(arms: Iterable[str]) -> str:
    return f"not better than {_names(sorted(arms))}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)

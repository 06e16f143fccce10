"""The gate of the protocol: whether a reflector learned from experience.

A reflector has learned where it beats every control, each of which lacks something that a learner uses, and where its
success grows from the first turn to the last. A control is beaten if it is behind over the turns, under the last prompt
and under the best one: the best of N + 1 prompts alone rewards guessing. All of these must hold at the level of 5 %, so
that no correction for their number is needed. With fewer than six loops, one family cannot be judged. On a text from
which scripts copy solutions without reading outcomes, nothing is called learned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import ResultError, UsageError
from ictbench.results.comparability import disagreements
from ictbench.results.gate_arms import REQUIREMENTS, missing_arms, role_of
from ictbench.results.gate_fitness import fitness_of
from ictbench.results.gate_leads import leads_over, own_changes, pair_loops, played_family
from ictbench.results.gate_schema import FamilyGate, Gate
from ictbench.results.gate_text import MIN_LOOPS, conclude, gate_sentence
from ictbench.results.pairing import names_of, share_games
from ictbench.results.significance import smallest_p
from ictbench.suites.trained_on import env_of_suite, was_trained_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.schema import FamilyResult, Result

ANY_FAMILIES = "families"
"""Part of a setup in which arms may differ: only families that both played are judged."""


def judge(reflector: Result, *arms: Result, brief: bool = False) -> Gate:
    """Return whether a reflector learned from experience, by held-out family and on average.

    Args:
        reflector: Result of the reflector.
        arms: Results of other arms on the same tasks.
        brief: Whether to leave out what the sentence does not need, as for many entries of a board.

    Raises:
        UsageError: No arm is given, the first result is that of a control, or it has no held-out family, or its
            reflector was trained on one.
        ResultError: An arm played other tasks, or is incomplete.
    """
    if not arms:
        raise UsageError("no arm is given; name the runs of its controls after the run, e.g. that of blind:REFLECTOR")
    if reflector.control:
        label = reflector.reflector.label
        raise UsageError(f"{label} is a control: {reflector.control}; name the run of the reflector first")
    held_out = [family for family in reflector.families if family.role == "held-out"]
    if not held_out:
        raise UsageError(f"the run of {reflector.reflector.label} has no held-out family; only these are judged")
    _check_unseen(reflector, [family.name for family in held_out])
    for arm in arms:
        _check_comparable(reflector, arm)
    roles = [role_of(arm, reflector) for arm in arms]
    missing = tuple(missing_arms(reflector, roles))
    fitness = fitness_of(reflector, arms)
    shared = share_games(reflector, *arms)
    _, *labels = names_of(reflector, *arms)
    named = list(zip(arms, roles, labels, strict=True))
    pairs = {family.name: [pair_loops(reflector, arm, family.name) for arm in arms] for family in held_out}

    def family_gate(families: Sequence[FamilyResult], name: str | None) -> FamilyGate:
        leads = tuple(
            leads_over([pairs[family.name][number] for family in families], role, label, shared=shared, brief=brief)
            for number, (_, role, label) in enumerate(named)
        )
        played = [played_family(family.loops) for family in families]
        gain, last_gain, growth = own_changes(played, shared=shared)
        least = smallest_p([one.test["base"].shape for one in played], shared=shared)
        few = name is not None and len(families[0].loops) < MIN_LOOPS
        verdict = conclude((gain, last_gain), growth, leads, missing, fit=fitness.fit, smallest_p=least, few=few)
        return FamilyGate(
            family=name,
            loops=sum(len(family.loops) for family in families),
            smallest_p=least,
            gain=gain,
            last_gain=last_gain,
            growth=growth,
            arms=leads,
            conclusion=verdict.conclusion,
            called=verdict.called,
        )

    families = tuple(family_gate([family], family.name) for family in held_out)
    judged = any(family.conclusion != "too few loops" for family in families)
    mean = None if brief and judged else family_gate(held_out, None)
    label, suite = reflector.reflector.label, reflector.suite.name
    return Gate(
        reflector=label,
        suite=suite,
        fitness=fitness,
        notes=tuple(_notes(reflector, arms)),
        missing=missing,
        families=families,
        mean=mean,
    )


def learned_sentence(reflector: Result, others: Sequence[Result]) -> str | None:
    """Return the answer of the gate for a report or a board; None if no other result is an arm of this reflector.

    Args:
        reflector: Result of the reflector.
        others: Results among which its arms are looked for.
    """
    if reflector.control:
        return None
    held_out = {family.name for family in reflector.families if family.role == "held-out"}
    arms = [
        other
        for other in others
        if role_of(other, reflector) in REQUIREMENTS
        and held_out <= {family.name for family in other.families}
        and not any(_differences(reflector, other))
    ]
    try:
        return gate_sentence(judge(reflector, *arms, brief=True)) if arms else None
    except UsageError:  # They have other loops, or no family is held out from the reflector: no answer.
        return None


def _check_unseen(reflector: Result, held_out: Sequence[str]) -> None:
    """Check that a reflector was trained on no held-out family.

    Raises:
        UsageError: It was.
    """
    suite, trained_on = reflector.suite.name, reflector.reflector_trained_on or ()
    env = env_of_suite(suite)
    if seen := [name for name in held_out if was_trained_on(trained_on, suite, env, name)]:
        raise UsageError(
            f"{reflector.reflector.label} was trained on {', '.join(seen)}, so what it does there need not be learned "
            "from the experience of the run; give a run on families that it was not trained on"
        )


def _check_comparable(reflector: Result, arm: Result) -> None:
    """Check that two results have the same suite, sizes, actor and packages, and are complete.

    Raises:
        ResultError: They do not, or one is not.
    """
    for difference in _differences(reflector, arm):
        names = " and ".join(names_of(reflector, arm))
        raise ResultError(f"{names} are not arms on the same tasks: {difference}")


def _notes(reflector: Result, arms: Sequence[Result]) -> Iterator[str]:
    """Yield what does not make arms incomparable, but may matter.

    The suite's digest fixes what tasks do and how they are shown. The digests that reflectors read, and the controls,
    are code of this package.
    """
    for arm in arms:
        if arm.ictbench != reflector.ictbench:
            _, name = names_of(reflector, arm)
            yield (
                f"{name} was played with ictbench {arm.ictbench}, the reflector with {reflector.ictbench}: check in "
                "the changelog that digests and controls are the same in both"
            )


def _differences(reflector: Result, arm: Result) -> Iterator[str]:
    """Yield what differs between two results besides their reflectors and families, and which is incomplete."""
    for what, (one, other) in disagreements((reflector, arm)):
        if what != ANY_FAMILIES:
            yield f"{what} {one} against {other}"
    for result in (reflector, arm):
        if not result.complete:
            yield f"the run of {result.reflector.label} is incomplete; continue it first"

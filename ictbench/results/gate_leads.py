"""Paired differences of the gate: by turn, under the last and under the best prompt, and growth over the turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ictbench.errors import ResultError
from ictbench.results.gate_schema import ArmLeads, Lead
from ictbench.results.intervals import Sample, mean_interval
from ictbench.results.outcomes import kept_prompts, outcomes_by_prompt, task_rates
from ictbench.results.pairing import names_of
from ictbench.results.samples import changes
from ictbench.results.significance import ALPHA, crossed_ps, sign_flip_ps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.protocol import LoopResult
    from ictbench.results.gate_schema import Measure
    from ictbench.results.intervals import Bools
    from ictbench.results.outcomes import Outcomes
    from ictbench.results.schema import Result
    from ictbench.results.standard_errors import Floats

BOUNDS = (-1.0, 1.0)


class PlayedFamily(NamedTuple):
    """Outcomes of one reflector in one family."""

    curve: Floats
    """On selection tasks: prompts × loops × tasks."""
    kept: Bools
    """Whether a prompt equals prompt[0]: prompts × loops."""
    test: Outcomes


class Value(NamedTuple):
    """Success under chosen prompts, and under prompt[0] on the same tasks, each loops × tasks."""

    values: Floats
    base: Floats
    kept: Bools


def played_family(loops: Sequence[LoopResult]) -> PlayedFamily:
    """Return the outcomes of finished loops."""
    curve = np.array([task_rates(loop.selection, len(loop.selection_tasks)) for loop in loops])
    return PlayedFamily(curve.swapaxes(0, 1), kept_prompts(loops).T, outcomes_by_prompt(loops))


def pair_loops(reflector: Result, arm: Result, family: str) -> tuple[PlayedFamily, PlayedFamily]:
    """Return the outcomes of both in the loops that both finished on the same tasks.

    Raises:
        ResultError: There is no such loop, or one of them lacks the family.
    """
    one, other = ({loop.index: loop for loop in _loops(result, family)} for result in (reflector, arm))
    pairs = [(loop, other[index]) for index, loop in sorted(one.items()) if index in other]
    same = [
        (loop, twin)
        for loop, twin in pairs
        if (loop.test_tasks, loop.selection_tasks) == (twin.test_tasks, twin.selection_tasks)
    ]
    if not same or len(same) < len(one):
        names = " and ".join(names_of(reflector, arm))
        raise ResultError(
            f"{names} played other tasks in {family}: {len(same)} of {len(one)} loops are the same; "
            "give arms of the same suite, sizes and loops"
        )
    return played_family([loop for loop, _ in same]), played_family([loop for _, loop in same])


def leads_over(
    pairs: Sequence[tuple[PlayedFamily, PlayedFamily]], role: str, label: str, *, shared: bool, brief: bool
) -> ArmLeads:
    """Return the leads of a reflector over an arm.

    Args:
        pairs: Outcomes of both, by family.
        role: Role of the arm.
        label: Label of the arm.
        shared: Whether loops share their games.
        brief: Whether to leave out the leads by turn.
    """
    turns = range(1, len(pairs[0][0].curve))
    everything = [*([turn] for turn in turns if not brief), list(turns)]
    *by_turn, over_turns = _leads([[(_curve(a, at), _curve(b, at)) for a, b in pairs] for at in everything], shared)
    last, best = _leads([[(_test(a, name), _test(b, name)) for a, b in pairs] for name in ("last", "best")], shared)
    leads: dict[Measure, Lead] = {"turns": over_turns, "last": last, "best": best}
    not_ahead = tuple(name for name, lead in leads.items() if not is_ahead(lead))
    return ArmLeads(role=role, label=label, by_turn=tuple(by_turn), **leads, not_ahead=not_ahead, beaten=not not_ahead)


def own_changes(families: Sequence[PlayedFamily], *, shared: bool) -> tuple[Lead, Lead, Lead]:
    """Return best and last prompt minus prompt[0] on test tasks, and last minus first turn on selection tasks."""
    best, last = _leads(
        [[(_test(one, name), _unchanged(one)) for one in families] for name in ("best", "last")], shared
    )
    (growth,) = _leads([[(_curve(one, [-1]), _curve(one, [1])) for one in families]], shared)
    return best, last, growth


def is_ahead(lead: Lead) -> bool:
    """Return whether a lead is significant."""
    return lead.p <= ALPHA and lead.difference.value > 0


def _loops(result: Result, family: str) -> Sequence[LoopResult]:
    return next((one.loops for one in result.families if one.name == family), ())


def _curve(played: PlayedFamily, prompts: list[int]) -> Value:
    """Return the mean success on selection tasks under these prompts."""
    return Value(played.curve[prompts].mean(axis=0), played.curve[0], np.asarray(played.kept[prompts].all(axis=0)))


def _test(played: PlayedFamily, name: str) -> Value:
    return Value(played.test[name], played.test["base"], played.test.kept[name])


def _unchanged(played: PlayedFamily) -> Value:
    base = played.test["base"]
    return Value(base, base, np.ones(len(base), bool))


def _leads(measures: Sequence[Sequence[tuple[Value, Value]]], shared: bool) -> list[Lead]:
    """Return first minus second for measures × families of pairs of values."""
    families: list[Any] = [
        np.array([one.values - other.values for one, other in family]) for family in zip(*measures, strict=True)
    ]
    means = [family.mean(axis=-1) for family in families]
    ps = crossed_ps(families, max(BOUNDS)) if shared else sign_flip_ps(means)
    return [
        Lead(difference=mean_interval([_sample(*pair) for pair in pairs], shared=shared), p=float(p))
        for pairs, p in zip(measures, ps, strict=True)
    ]


def _sample(one: Value, other: Value) -> Sample:
    return Sample(one.values - other.values, BOUNDS, (changes(*one), -changes(*other)))

"""Pairing of two results: whether they are comparable, and their outcomes on the same tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from ictbench.errors import ResultError, UnknownNameError
from ictbench.plugins import suggest
from ictbench.results.comparability import disagreements
from ictbench.results.formatting import distinct_labels
from ictbench.results.intervals import Sample, mean_interval
from ictbench.results.outcomes import is_constant, outcomes_by_prompt
from ictbench.results.samples import SHARE_BOUNDS, changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.protocol import LoopResult
    from ictbench.records import Role
    from ictbench.results.intervals import Changes
    from ictbench.results.outcomes import Outcomes
    from ictbench.results.schema import FamilyResult, Interval, Result
    from ictbench.results.standard_errors import Floats

Measure = Literal["best", "last", "gain", "last_gain", "base"]
MEASURES: tuple[Measure, ...] = get_args(Measure)


def bounds(measure: Measure) -> tuple[float, float]:
    """Return the bounds of a difference in a measure."""
    return (-2.0, 2.0) if measure.endswith("gain") else (-1.0, 1.0)


def names_of(*results: Result) -> list[str]:
    """Return the labels of the results' reflectors, with their folders if two are equal."""
    return distinct_labels([result.reflector.label for result in results], [result.host.folder for result in results])


def share_games(*results: Result) -> bool:
    """Return whether all loops of a family have the same tasks, in any of these results."""
    return any(result.intervals == "for these games" for result in results)


def require_measures(*names: str) -> None:
    """Check that measures can be compared.

    Raises:
        UnknownNameError: One of them cannot.
    """
    for name in names:
        if name not in MEASURES:
            raise UnknownNameError(f"{name!r} is not a measure that can be compared; {suggest(name, MEASURES)}")


def incomparable(reference: Result, other: Result) -> tuple[str, ...]:
    """Return every reason why two results are not comparable; empty if they are.

    Results are comparable if suite, profile, loops, actor, prompt cap and environment packages are the same.
    """
    reasons = [f"{what} {before} against {after}" for what, (before, after) in disagreements((reference, other))]
    for result, name in zip((reference, other), names_of(reference, other), strict=True):
        if not result.complete:
            reasons.append(f"the run of {name} is incomplete: {result.owed} owed, or loops missing")
    if not reasons:
        only_one = sorted({*reference.deviations} ^ {*other.deviations})
        reasons += [f"only one of them deviates: {deviation}" for deviation in only_one]
    return tuple(reasons)


def wrapper_of(wrapped: Result, plain: Result) -> str | None:
    """Return the wrapper, e.g. `blind`, by which one run's reflector wraps that of the other; None if it does not."""
    inside = wrapped.reflector.options.get("reflector")
    spec = plain.reflector.model_dump(mode="json", include={"label", "name", "options"})
    same = inside == spec and wrapped.reflector.model == plain.reflector.model
    return wrapped.reflector.name if same else None


def is_blind_of(blind: Result, plain: Result) -> bool:
    """Return whether one run's reflector is that of the other without trajectories."""
    return wrapper_of(blind, plain) == "blind"


@dataclass(frozen=True, slots=True)
class PairedFamily:
    """Outcomes of two runs in one family, each loops × tasks, for the same loops and tasks."""

    name: str
    role: Role
    reference: Outcomes
    other: Outcomes
    same: bool = False
    """Whether both are the same result: the same loops of the same reflector, in everything recorded."""

    def difference(self, measure: Measure) -> Floats:
        """Return other minus reference, loops × tasks."""
        return _values(self.other, measure) - _values(self.reference, measure)

    def levels(self, measure: Measure) -> tuple[float, float]:
        """Return the measure of the reference and of the other run."""
        return float(_values(self.reference, measure).mean()), float(_values(self.other, measure).mean())


def difference_samples(families: Sequence[PairedFamily], measure: Measure, *, shared: bool) -> list[Sample]:
    """Return other minus reference by family, with the changes by the prompts that both found.

    If only one of the reflectors keeps prompt[0] by design, the difference is the gain of the other, or its opposite,
    and has the same interval. If both do, only tasks vary their success.
    """
    values, limits = [family.difference(measure) for family in families], bounds(measure)
    if all(family.same for family in families):
        return [Sample(one, (0.0, 0.0)) for one in values]
    if measure == "base":
        return [Sample(one, limits) for one in values]
    first = families[0]
    if first.other.constant and first.reference.constant and measure in ("best", "last"):
        return [Sample(one, limits) for one in values]
    if first.other.constant == first.reference.constant:
        return [
            Sample(one, limits, (_changes(family.other, measure), -_changes(family.reference, measure)))
            for one, family in zip(values, families, strict=True)
        ]
    learners = [family.reference if first.other.constant else family.other for family in families]
    level = mean_interval([Sample(learner["base"], SHARE_BOUNDS) for learner in learners], shared=shared)
    changes_found = [_changes(learner, measure, level) for learner in learners]
    return [
        Sample(one, limits, (-change if first.other.constant else change,))
        for one, change in zip(values, changes_found, strict=True)
    ]


def pair(reference: Result, other: Result) -> list[PairedFamily]:
    """Pair the loops that both runs finished and tested on the same tasks, by family.

    Raises:
        ResultError: There is no such loop.
    """
    families = {family.name: family for family in other.families}
    paired = [
        PairedFamily(
            family.name,
            family.role,
            outcomes_by_prompt([loop for loop, _ in loops], constant=is_constant(reference.reflector)),
            outcomes_by_prompt([loop for _, loop in loops], constant=is_constant(other.reflector)),
            same=(reference.suite, reference.reflector) == (other.suite, other.reflector)
            and all(loop == equal for loop, equal in loops),
        )
        for family in reference.families
        if family.name in families and (loops := _common_loops(family, families[family.name]))
    ]
    if not paired:
        names = " and ".join(names_of(reference, other))
        raise ResultError(f"{names} cannot be paired: no loop was finished in both and tested on the same tasks")
    return paired


def _common_loops(one: FamilyResult, other: FamilyResult) -> list[tuple[LoopResult, LoopResult]]:
    by_index = {loop.index: loop for loop in other.loops}
    pairs = [(loop, by_index[loop.index]) for loop in one.loops if loop.index in by_index]
    return [(loop, same) for loop, same in pairs if loop.test_tasks == same.test_tasks]


def _values(outcomes: Outcomes, measure: Measure) -> Floats:
    match measure:
        case "gain":
            return outcomes["best"] - outcomes["base"]
        case "last_gain":
            return outcomes["last"] - outcomes["base"]
        case _:
            return outcomes[measure]


def _changes(outcomes: Outcomes, measure: Measure, level: Interval | None = None) -> Changes:
    prompt = "last" if measure.startswith("last") else "best"
    weight = 0.0 if outcomes.constant else 1.0
    return changes(outcomes[prompt], outcomes["base"], outcomes.kept[prompt], level=level, weight=weight)

"""Loops that a comparison needs to show a difference of a stated size, from a pilot run.

The pilot gives the variance of a loop's difference; where loops share their games, also that of games and of the rest.
The power is that of the test of `compare`. With few loops, the test is applied to simulated differences. With more, the
power is that of the t test (noncentral t distribution), to which sign flips come close.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ictbench.errors import ConfigError, ResultError
from ictbench.records import Record, Role
from ictbench.results.comparison import ROLES, check_comparable
from ictbench.results.outcomes import outcomes_by_prompt
from ictbench.results.pairing import names_of, pair, share_games
from ictbench.results.significance import ALPHA, crossed_ps, sign_flip_ps, smallest_p
from ictbench.results.standard_errors import interaction, task_variance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.schema import Result
    from ictbench.results.standard_errors import Floats

PowerMeasure = Literal["best", "last"]

MAX_LOOPS = 1_000
"""Numbers of loops beyond this are not searched."""
MAX_SIMULATED_PAIRS = 10
"""Up to this many pairs of loops, sign flips have clearly less power than the t test, so they are simulated."""
MAX_SIMULATED_LOOPS = 5
"""The same for loops that share their games, whose degrees of freedom are estimated."""
SIMULATIONS = 500
SEED = 0


class PowerRow(Record):
    """Power in one family, or for the mean over the families of one role."""

    family: str | None
    """None for the mean over families."""
    role: Role
    families: int
    loops: int
    """Loops per family in the pilot; the fewest of its families."""
    deviation: float
    """Standard deviation of a loop's difference between two arms; for a mean, of the mean over families."""
    power: float | None
    """Probability that the difference is significant with as many loops as the pilot has; None if it is unknown."""
    needed: int | None
    """Loops per family with which the target is reached; None if no number does, or if it is unknown."""
    smallest_p: float
    """Smallest p-value that the loops of the pilot allow."""
    reason: str = ""
    """Why no number of loops is given."""

    @property
    def name(self) -> str:
        """Name of the family, or of the mean with its role."""
        return self.family or f"mean {self.role}"


class Power(Record):
    """Loops that a comparison needs to show a difference of a stated size."""

    pilot: str
    against: str | None
    """The other run of the pilot; None if the other arm is taken to vary as the first one does."""
    measure: PowerMeasure
    difference: float
    target: float
    """Power to reach."""
    shared: bool
    """Whether loops share their games."""
    rows: tuple[PowerRow, ...]

    @property
    def means(self) -> tuple[PowerRow, ...]:
        """Rows of the means, held-out first."""
        return tuple(row for row in self.rows if row.family is None)


def power(
    pilot: Result,
    against: Result | None = None,
    *,
    difference: float = 0.1,
    target: float = 0.8,
    measure: PowerMeasure = "best",
) -> Power:
    """Return how many loops a comparison needs to show a difference between two arms.

    Args:
        pilot: Result of one arm.
        against: Result of the other arm on the same tasks; None assumes an arm that varies as much as the pilot,
            independently of it on the same tasks.
        difference: Difference in success rate, from 0 to 1.
        target: Probability with which the difference shall be significant.
        measure: Success under the best or the last prompt.

    Raises:
        ConfigError: A number is out of range.
        ResultError: No family has two finished loops, or the results are not comparable.
    """
    if not 0 < difference <= 1:
        raise ConfigError(f"difference {difference:g} is not between two success rates: use more than 0, at most 1")
    if not ALPHA < target < 1:
        raise ConfigError(f"power {target:g} is not a probability between {ALPHA:g} and 1, e.g. 0.8")
    shared = share_games(pilot, *([against] if against else []))
    families = [family for family in _families(pilot, against, measure, shared) if len(family.values) >= 2]
    if not families:
        names = " and ".join(names_of(pilot, *([against] if against else [])))
        raise ResultError(
            f"{names}: no family has two finished loops, so it is unknown how much loops differ; run at least 2 loops, "
            "better 5"
        )
    groups: list[tuple[str | None, list[_Family]]] = [(family.name, [family]) for family in families]
    for role in ROLES:
        if members := [family for family in families if family.role == role]:
            groups.append((None, members))
    return Power(
        pilot=names_of(pilot)[0],
        against=names_of(pilot, against)[1] if against else None,
        measure=measure,
        difference=difference,
        target=target,
        shared=shared,
        rows=tuple(_row(name, members, difference, target, shared) for name, members in groups),
    )


def mean_row(pilot: Result, difference: float = 0.1, target: float = 0.8) -> PowerRow | None:
    """Return the power for the mean over held-out families, or over all families if none is held out.

    None if no family has two finished loops.
    """
    shared = share_games(pilot)
    families = [family for family in _families(pilot, None, "best", shared) if len(family.values) >= 2]
    members = [family for family in families if family.role == ROLES[0]] or families
    return _row(None, members, difference, target, shared) if members else None


@dataclass(frozen=True, slots=True)
class _Family:
    """Differences of a family, loops × tasks, and the components of their variance."""

    name: str
    role: Role
    values: Floats
    of_loops: float
    """Variance of a loop's mean difference; on shared games without the part of the games."""
    of_games: float = 0.0
    """Variance between games that loops share."""
    of_rest: float = 0.0
    """Variance of a single difference beyond loops and games; only for shared games."""

    @property
    def tasks(self) -> int:
        return int(self.values.shape[1])

    def doubled(self) -> _Family:
        """Return the family for the difference of two independent arms that vary alike."""
        return replace(self, of_loops=2 * self.of_loops, of_games=2 * self.of_games, of_rest=2 * self.of_rest)

    def errors(self, loops: int, difference: float, shared: bool) -> tuple[float, float, float]:
        """Return the true squared error of so many loops, that which the test uses, and its degrees of freedom."""
        if not shared:
            return self.of_loops / loops, self.of_loops / loops, loops - 1.0
        mean_square = self.of_rest + self.tasks * self.of_loops
        both = mean_square + loops * self.of_games
        error = both / (loops * self.tasks)
        freedom = both**2 / (mean_square**2 / (loops - 1)) if mean_square else np.inf
        count = self.tasks + 2
        spread = self.of_games + self.of_rest / loops
        floor = ((self.tasks * (difference**2 + spread) + 1) / count - (self.tasks * difference / count) ** 2) / count
        return error, max(error, floor), max(1.0, min(freedom, self.tasks - 1.0))

    def noise(self, rng: np.random.Generator, loops: int, shared: bool) -> Floats:
        """Return normal deviations from the mean, simulations × loops × tasks; without shared games, one task."""
        tasks = self.tasks if shared else 1
        sizes = ((loops, 1), (1, tasks), (loops, tasks))
        variances = (self.of_loops, self.of_games, self.of_rest)
        parts = (
            var**0.5 * rng.standard_normal((SIMULATIONS, *size)) for size, var in zip(sizes, variances, strict=True)
        )
        return np.asarray(sum(parts))


def _families(pilot: Result, against: Result | None, measure: PowerMeasure, shared: bool) -> list[_Family]:
    if against:
        check_comparable(pilot, against, force=None)
        paired = pair(pilot, against)
        return [_family(one.name, one.role, one.difference(measure), shared) for one in paired]
    families = []
    for family in pilot.families:
        if family.loops:
            outcomes = outcomes_by_prompt(family.loops)
            values = outcomes[measure] - outcomes["base"]
            families.append(_family(family.name, family.role, values, shared).doubled())
    return families


def _family(name: str, role: Role, values: Floats, shared: bool) -> _Family:
    loops, tasks = values.shape
    if loops < 2:
        return _Family(name, role, values, 0.0)
    by_loop = float(values.mean(axis=1).var(ddof=1))
    if not shared or tasks < 2:
        return _Family(name, role, values, by_loop)
    of_rest = float(interaction(values)) / ((loops - 1) * (tasks - 1))
    of_games = float(task_variance(values))
    return _Family(name, role, values, max(0.0, by_loop - of_rest / tasks), of_games, of_rest)


def _row(name: str | None, families: Sequence[_Family], difference: float, target: float, shared: bool) -> PowerRow:
    loops = min(len(family.values) for family in families)
    variance = sum(
        family.of_loops + family.of_games / family.tasks + family.of_rest / family.tasks for family in families
    )
    sizes = [(loops, family.tasks) for family in families]
    row: dict[str, Any] = {
        "family": name,
        "role": families[0].role,
        "families": len(families),
        "loops": loops,
        "deviation": variance**0.5 / len(families),
        "smallest_p": smallest_p(sizes, shared=shared),
    }
    if variance == 0:
        return PowerRow(**row, power=None, needed=None, reason="the loops of the pilot do not differ")
    needed = _needed(families, difference, target, shared)
    limit = "more loops do not help on so few games" if shared else f"more than {MAX_LOOPS:,} loops"
    return PowerRow(
        **row,
        power=_power(families, loops, difference, shared),
        needed=needed,
        reason="" if needed else limit,
    )


def _needed(families: Sequence[_Family], difference: float, target: float, shared: bool) -> int | None:
    """Return the smallest number of loops that reaches the target; None if MAX_LOOPS do not."""
    too_few, enough = 1, 2
    while _power(families, enough, difference, shared) < target:
        too_few, enough = enough, 2 * enough
        if too_few >= MAX_LOOPS:
            return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if _power(families, middle, difference, shared) < target:
            too_few = middle
        else:
            enough = middle
    return enough


def _power(families: Sequence[_Family], loops: int, difference: float, shared: bool) -> float:
    """Return the probability that a difference is significant with so many loops per family."""
    if smallest_p([(loops, family.tasks) for family in families], shared=shared) > ALPHA:
        return 0.0
    if loops <= MAX_SIMULATED_LOOPS if shared else loops * len(families) <= MAX_SIMULATED_PAIRS:
        return _simulated_power(families, loops, difference, shared)
    from scipy.stats import nct, t  # takes 0.5 s to import

    errors = [family.errors(loops, difference, shared) for family in families]
    true, used = (sum(error[place] for error in errors) / len(families) ** 2 for place in (0, 1))
    if true == 0:
        return float(difference > t.ppf(1 - ALPHA / 2, loops - 1) * used**0.5)
    freedom = sum(error for _, error, _ in errors) ** 2 / sum(error**2 / free for _, error, free in errors if error)
    critical = t.ppf(1 - ALPHA / 2, freedom) * (used / true) ** 0.5
    return float(nct.sf(critical, freedom, difference / true**0.5))


def _simulated_power(families: Sequence[_Family], loops: int, difference: float, shared: bool) -> float:
    rng = np.random.default_rng(SEED)
    drawn = [difference + family.noise(rng, loops, shared) for family in families]
    ps = crossed_ps(drawn) if shared else sign_flip_ps([sample[..., 0] for sample in drawn])
    return float(np.mean(ps <= ALPHA))

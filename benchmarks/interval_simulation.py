"""Simulated results whose true measures are known, for `interval_coverage.py`.

- Tasks are alike, or differ: then each has its own probability of success under prompt[0], from a beta distribution in
  which most tasks are easy or hopeless.
- A share of the loops keeps prompt[0]; the others find a prompt of strength u, uniform in a range. A task with
  probability p under prompt[0] then has p + u(1 - p), or p(1 + u) if u is negative.
- Shared games: all loops have the same tasks, and prompt[0] plays each of them once.
- Several families: the last has the whole range of strengths, the others a part of it.
- `over other` is the difference from a second arm on the same tasks that never keeps prompt[0], `over equal` from one
  that keeps it as often.
- `transfer` is the gain of another actor under the same prompts minus the gain: they have half of their strength for
  it, and it solves other tasks under prompt[0].
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ictbench.results.intervals import Changes, Sample, mean_ends
from ictbench.results.samples import changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TURNS, BATCH = 3, 3
OVERFITTED = 0.3
"""Additional strength of a prompt on the batch it was derived from."""
TRANSFERRED = 0.5
"""Part of a prompt's strength for another actor."""
INVALID, MAX_STEPS = 0.1, 25
"""Share of invalid decisions under prompt[0]; maximum number of decisions of an episode."""
SIZES = ((3, 20), (5, 20), (10, 50))
KEPT = (0.0, 0.3, 0.5, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Rates:
    """Success rate under prompt[0], and the range of strengths of the prompts that loops find."""

    name: str
    base: float
    low: float
    high: float

    def improved(self, part: float = 1.0) -> float:
        """Return the mean success rate under the prompts that loops find, with a part of their strength."""
        strengths = np.linspace(self.low, self.high, 10001) * part
        return float(np.mean(solved_with(np.full(1, self.base), strengths)))


RATES = (
    Rates("near 0", 0.03, 0.0, 0.1),
    Rates("middle", 0.5, -0.4, 0.8),
    Rates("near 1", 0.97, -0.1, 0.6),
    Rates("0 to 1", 0.03, 0.9, 1.0),
)


@dataclass(frozen=True)
class Cell:
    """One cell of the simulation."""

    loops: int
    tasks: int
    families: int
    shared: bool
    differ: bool
    """Whether the tasks of a family differ."""
    rates: Rates
    kept: float
    """Share of loops that keep prompt[0]."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The cell in words."""
        games, tasks = "shared" if self.shared else "own", "differ" if self.differ else "alike"
        return f"{self.loops} x {self.tasks}", str(self.families), games, tasks, self.rates.name, f"{self.kept:g}"

    @cached_property
    def family_rates(self) -> list[Rates]:
        """Rates of each family: equal bases, increasing strengths."""
        shares = [(number + 1) / self.families for number in range(self.families)]
        return [replace(self.rates, low=self.rates.low * s, high=self.rates.high * s) for s in shares]

    @cached_property
    def truths(self) -> dict[str, float]:
        """True values of the measures."""
        base, improved = self.rates.base, self._improved(1.0)
        gain = (1 - self.kept) * (improved - base)
        return {
            "base": base,
            "best": base + gain,
            "gain": gain,
            "headroom gain": gain / (1 - base),
            "AUC": base
            + (1 - self.kept) * sum(self._improved(t / TURNS) - base for t in range(TURNS + 1)) / (TURNS + 1),
            "overfitting gap": (1 - self.kept) * float(np.mean([_gap(rates) for rates in self.family_rates])),
            "over other": base + gain - improved,
            "over equal": 0.0,
            "transfer": (1 - self.kept) * (self._improved(TRANSFERRED) - improved),
            "invalid": INVALID * (self.kept + (1 - self.kept) / 2),
        }

    def _improved(self, part: float) -> float:
        return float(np.mean([rates.improved(part) for rates in self.family_rates]))


CELLS = [
    Cell(loops, tasks, families, shared, differ, rates, kept)
    for (loops, tasks), families, shared, differ, rates, kept in itertools.product(
        SIZES, (1, 4), (False, True), (False, True), RATES, KEPT
    )
]


class Simulated(NamedTuple):
    """Samples of one measure, one per family, whose mean is the measure or, for a ratio, 0."""

    samples: list[Sample]
    truth: float
    shared: bool
    per: float = 1.0
    """What the width of the interval is divided by: for a ratio, its denominator."""


def simulate(cell: Cell, samples: int, rng: np.random.Generator) -> dict[str, Simulated]:
    """Return this many simulated results, by measure."""
    families = [_Family(cell, rates, samples, rng) for rates in cell.family_rates]
    truths, shared = cell.truths, cell.shared
    level = mean_ends([family.level for family in families], shared=shared)
    ratio, room = truths["headroom gain"], 1 - truths["base"]
    by_measure = {
        "base": [family.level for family in families],
        "best": [family.best_level() for family in families],
        "gain": [family.gain(0.0, level.low, level.high) for family in families],
        "headroom gain": [family.gain(ratio, level.low, level.high) for family in families],
        "AUC": [family.auc() for family in families],
        "overfitting gap": [family.gap() for family in families],
        "over other": [family.difference(family.other, family.never) for family in families],
        "over equal": [family.difference(family.equal, family.equal_kept) for family in families],
        "invalid": [family.invalid(truths["invalid"]) for family in families],
    }
    ratios = {"headroom gain": room, "invalid": (5 + MAX_STEPS) / 2 / MAX_STEPS}
    return {
        name: Simulated(
            found, 0.0 if name in ratios else truths[name], shared and name != "overfitting gap", ratios.get(name, 1.0)
        )
        for name, found in by_measure.items()
    }


def simulate_transfer(cell: Cell, samples: int, rng: np.random.Generator) -> dict[str, Simulated]:
    """Return this many simulated transfers of prompts to another actor."""
    families = [_Family(cell, rates, samples, rng) for rates in cell.family_rates]
    others = [family.another_actor() for family in families]
    level, other_level = (mean_ends([one.level for one in played], shared=cell.shared) for played in (families, others))
    found = [
        Sample(
            other.gains - family.gains,
            (-2.0, 2.0),
            (other.gain(0.0, *other_level[1:]).changes[0], -family.gain(0.0, *level[1:]).changes[0]),
        )
        for family, other in zip(families, others, strict=True)
    ]
    return {"transfer": Simulated(found, cell.truths["transfer"], cell.shared)}


def solved_with(chance: Floats, strength: Floats) -> Floats:
    """Return the probability of success under a prompt of this strength, given that under prompt[0]."""
    return np.where(strength > 0, chance + strength * (1 - chance), chance * (1 + strength))


class _Family:
    """Simulated outcomes of one family; arrays are samples × loops × tasks."""

    def __init__(self, cell: Cell, rates: Rates, samples: int, rng: np.random.Generator) -> None:
        self._rng, self._rates, self._differ = rng, rates, cell.differ
        self._shape = (samples, cell.loops, cell.tasks)
        by_loop = (samples, cell.loops, 1)
        self._kept, equal_kept = (rng.random(by_loop) < cell.kept for _ in range(2))
        self._strength = rng.uniform(rates.low, rates.high, by_loop)
        self._chance = self._chances((samples, 1 if cell.shared else cell.loops, cell.tasks))
        self._base = np.broadcast_to(self._play(self._chance), self._shape)
        self.kept, self.equal_kept, self.never = self._kept[..., 0], equal_kept[..., 0], np.zeros(by_loop[:2], bool)
        self.best = self._played(self._kept, self._strength)
        self.other = self._played(np.zeros_like(self._kept), rng.uniform(rates.low, rates.high, by_loop))
        self.equal = self._played(equal_kept, rng.uniform(rates.low, rates.high, by_loop))

    @property
    def level(self) -> Sample:
        return Sample(self._base, (0.0, 1.0))

    @property
    def gains(self) -> Floats:
        return self.best - self._base

    def another_actor(self) -> _Family:
        """Return outcomes of another actor under the same prompts."""
        other = copy.copy(self)
        other._chance = self._chances(self._chance.shape)
        other._base = np.broadcast_to(self._play(other._chance), self._shape)
        other.best = other._played(self._kept, self._strength * TRANSFERRED)
        return other

    def best_level(self) -> Sample:
        return Sample(self.best, (0.0, 1.0), (self._changes(self.best, self.kept),))

    def gain(self, ratio: float, low: Floats, high: Floats) -> Sample:
        """Return the gain minus a share of the headroom; `low` and `high` are the ends of the interval of the base."""
        limits = min(-1.0, -ratio), max(1.0, 1.0 - ratio)
        change = Changes((self.best - self._base).mean(axis=-1), self.kept, -high, 1 - low)
        return Sample(self.best - self._base - ratio * (1 - self._base), limits, (change,))

    def difference(self, other: Floats, kept: NDArray[np.bool_]) -> Sample:
        return Sample(
            self.best - other, (-1.0, 1.0), (self._changes(self.best, self.kept), -self._changes(other, kept))
        )

    def auc(self) -> Sample:
        """Return the mean success over turns; prompt i has i/N of the loop's strength."""
        played = [self._base] + [self._played(self._kept, self._strength * t / TURNS) for t in range(1, TURNS + 1)]
        curve = np.mean(played, axis=0)
        return Sample(curve, (0.0, 1.0), (self._changes(curve, self.kept, TURNS / (TURNS + 1)),))

    def gap(self) -> Sample:
        """Return the gain on the own batch minus the gain on the next one, for every turn except the last."""
        own, following = (self._chances((*self._shape[:2], (TURNS - 1) * BATCH)) for _ in range(2))
        before = self._play(own), self._play(following)
        replayed = self._play(solved_with(own, np.minimum(1.0, abs(self._strength) * 0.5 + OVERFITTED)))
        after = self._play(solved_with(following, abs(self._strength) * 0.5))
        gaps = np.where(self._kept, 0.0, (replayed - before[0]) - (after - before[1]))
        return Sample(gaps, (-2.0, 2.0), (Changes(gaps.mean(axis=-1), self.kept, -1.0, 1.0),))

    def invalid(self, ratio: float) -> Sample:
        """Return the invalid decisions minus a share of all; half of the episodes have none."""
        decisions = self._rng.integers(5, MAX_STEPS, self._shape, endpoint=True)
        often = self._rng.random(self._shape) < 0.5
        rates = (np.full_like(self._kept, INVALID, float), np.where(self._kept, INVALID, INVALID / 2))
        before, best = (self._rng.binomial(decisions, np.where(often, 2 * rate, 0.0)) for rate in rates)
        best = np.where(self._kept, before, best)
        base, values = ((one - ratio * decisions) / MAX_STEPS for one in (before, best))
        mean = base.mean(axis=(-2, -1))
        change = Changes((values - base).mean(axis=-1), self.kept, -ratio - mean, 1 - ratio - mean)
        return Sample(values, (-ratio, 1 - ratio), (change,))

    def _changes(self, values: Floats, kept: NDArray[np.bool_], weight: float = 1.0) -> Changes:
        return changes(values, self._base, kept, weight=weight)

    def _chances(self, shape: tuple[int, ...]) -> Floats:
        base = self._rates.base
        return self._rng.beta(2 * base, 2 * (1 - base), shape) if self._differ else np.full(shape, base)

    def _play(self, chance: Floats) -> Floats:
        return (self._rng.random(chance.shape, np.float32) < chance).astype(float)

    def _played(self, kept: NDArray[np.bool_], strength: Floats) -> Floats:
        return np.where(kept, self._base, self._play(solved_with(self._chance, strength)))


def _gap(rates: Rates) -> float:
    """Return the true overfitting gap of loops that find a prompt, with strengths cut off at 1."""
    strengths = abs(np.linspace(rates.low, rates.high, 10001)) * 0.5
    return float(np.mean(np.minimum(1.0, strengths + OVERFITTED) - strengths)) * (1 - rates.base)

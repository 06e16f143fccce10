"""Coverage of the 95 % intervals of a result, on simulated results whose truth is known.

    python benchmarks/interval_coverage.py [--quick] [--samples 4000] [--without-kept]

- Tasks differ: each has its own probability of success under prompt[0], from a beta distribution in which most tasks
  are easy or hopeless.
- Loops differ: 30 % keep prompt[0]; the others find a prompt of strength u, uniform in a range. A task with
  probability p under prompt[0] then has p + u(1 - p), or p(1 + u) if u is negative.
- Shared games: all loops have the same tasks, and prompt[0] plays each of them once.
- Several families: the last has the whole range of strengths, the others a part of it.
- `difference` is the difference from a second arm on the same tasks, which never keeps prompt[0].

`--without-kept` omits the lower bound of standard errors that allows for loops which keep prompt[0].
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ictbench.results.formatting import markdown_row, markdown_table
from ictbench.results.intervals import Estimate, Sample, estimate, share_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KEPT = 0.3
"""Share of loops that keep prompt[0]."""
TURNS, BATCH = 3, 3
OVERFITTED = 0.3
"""Additional strength of a prompt on the batch it was derived from."""
INVALID, MAX_STEPS = 0.1, 25
"""Share of invalid decisions under prompt[0]; maximum number of decisions of an episode."""
MANY_LOOPS = 200
BATCH_OF_SAMPLES = 200
"""Samples simulated at a time, so that arrays fit in the processor's cache."""
SIZES = ((3, 20), (5, 20), (10, 50))


@dataclass(frozen=True, slots=True)
class Rates:
    """Success rate under prompt[0], and the range of strengths of the prompts that loops find."""

    name: str
    base: float
    low: float
    high: float

    def improved(self) -> float:
        """Return the mean success rate under the prompts that loops find."""
        strengths = np.linspace(self.low, self.high, 10001)
        return float(np.mean(solved_with(np.full(1, self.base), strengths)))

    def best(self) -> float:
        """Return the mean success rate under the best prompts of all loops."""
        return KEPT * self.base + (1 - KEPT) * self.improved()


RATES = (
    Rates("near 0", 0.03, 0.0, 0.1),
    Rates("middle", 0.5, -0.4, 0.8),
    Rates("near 1", 0.97, -0.1, 0.6),
    Rates("0 to 1", 0.03, 0.9, 1.0),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the simulation, a row of the table."""

    loops: int
    tasks: int
    families: int
    shared: bool
    rates: Rates

    def columns(self) -> tuple[str, str, str, str]:
        """Return the columns of the table that describe the cell."""
        games = "shared" if self.shared else "own"
        return f"{self.loops} x {self.tasks}", str(self.families), games, self.rates.name

    def families_rates(self) -> list[Rates]:
        """Return the rates of each family: equal bases, increasing strengths."""
        shares = [(number + 1) / self.families for number in range(self.families)]
        return [replace(self.rates, low=self.rates.low * s, high=self.rates.high * s) for s in shares]


CELLS = [
    Cell(loops, tasks, families, shared, rates)
    for (loops, tasks), families, shared, rates in itertools.product(SIZES, (1, 4), (False, True), RATES)
]


def solved_with(chance: Floats, strength: Floats) -> Floats:
    """Return the probability of success under a prompt of this strength, given that under prompt[0]."""
    return np.where(strength > 0, chance + strength * (1 - chance), chance * (1 + strength))


class Family:
    """Simulated samples of one family; arrays are samples x loops x tasks."""

    def __init__(self, cell: Cell, rates: Rates, samples: int, rng: np.random.Generator) -> None:
        self._rng, self._rates = rng, rates
        shape = (samples, cell.loops, cell.tasks)
        self._kept = rng.random((samples, cell.loops, 1)) < KEPT
        self._strength = rng.uniform(rates.low, rates.high, (samples, cell.loops, 1))
        chance = self._chances((samples, 1 if cell.shared else cell.loops, cell.tasks))
        base = self._play(chance)
        self._chance, self._base = chance, base
        self.base = np.broadcast_to(base, shape)
        self.best = np.where(self._kept, self.base, self._play(solved_with(chance, self._strength)))
        other = rng.uniform(rates.low, rates.high, self._strength.shape)
        self.other = self._play(solved_with(chance, other))
        self.curve = self._curve(chance, shape)
        self.gaps = self._gaps(samples, cell.loops)
        self.decisions = rng.integers(5, MAX_STEPS, shape, endpoint=True).astype(float)
        self.invalid = self._invalid()

    def losing(self, loops: int) -> Floats:
        """Return, by sample, the share of this many further loops with a negative gain, on the same games if shared."""
        chance, base = self._chance, self._base
        if chance.shape[1] > 1:
            chance = self._chances((len(chance), loops, chance.shape[2]))
            base = self._play(chance)
        strength = self._rng.uniform(self._rates.low, self._rates.high, (len(chance), loops, 1))
        lost = (self._play(solved_with(chance, strength)) - base).sum(axis=-1) < 0
        return np.asarray(lost.mean(axis=-1) * (1 - KEPT))

    def _chances(self, shape: tuple[int, ...]) -> Floats:
        return self._rng.beta(2 * self._rates.base, 2 * (1 - self._rates.base), shape)

    def _play(self, chance: Floats) -> Floats:
        return (self._rng.random(chance.shape) < chance).astype(float)

    def _curve(self, chance: Floats, shape: tuple[int, ...]) -> Floats:
        """Return the mean success over turns; prompt i has i/N of the loop's strength."""
        played = [self.base]
        for turn in range(1, TURNS + 1):
            outcomes = self._play(solved_with(chance, self._strength * turn / TURNS))
            played.append(np.where(self._kept, self.base, outcomes))
        return np.asarray(np.mean([np.broadcast_to(one, shape) for one in played], axis=0))

    def _gaps(self, samples: int, loops: int) -> Floats:
        """Return the gain on the own batch minus the gain on the next one, for every turn except the last."""
        chances = [self._chances((samples, loops, (TURNS - 1) * BATCH)) for _ in range(2)]
        before = [self._play(chance) for chance in chances]
        own, following = chances
        replayed = self._play(solved_with(own, np.minimum(1.0, abs(self._strength) * 0.5 + OVERFITTED)))
        after = self._play(solved_with(following, abs(self._strength) * 0.5))
        return np.where(self._kept, 0.0, (replayed - before[0]) - (after - before[1]))

    def _invalid(self) -> Floats:
        """Return the invalid decisions: in half of the episodes, and half as many if a new prompt was found."""
        rate = np.where(self._kept, INVALID, INVALID / 2)
        often = self._rng.random(self.decisions.shape) < 0.5
        return np.asarray(self._rng.binomial(self.decisions.astype(int), np.where(often, 2 * rate, 0.0)), dtype=float)

    def gap(self) -> float:
        """Return the true overfitting gap, with strengths cut off at 1."""
        strengths = abs(np.linspace(self._rates.low, self._rates.high, 10001)) * 0.5
        return float(np.mean(np.minimum(1.0, strengths + OVERFITTED) - strengths)) * (1 - self._rates.base) * (1 - KEPT)


def coverage(cell: Cell, samples: int, allow_kept: bool, rng: np.random.Generator) -> dict[str, float]:
    """Return, by measure, the share of samples whose interval covers the truth."""
    rates = cell.families_rates()
    families = [Family(cell, one, samples, rng) for one in rates]
    base, best = cell.rates.base, float(np.mean([one.best() for one in rates]))
    improved = float(np.mean([one.improved() for one in rates]))
    curve = float(np.mean([auc(one) for one in rates]))
    headroom, invalid = (best - base) / (1 - base), INVALID * (KEPT + (1 - KEPT) / 2)

    def covered(values: list[Floats], kept: list[list[Floats]], truth: float, **settings: float | bool) -> float:
        pairs = [np.stack([one.mean(axis=(-2, -1)) for one in both], axis=-1) for both in kept]
        sample = [Sample(v, pair if allow_kept else None) for v, pair in zip(values, pairs, strict=True)]
        return share_covered(estimate(sample, **{"shared": cell.shared, **settings}), truth)  # type: ignore[arg-type]

    zero = [[np.zeros((samples, 1, 1))] * 2] * len(families)
    return {
        "base": share_covered(estimate([Sample(f.base) for f in families], shared=cell.shared), base),
        "best": covered([f.best for f in families], [[f.base] * 2 for f in families], best),
        "gain": covered([f.best - f.base for f in families], zero, best - base),
        "headroom gain": covered(
            [f.best - f.base - headroom * (1 - f.base) for f in families],
            [[-headroom * (1 - f.base)] * 2 for f in families],
            0.0,
        ),
        "AUC": covered([f.curve for f in families], [[f.base] * 2 for f in families], curve),
        "overfitting gap": covered(
            [f.gaps for f in families], zero, float(np.mean([f.gap() for f in families])), scale=2.0, shared=False
        ),
        "difference": covered(
            [f.best - f.other for f in families],
            [[f.base - f.other, f.best - f.base] for f in families],
            best - improved,
        ),
        "invalid": covered(
            [(f.invalid - invalid * f.decisions) / MAX_STEPS for f in families],
            [[(INVALID - invalid) * f.decisions / MAX_STEPS] * 2 for f in families],
            0.0,
        ),
        "negative transfer": negative_covered(families, cell),
    }


def auc(rates: Rates) -> float:
    """Return the true area under the curve."""
    by_turn = [replace(rates, low=rates.low * t / TURNS, high=rates.high * t / TURNS) for t in range(TURNS + 1)]
    return float(np.mean([one.best() for one in by_turn]))


def negative_covered(families: list[Family], cell: Cell) -> float:
    """Return the coverage of negative transfer.

    The truth is the share in many further loops, on the same games if they are shared.
    """
    counts = sum(((f.best - f.base).sum(axis=-1) < 0).sum(axis=-1) for f in families)
    truth = np.mean([f.losing(MANY_LOOPS) for f in families], axis=0)
    if not cell.shared:
        truth = truth.mean()
    total = cell.loops * len(families)
    intervals = [share_interval(count, total) for count in range(total + 1)]
    low, high = np.array([[one.low, one.high] for one in intervals], dtype=float)[counts].T
    return float(np.mean((low <= truth) & (truth <= high)))


def share_covered(estimated: Estimate, truth: float) -> float:
    """Return the share of samples whose interval covers the truth."""
    return float(np.mean(abs(estimated.value - truth) <= estimated.half_width()))


def main() -> None:
    """Run the simulation and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=4000, help="samples per cell")
    parser.add_argument("--quick", action="store_true", help="400 samples per cell")
    parser.add_argument("--without-kept", action="store_true", help="omit the bound for loops that keep prompt[0]")
    arguments = parser.parse_args()
    batches = (400 if arguments.quick else arguments.samples) // BATCH_OF_SAMPLES
    least: dict[str, float] = {}
    for number, cell in enumerate(CELLS):
        rng = np.random.default_rng(number)
        parts = [coverage(cell, BATCH_OF_SAMPLES, not arguments.without_kept, rng) for _ in range(batches)]
        shares = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
        if not least:
            print(markdown_table(("loops x tasks", "families", "games", "rates", *shares), ()))
        least = {name: min(share, least.get(name, 1.0)) for name, share in shares.items()}
        print(markdown_row((*cell.columns(), *(f"{share:.3f}" for share in shares.values()))), flush=True)
    print(markdown_row(("least", "", "", "", *(f"{share:.3f}" for share in least.values()))))


if __name__ == "__main__":
    main()

"""False positives and power of the tests of `compare`, `check` and board ranks, on simulated results.

    python benchmarks/false_positives.py [--quick] [--samples 500] [--by-cell]

Results are simulated in which nothing differs, and the table shows how often a test says that something does, at a
nominal 5 %. Each row is the worst over tasks (alike, or each with its own difficulty), rates, and shares of loops that
keep prompt[0]; `--by-cell` prints each of them. Cells above 6 % are simulated again with 8, then 40 times as many
samples.

- `equal`: two arms with the same distribution. A share of the loops keeps prompt[0]; the others find prompts of
  strengths that are uniform in a range. A task with probability p under prompt[0] then has p + u(1 - p), or p(1 + u) if
  u is negative.
- `constant`: two constant prompts of equal worth that solve different tasks. `reworded`: prompt[0] against a new
  wording of equal worth in every loop. On shared games one prompt plays each game once, whatever the loop.
- `unlike`: a mean that is equal, from an arm whose loops keep prompt[0] or find much, and one whose loops all find a
  little. No part of the other columns, as two such arms are not equal.

| column | shows |
|---|---|
| compare | `equal`, `constant`, `reworded`: p ≤ 0.05, mean over families |
| families | any family significant, after Holm's correction |
| check | one-sided p ≤ 0.05, mean over families |
| ranks | any of 6 equal entries of a board separated from another |
| flips | what sign flips of whole loops do (on shared games: what was used before the crossed test) |
| power | of compare, against an arm that always keeps prompt[0], by share of loops that keep it |

Then boards of many entries: equal entries that are separated, entries of different levels that are, and the time.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ictbench.results.all_pairs import STATISTIC_FLOOR, TOLERANCE, all_pairs_p
from ictbench.results.formatting import markdown_row, markdown_table
from ictbench.results.significance import ALPHA, MAX_EXACT_PAIRS, crossed_ps, paired_p, sign_flip_ps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIZES = ((3, 20), (5, 20), (10, 50))
KEPT = (0.0, 0.3, 0.5, 0.6, 0.8)
ENTRIES = 6
RESAMPLES = 499
"""Random sign vectors for more than 16 pairs; ictbench uses more."""
BATCH = 250
"""Samples simulated at a time."""
LIMIT, REPEATED = 0.06, (8, 40)
"""A cell in which a test rejects more often is simulated again, with these many times as many samples."""
COLUMNS = ("compare", "families", "check", "ranks")


class Rates(NamedTuple):
    """Success rate under prompt[0], and the range of strengths of the prompts that loops find."""

    name: str
    base: float
    low: float
    high: float


RATES = (
    Rates("near 0", 0.03, 0.0, 0.1),
    Rates("middle", 0.5, -0.4, 0.8),
    Rates("near 1", 0.97, -0.1, 0.6),
    Rates("0 to 1", 0.03, 0.9, 1.0),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the simulation."""

    loops: int
    tasks: int
    families: int
    shared: bool
    rates: Rates
    differ: bool
    """Whether the tasks differ."""
    kept: float
    """Share of loops that keep prompt[0]."""

    @property
    def row(self) -> tuple[str, str, str]:
        """Row of the table."""
        return f"{self.loops} x {self.tasks}", str(self.families), "shared" if self.shared else "own"

    @property
    def name(self) -> tuple[str, ...]:
        """The cell in words."""
        return *self.row, self.rates.name, "differ" if self.differ else "alike", f"{self.kept:g}"


CELLS = [
    Cell(*size, families, shared, rates, differ, kept)
    for size, families, shared, rates, differ, kept in itertools.product(
        SIZES, (1, 4), (False, True), RATES, (False, True), KEPT
    )
]


class Family:
    """Simulated tasks of one family, and arms that play them; outcomes are samples × loops × tasks."""

    def __init__(self, cell: Cell, samples: int, rng: np.random.Generator) -> None:
        self._cell, self._rng = cell, rng
        self._shape = (samples, cell.loops, cell.tasks)
        base = cell.rates.base
        size = (samples, 1 if cell.shared else cell.loops, cell.tasks)
        self._chance = rng.beta(2 * base, 2 * (1 - base), size) if cell.differ else np.full(size, base)
        self.unchanged = self.constant(0.0)

    def constant(self, strength: float) -> Floats:
        """Return the outcomes of one prompt in all loops."""
        return np.broadcast_to(self._play(solved_with(self._chance, np.array(strength))), self._shape)

    def reworded(self) -> Floats:
        """Return the outcomes of prompts that are as good as prompt[0], a new one in each loop."""
        return self._play(np.broadcast_to(self._chance, self._shape))

    def learner(self) -> Floats:
        """Return the outcomes of an arm whose loops keep prompt[0] or find a prompt."""
        rates, by_loop = self._cell.rates, (*self._shape[:2], 1)
        strength = self._rng.uniform(rates.low, rates.high, by_loop)
        kept = self._rng.random(by_loop) < self._cell.kept
        return np.where(kept, self.unchanged, self._play(solved_with(self._chance, strength)))

    def unlike(self) -> Floats:
        """Return the outcomes of an arm as good as `learner` on average, whose loops all do the same."""
        rates = self._cell.rates
        strengths = np.linspace(rates.low, rates.high, 51)
        found = np.mean([solved_with(self._chance, np.array(one)) for one in strengths], axis=0)
        chance = self._cell.kept * self._chance + (1 - self._cell.kept) * found
        return self._play(np.broadcast_to(chance, self._shape))

    def _play(self, chance: Floats) -> Floats:
        return (self._rng.random(chance.shape) < chance).astype(float)


def solved_with(chance: Floats, strength: Floats) -> Floats:
    """Return the probability of success under a prompt of this strength, given that under prompt[0]."""
    return np.where(strength > 0, chance + strength * (1 - chance), chance * (1 + strength))


def nulls(cell: Cell, families: list[Family]) -> Iterator[tuple[str, list[Floats]]]:
    """Yield differences of arms that are equal, by name, one array per family."""
    yield "equal", [family.learner() - family.learner() for family in families]
    if not cell.kept:
        strength = (cell.rates.low + cell.rates.high) / 2
        yield "constant", [family.constant(strength) - family.constant(strength) for family in families]
        yield "reworded", [family.reworded() - family.unchanged for family in families]
    else:
        yield "unlike", [family.learner() - family.unlike() for family in families]


def measure(cell: Cell, samples: int, rng: np.random.Generator) -> dict[tuple[str, str], float]:
    """Return the share of samples in which a test rejects, by column and null hypothesis."""
    families = [Family(cell, samples, rng) for _ in range(cell.families)]
    found: dict[tuple[str, str], float] = {}
    for null, values in nulls(cell, families):
        two, one = (p_values(values, cell.shared, alternative) for alternative in ("two-sided", "less"))
        single = np.array([p_values([family], cell.shared, "two-sided") for family in values])
        if cell.families * cell.loops <= MAX_EXACT_PAIRS:
            assert np.isclose(two[0], paired_p([family[0] for family in values], shared=cell.shared))
        if null == "unlike":
            found["unlike", null] = share(two)
            continue
        found["compare", null] = share(two)
        found["check", null] = share(one)
        found["families", null] = share(single.min(axis=0) * len(values))
        found["flips", null] = share(p_values(values, False, "two-sided"))
    boards = [np.stack([family.learner() for _ in range(ENTRIES)], axis=1) for family in families]
    found["ranks", "equal"] = share(smallest_of_board(boards, cell.shared))
    if not cell.kept:
        prompts = [
            np.stack([f.unchanged, f.constant(0.0), *(f.reworded() for _ in range(ENTRIES - 2))], axis=1)
            for f in families
        ]
        found["ranks", "reworded"] = share(smallest_of_board(prompts, cell.shared))
    gains = [family.learner() - family.unchanged for family in families]
    found[f"power, {cell.kept:g} kept", ""] = share(p_values(gains, cell.shared, "two-sided"))
    return found


def simulate(cell: Cell, samples: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the shares of a cell, the worst of its null hypotheses.

    If one is high, they are those of new and more samples, so that the worst of 480 cells is no accident.
    """
    for count in (samples, *(times * samples for times in REPEATED)):
        parts = [measure(cell, BATCH, rng) for _ in range(-(-count // BATCH))]
        shares: defaultdict[str, float] = defaultdict(float)
        for column, null in parts[0]:
            shares[column] = max(shares[column], float(np.mean([part[column, null] for part in parts])))
        if max(shares[name] for name in COLUMNS) <= LIMIT:
            break
    return shares


def share(ps: Floats) -> float:
    """Return the share of samples that are significant."""
    return float(np.mean(ps <= ALPHA))


def p_values(families: list[Floats], shared: bool, alternative: str) -> Floats:
    """Return the p-values of many samples."""
    if shared:
        return np.asarray(crossed_ps(families, 1.0, alternative))  # type: ignore[arg-type]
    means = [family.mean(axis=-1) for family in families]
    return np.asarray(sign_flip_ps(means, alternative, resamples=RESAMPLES))  # type: ignore[arg-type]


def smallest_of_board(families: list[Floats], shared: bool) -> Floats:
    """Return the smallest p-value of each board; families are boards × entries × loops × tasks.

    Equals the smallest of `all_pairs_p`, which takes one board at a time.
    """
    one, other = np.triu_indices(families[0].shape[1], 1)
    if shared:
        ps = [crossed_ps([family[:, a] - family[:, b] for family in families]) for a, b in zip(one, other, strict=True)]
        smallest = np.minimum(1.0, np.min(ps, axis=0) * len(one))
    else:
        loops = np.concatenate([f.mean(axis=-1) / f.shape[2] for f in families], axis=2) / len(families)
        differences = loops[:, one] - loops[:, other]
        divisor = np.sqrt(differences.shape[-1] * (differences**2).sum(axis=-1) + STATISTIC_FLOOR**2)
        observed = (abs(differences.sum(axis=-1)) / divisor).max(axis=-1)
        signs = sign_vectors(differences.shape[-1])
        as_extreme = np.zeros(len(observed))
        for some in np.array_split(signs, -(-len(signs) // 64)):
            largest = (abs(differences @ some.T) / divisor[..., None]).max(axis=1)
            as_extreme += (largest >= observed[:, None] - TOLERANCE).sum(axis=1)
        smallest = as_extreme / len(signs)
    if shared or families[0].shape[2] * len(families) <= MAX_EXACT_PAIRS:
        expected = all_pairs_p([family[0] for family in families], shared=shared).min()
        assert np.isclose(smallest[0], expected), (smallest[0], expected)
    return np.asarray(smallest)


def sign_vectors(pairs: int) -> Floats:
    """Return one of each pair of opposite sign vectors, or the observed and random ones."""
    if pairs <= 12:
        return np.asarray(1.0 - 2.0 * (np.arange(2 ** (pairs - 1))[:, None] >> np.arange(pairs) & 1))
    random = np.random.default_rng(0).choice((-1.0, 1.0), (RESAMPLES, pairs))
    return np.concatenate([np.ones((1, pairs)), random])


def print_cells(samples: int, by_cell: bool) -> None:
    """Simulate all cells; print the worst of each row, and the worst cells of each column."""
    columns = (*COLUMNS, "flips", "unlike")
    powers = [f"power, {kept:g} kept" for kept in (0.0, 0.5, 0.8)]
    rows: defaultdict[tuple[str, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    worst: dict[str, tuple[float, tuple[str, ...]]] = {}
    for number, cell in enumerate(CELLS):
        shares = simulate(cell, samples, np.random.default_rng(number))
        for name, value in shares.items():
            rows[cell.row][name].append(value)
            worst[name] = max(worst.get(name, (0.0, ())), (value, cell.name))
        if by_cell:
            print(markdown_row((*cell.name, *(f"{name} {value:.3f}" for name, value in shares.items()))), flush=True)
    head = ("loops x tasks", "families", "games", *columns, *powers)
    cells = (
        (*row, *(f"{100 * max(found[c]):.1f}" for c in columns), *(f"{100 * np.mean(found[p]):.0f}" for p in powers))
        for row, found in rows.items()
    )
    print(
        f"\nFalse positives in %, the worst of 40 cells per row; power in %, their mean ({samples} samples per cell)\n"
    )
    print(markdown_table(head, cells))
    for name in columns:
        value, where = worst[name]
        print(f"worst {name}: {100 * value:.1f} % in {', '.join(where)}")


def print_boards(boards: int) -> None:
    """Print what is separated on boards of many entries, in groups of ten equal ones, and the time of the largest."""
    head = (
        "entries",
        "loops x tasks x families",
        "games",
        "boards",
        "false positives",
        "0.1",
        "0.2",
        "0.3",
        "0.5",
        "CPU s",
    )
    rows = []
    for entries, size, shared in itertools.product((100, 1000), ((5, 20, 4), (10, 50, 4)), (False, True)):
        count = boards if entries == 100 else max(1, boards // 40)
        found = [board(entries, *size, shared, np.random.default_rng(seed)) for seed in range(count)]
        false, seconds = np.mean([one[0] for one in found]), np.mean([one[2] for one in found])
        separated = np.mean([one[1] for one in found], axis=0)
        name, games = " x ".join(map(str, size)), "shared" if shared else "own"
        shares = [f"{100 * part:.0f} %" for part in separated]
        rows.append((str(entries), name, games, str(count), f"{100 * false:.1f} %", *shares, f"{seconds:.1f}"))
    print("\nBoards: share with any equal entries separated; share of pairs separated, by their true difference\n")
    print(markdown_table(head, rows))


def board(
    entries: int, loops: int, tasks: int, families: int, shared: bool, rng: np.random.Generator
) -> tuple[bool, list[float], float]:
    """Return whether equal entries were separated, the share of pairs separated by true difference, and the seconds."""
    levels = np.repeat(np.linspace(0.1, 0.9, entries // 10), 10)
    outcomes = []
    for _ in range(families):
        difficulty = rng.normal(0, 0.1, (1 if shared else loops, tasks))
        luck = rng.normal(0, 0.05, (entries, loops, 1))
        chance = np.clip(levels[:, None, None] + difficulty + luck, 0, 1)
        outcomes.append((rng.random((entries, loops, tasks)) < chance).astype(float))
    start = time.process_time()
    separated = all_pairs_p(outcomes, shared=shared) <= ALPHA
    seconds = time.process_time() - start
    true = abs(levels[:, None] - levels)
    bins = ((0.05, 0.15), (0.15, 0.25), (0.25, 0.35), (0.45, 0.55))
    by_difference = [float(separated[(low < true) & (true < high)].mean()) for low, high in bins]
    return bool(separated[true == 0].any()), by_difference, seconds


def main() -> None:
    """Run the simulation and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=500, help="samples per cell")
    parser.add_argument("--quick", action="store_true", help="250 samples per cell, 40 boards")
    parser.add_argument("--by-cell", action="store_true", help="also print each cell")
    arguments = parser.parse_args()
    print_cells(BATCH if arguments.quick else arguments.samples, arguments.by_cell)
    print_boards(40 if arguments.quick else 100)


if __name__ == "__main__":
    main()

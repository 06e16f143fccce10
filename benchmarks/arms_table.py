"""Tables of an experiment: success by arm and seed, differences within a seed, and what the gate says."""

from __future__ import annotations

import csv
from collections import Counter
from statistics import fmean, stdev
from typing import TYPE_CHECKING, NamedTuple

from scipy import stats
from tabulate import tabulate

import ictbench
from ictbench.errors import UsageError
from ictbench.results.experience_gate import judge
from ictbench.results.formatting import p_value, signed
from ictbench.results.gate_text import gate_sentence
from ictbench.rules_text.rules import parse_rules
from ictbench.runs.run_folder import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.results.schema import FamilyResult

MEASURES = ("base", "last", "best", "turns")
"""Success under the first, the last and the best prompt on test tasks; mean over turns on selection tasks."""


class ArmRun(NamedTuple):
    """The run of an arm for one seed of the training."""

    name: str
    seed: int
    run: ictbench.Run


def print_seed(seed: int, arms: Sequence[ArmRun]) -> None:
    """Print differences from the first arm, which is trained, the first rules of models, and what the gate says."""
    trained, *others = (arm.run.result for arm in arms)
    families = [family.name for family in trained.families]
    print(f"\nSeed {seed}. Best of the trained reflector minus best of each other arm; p after Holm over all arms:\n")
    rows: list[list[str]] = []
    for arm, compared in zip(arms[1:], ictbench.compare(trained, *others).arms, strict=True):
        (mean,) = compared.means
        outcomes = f"{mean.losses} / {mean.ties} / {mean.wins}"
        rows.append(
            [arm.name, *(signed(-row.difference) for row in compared.rows), p_value(mean.p_corrected), outcomes]
        )
    headers = ["compared with", *families, "mean [95 %]", "p", "tasks won / tied / lost"]
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    print("\nMost frequent first rule of the written prompts, and the turns in which it occurs:\n")
    for arm in arms:
        if arm.run.result.reflector.model:
            print(f"- {arm.name}: {'; '.join(map(_first_rule, arm.run.result.families))}")
    print(f"\n{sentence(arms)}\n", flush=True)


def sentence(arms: Sequence[ArmRun]) -> str:
    """Return what the gate says of the first arm."""
    trained, *others = (arm.run.result for arm in arms)
    try:
        return gate_sentence(judge(trained, *others))
    except UsageError as error:
        return f"The gate cannot judge: {error}"


def write_tables(out: Path, runs: Sequence[ArmRun]) -> None:
    """Write `arms.csv`, by arm, seed and family, and `tables.md`, means over families by arm and seed; print these."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "arms.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["arm", "reflector", "seed", "family", "loops", *MEASURES, "unusable replies"])
        for arm in runs:
            for family in arm.run.result.families:
                unusable = family.behaviour and family.behaviour.unusable.value
                named = [arm.name, arm.run.result.reflector.label, arm.seed, family.name, len(family.loops)]
                writer.writerow([*named, *(f"{values(family)[name]:.4f}" for name in MEASURES), unusable])
    seeds = sorted({arm.seed for arm in runs})
    text = "".join(_table(runs, seeds, measure) for measure in MEASURES)
    sentences = [sentence([arm for arm in runs if arm.seed == seed]) for seed in seeds]
    text += "\n".join(f"- seed {seed}: {each}" for seed, each in zip(seeds, sentences, strict=True)) + "\n"
    write_atomically(out / "tables.md", text)
    print(text, flush=True)


def values(family: FamilyResult) -> dict[str, float]:
    """Return the measures of a family by name."""
    measures = family.measures
    assert measures is not None
    turns = fmean(interval.value for interval in measures.curve[1:])
    return {name: getattr(measures, name).value for name in MEASURES if name != "turns"} | {"turns": turns}


def _table(runs: Sequence[ArmRun], seeds: Sequence[int], measure: str) -> str:
    names = dict.fromkeys(arm.name for arm in runs)
    found = {(arm.name, arm.seed): fmean(values(family)[measure] for family in arm.run.result.families) for arm in runs}
    rows = []
    for name in names:
        by_seed = [found[name, seed] for seed in seeds]
        rows.append([name, *(f"{value:.2f}" for value in by_seed), _over_seeds(by_seed)])
    headers = [measure, *(f"seed {seed}" for seed in seeds), "mean [95 %, t over seeds]"]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True) + "\n\n"


def _over_seeds(by_seed: Sequence[float]) -> str:
    mean = fmean(by_seed)
    if len(by_seed) < 3 or len(set(by_seed)) == 1:
        return f"{mean:.2f}"
    half = float(stats.t.ppf(0.975, len(by_seed) - 1)) * stdev(by_seed) / len(by_seed) ** 0.5
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def _first_rule(family: FamilyResult) -> str:
    rules = [next(iter(parse_rules(prompt.text)), None) for loop in family.loops for prompt in loop.prompts[1:]]
    rule, count = Counter(rules).most_common(1)[0]
    return f"{family.name} {rule or 'none'} {count}/{len(rules)}"

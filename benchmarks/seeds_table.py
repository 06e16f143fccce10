"""Tables over the seeds of an experiment, by family: leads of the trained reflector, named actions and tokens.

`train_demo.py` writes them as `families.md`, and success by turn as `by-turn.csv`. A lead is success of the trained
reflector minus that of another arm with the same seed; intervals and p-values are those of Student's t over seeds.
"""

from __future__ import annotations

import argparse
import csv
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from arms_table import ArmRun, values
from scipy import stats
from tabulate import tabulate

from ictbench.results.formatting import p_value, signed_number
from ictbench.rules_text.rules import Before, Choose, action_kind, parse_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ictbench.results.schema import FamilyResult

MEASURES = {
    "turns": "mean over turns, selection tasks",
    "last": "last prompt, test tasks",
    "best": "best prompt, test tasks",
}
REQUIRED = (
    *("untrained", "trained, blind", "trained, shuffled", "trained, unlabelled", "trained, flipped"),
    *("best constant prompt", "copy", "copy-last", "copy-commonest", "random action"),
)
"""Arms that the trained reflector must lead: those of `ictbench learned`, and guessing."""
LEVEL = 0.05
MIN_SEEDS = 3
EQUAL = 1e-9
"""Largest difference of equal leads, which rounding leaves."""
SOLVING = {
    **{name: name for name in ("eat", "wear", "wield", "read", "puton", "zap", "clean", "heat", "cool")},
    "look": "use",
}
"""Actions that solve families. No single action solves another one, such as pick-two or a room."""


class Lead(NamedTuple):
    """Lead over an arm in one family: mean over seeds, interval and p-value."""

    mean: float
    low: float
    high: float
    p: float

    @classmethod
    def over(cls, leads: Sequence[float]) -> Lead:
        """Return the mean with Student's t over seeds; equal leads have no width, and p = 1 only if they are 0.

        Raises:
            ValueError: There are fewer than `MIN_SEEDS` leads, which show nothing of the seeds.
        """
        if len(leads) < MIN_SEEDS:
            raise ValueError(f"{len(leads)} seeds, at least {MIN_SEEDS} are needed")
        mean = fmean(leads)
        if max(leads) - min(leads) < EQUAL:
            return cls(mean, mean, mean, 0.0 if abs(mean) > EQUAL else 1.0)
        test = stats.ttest_1samp(leads, 0.0)
        low, high = test.confidence_interval()
        return cls(mean, float(low), float(high), float(test.pvalue))

    @property
    def shown(self) -> bool:
        """Whether the lead is shown to be above 0."""
        return self.mean > 0 and self.p <= LEVEL

    def __str__(self) -> str:
        mean, low, high = (signed_number(value, 2) for value in self[:3])
        if self.low == self.high:
            return f"{mean}, all seeds"
        return f"{mean} [{low}, {high}], {p_value(self.p)}"


def seed_list(text: str) -> list[int]:
    """Return seeds that are separated by commas, each once.

    Raises:
        argparse.ArgumentTypeError: A part is not a number from 0 on.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r}: expected numbers separated by commas, such as 0,1,2")
    return list(dict.fromkeys(map(int, parts)))


def families_text(runs: Sequence[ArmRun]) -> str:
    """Return the tables and, with at least three seeds, the families in which every required lead is shown."""
    seeds = sorted({arm.seed for arm in runs})
    names = [name for name in dict.fromkeys(arm.name for arm in runs) if name != "trained"]
    families = [family.name for family in runs[0].run.result.families]
    text, failed = "", dict[str, list[str]]()
    for measure, title in MEASURES.items() if len(seeds) >= MIN_SEEDS else ():
        success = {(arm.name, arm.seed, family.name): values(family)[measure] for arm, family in _each(runs)}
        rows = []
        for name in names:
            leads = [
                Lead.over([success["trained", seed, family] - success[name, seed, family] for seed in seeds])
                for family in families
            ]
            rows.append([name, *leads])
            for family, lead in zip(families, leads, strict=True):
                if name in REQUIRED and not lead.shown:
                    failed.setdefault(family, []).append(f"{name} ({measure})")
        headers = [f"lead over, {title}", *families]
        text += tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True) + "\n\n"
    if len(seeds) >= MIN_SEEDS:
        text += _growth(runs, families) + "\n"
        missing = [name for name in REQUIRED if name not in names]
        passed = [family for family in families if family not in failed and not missing]
        text += f"Every required lead is shown in {len(passed)} of {len(families)} families"
        text += f": {', '.join(passed)}.\n" if passed else ".\n"
        text += "".join(f"- {family}: not shown over {', '.join(arms)}\n" for family, arms in failed.items())
        text += f"Missing arms: {', '.join(missing)}.\n" if missing else ""
    return f"{text}\n{_by_turn(runs)}\n{_tokens(runs)}"


def _growth(runs: Sequence[ArmRun], families: Sequence[str]) -> str:
    """Return what the trained reflector gained over the first prompt, and from the first turn to the last."""
    changes: dict[str, dict[str, list[float]]] = {}
    for arm, family in _each(runs):
        assert family.measures is not None
        if arm.name == "trained":
            curve = [interval.value for interval in family.measures.curve]
            gains = {"gain": family.measures.gain.value, "last gain": family.measures.last_gain.value}
            for name, value in (gains | {"growth from the first turn to the last": curve[-1] - curve[1]}).items():
                changes.setdefault(name, {}).setdefault(family.name, []).append(value)
    rows = [[name, *(Lead.over(by_family[family]) for family in families)] for name, by_family in changes.items()]
    return tabulate(rows, headers=["trained", *families], tablefmt="github", disable_numparse=True) + "\n"


def write_turns(file: Path, runs: Sequence[ArmRun]) -> None:
    """Write success on selection tasks and the share of named solving actions by arm, seed, family and turn."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["arm", "seed", "family", "turn", "success", "named"])
        for arm, family in _each(runs):
            assert family.measures is not None
            for turn, interval in enumerate(family.measures.curve):
                named = [names_solution(loop.prompts[turn].text, family.name) for loop in family.loops]
                share = "" if None in named else f"{fmean(map(bool, named)):.4f}"
                writer.writerow([arm.name, arm.seed, family.name, turn, f"{interval.value:.4f}", share])


def _each(runs: Sequence[ArmRun]) -> Iterator[tuple[ArmRun, FamilyResult]]:
    return ((arm, family) for arm in runs for family in arm.run.result.families)


def names_solution(text: str, family: str) -> bool | None:
    """Check whether a prompt names the action that solves a family; None where no single action does."""
    action = SOLVING.get(family)
    if action is None:
        return None
    rules = parse_rules(text)
    orders = [rule for rule in rules if isinstance(rule, Before) and " or " not in rule.first]
    named = [rule.action for rule in rules if isinstance(rule, Choose)] + [rule.first for rule in orders]
    return action in map(action_kind, named)


def _by_turn(runs: Sequence[ArmRun]) -> str:
    """Return success and the share of prompts that name the solving action, by turn, family and arm, over all seeds."""
    success: dict[tuple[str, str], list[list[float]]] = {}
    named: dict[tuple[str, str], list[list[bool | None]]] = {}
    for arm, family in _each(runs):
        assert family.measures is not None
        success.setdefault((family.name, arm.name), []).append([one.value for one in family.measures.curve])
        for loop in family.loops:
            shares = named.setdefault((family.name, arm.name), [])
            shares.append([names_solution(prompt.text, family.name) for prompt in loop.prompts])
    rows = []
    for (family_name, arm_name), curves in sorted(success.items(), key=lambda item: item[0][0]):
        turns = [fmean(turn) for turn in zip(*curves, strict=True)]
        by_turn = list(zip(*named[family_name, arm_name], strict=True))
        rows.append([family_name, arm_name, "success", *(f"{value:.2f}" for value in turns)])
        if None not in by_turn[0]:
            rows.append(["", "", "names the solving action", *(f"{fmean(map(bool, turn)):.2f}" for turn in by_turn)])
    headers = ["family", "arm", "by turn", *range(len(rows[0]) - 3)]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True) + "\n"


def _tokens(runs: Sequence[ArmRun]) -> str:
    """Return the reflector's mean tokens per call, by arm."""
    rows = []
    for name in dict.fromkeys(arm.name for arm in runs):
        costs = [arm.run.result.cost.get("reflector") for arm in runs if arm.name == name]
        usage = [cost for cost in costs if cost and cost.calls]
        if usage:
            calls = sum(one.calls for one in usage)
            tokens = [sum(getattr(one, kind) for one in usage) for kind in ("input_tokens", "output_tokens")]
            rows.append([name, calls, *(f"{total / calls:.1f}" for total in tokens)])
    headers = ["arm", "calls", "input tokens a call", "output tokens a call"]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True) + "\n"

"""Scores of scripts that ignore outcomes, on each digest: whether a digest is fit for a learning experiment.

    python benchmarks/digest_fitness.py [--loops 10] [--suite minihack-v1] [--families eat,wear,wield]
        [--digests events,tally] [--start-prompt FILE] [--out FOLDER]

A reflector can be shown to learn from outcomes only where scripts that read the same text and ignore outcomes score
low: at most 0.8. The scripts are the controls `copy`, `copy-last` and `copy-commonest`, and the last two once more with
rules for every symbol of the text, which makes them stronger. `Contrast` is the reference that reads outcomes: it takes
the action that solved episodes have and others lack. It shows that the digest holds what is to be learned.

Columns: success on selection tasks after the first turn and on average over all turns, and on test tasks under the
last and the best prompt. The score is the average over turns: the best prompt is chosen among eleven, which rewards
guessing. The actor is scripted. Needs ictbench[minihack], or
[alfworld] for a suite of ALFWorld.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

import ictbench
from ictbench.reflectors.controls.copy import CopyCommonestReflector, CopyLastReflector, CopyReflector
from ictbench.reflectors.tally_digest import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.records import Reflection, Trajectory
    from ictbench.reflectors import Context
    from ictbench.reflectors.controls.copy import Mention
    from ictbench.results.schema import FamilyResult

SUITE = "minihack-v1"
LIMIT = 0.8
"""Highest score of a script that ignores outcomes on a digest that is fit."""
SCRIPTS = ("copy", "copy-last", "copy-commonest")
FORMATS: tuple[ExperienceFormat, ...] = ("events", "tally")
STRONGER = (
    "digest_fitness:LastAction",
    "digest_fitness:CommonestAction",
    "digest_fitness:TriedAction",
)
NOT_TRIED = OUTCOMES[frozenset()]
REFERENCE = "digest_fitness:Contrast"


class LastAction(CopyLastReflector):
    """`copy-last` with rules for every symbol."""

    symbols = None


class CommonestAction(CopyCommonestReflector):
    """`copy-commonest` with rules for every symbol."""

    symbols = None


class TriedAction(CopyReflector):
    """Rules for every symbol, and the first action that was tried, whatever came of it."""

    symbols = None

    def pick_action(self, mentions: Sequence[Mention]) -> str | None:
        """Return the first action that the text does not call untried."""
        return next((one.action for one in mentions if one.text != NOT_TRIED), None)


class Contrast(CopyReflector):
    """Reference: takes the action with the largest share of solved episodes, over all turns so far."""

    control = "it is a script for this benchmark"
    ignores = ""
    symbols = None

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Count what the text says of each action, then write the rules as `copy` does."""
        self._counts: Counter[str] = Counter(state if isinstance(state, dict) else {})
        reflection = await super().reflect(prompt, trajectories, state, context)
        return reflection.model_copy(update={"state": dict(self._counts)})

    def pick_action(self, mentions: Sequence[Mention]) -> str | None:
        """Return the action with the highest share of solved episodes; both digests say what became of an action."""
        for action, _, text in mentions:
            solved = text.startswith("solved") or "The task was solved" in text
            unsolved = "not solved" in text or not (solved or text == NOT_TRIED)
            self._counts.update({f"{action} solved": int(solved), f"{action} unsolved": int(unsolved)})
        return max(sorted({key.split()[0] for key in self._counts}), key=self._share, default=None)

    def _share(self, action: str) -> float:
        solved, unsolved = self._counts[f"{action} solved"], self._counts[f"{action} unsolved"]
        return (solved + 0.5) / (solved + unsolved + 1)


def main() -> None:
    """Run every script on every digest, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--loops", type=int, default=10, help="loops per family")
    parser.add_argument("--suite", default=SUITE)
    parser.add_argument("--families", default="eat,wear,wield", help="families, separated by commas")
    parser.add_argument("--digests", default=",".join(FORMATS), help="digests, separated by commas")
    parser.add_argument("--start-prompt", default=None, help="file of prompt[0] (default: the suite's own)")
    parser.add_argument("--out", type=Path, default=None, help="folder of the runs (default: a temporary one)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        forms = [form for form in FORMATS if form in arguments.digests.split(",")]
        rows, scores = measure(
            arguments.out or Path(temporary),
            arguments.families,
            arguments.loops,
            forms=forms,
            suite=arguments.suite,
            start_prompt=arguments.start_prompt,
        )
    print(tabulate(rows, headers=["digest", "script", "family", "turn 1", "turns", "last", "best"], tablefmt="github"))
    for form in forms:
        named, stronger = (max(scores[form, script] for script in group) for group in (SCRIPTS, STRONGER))
        fit = "fit" if max(named, stronger) <= LIMIT else "not fit"
        print(
            f"{form}: {fit} (limit {LIMIT}); highest score of the controls {named:.2f}, of the stronger {stronger:.2f}"
        )


def measure(
    out: Path,
    families: str,
    loops: int,
    scripts: Sequence[str] = (*SCRIPTS, *STRONGER, REFERENCE),
    forms: Sequence[ExperienceFormat] = FORMATS,
    suite: str = SUITE,
    **options: Any,
) -> tuple[list[list[Any]], dict[tuple[str, str], float]]:
    """Return the rows of the table, and the highest score of any family by digest and script."""
    rows: list[list[Any]] = []
    scores: dict[tuple[str, str], float] = {}
    for form, script in product(forms, scripts):
        run = ictbench.run(
            out=out / f"{form}-{script.rpartition(':')[2]}",
            suite=suite,
            reflector=script,
            reflector_experience=form,
            actor="rules",
            families=families,
            profile="standard",
            loops=loops,
            executor="inline",
            **options,
        )
        values = {family.name: success(family) for family in run.result.families}
        rows += [
            [form, script.rpartition(":")[2], name, *(f"{value:.2f}" for value in four)]
            for name, four in values.items()
        ]
        scores[form, script] = max(four[1] for four in values.values())
    return rows, scores


def success(family: FamilyResult) -> tuple[float, float, float, float]:
    """Return success after the first turn, over all turns, under the last and the best prompt."""
    measures = family.measures
    assert measures is not None
    curve = [interval.value for interval in measures.curve[1:]]
    return curve[0], sum(curve) / len(curve), measures.last.value, measures.best.value


if __name__ == "__main__":
    main()

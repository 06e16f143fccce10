"""Fitness of a reflector's text for the gate: how much scripts score on it that ignore outcomes.

Where a script can copy the solution from the text, a reflector that does the same cannot be told from one that learns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.gate_arms import DEFAULT_TEXT, SCRIPTS, role_of, text_of
from ictbench.results.gate_schema import TextFitness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ictbench.results.schema import Result

LIMIT = 0.8
"""Highest score of a script that ignores outcomes on a text that is fit."""
MEASURED: Mapping[tuple[str, str], float] = {("minihack-v1", "events"): 0.94, ("minihack-v1", "tally"): 0.68}
"""Highest score of `SCRIPTS` in a meta-train family, by suite and digest; see `benchmarks/digest_fitness.py`."""


def fitness_of(reflector: Result, arms: Sequence[Result]) -> TextFitness:
    """Return the fitness of the text that a reflector reads.

    It is known where it was measured before, or where all scripts are among the arms and played meta-train families.
    """
    text = text_of(reflector)
    by_script = {role: list(_scores(arm)) for arm in arms if (role := role_of(arm, reflector)) in SCRIPTS}
    scores = [score for found in by_script.values() for score in found]
    known = MEASURED.get((reflector.suite.name, text))
    if known is not None:
        scores.append(known)
    score = max(scores, default=None)
    complete = known is not None or all(by_script.get(script) for script in SCRIPTS)
    if score is not None and not complete and score <= LIMIT:
        score = None
    return TextFitness(text=text, score=score, fit=score is not None and score <= LIMIT)


def fitness_in_words(fitness: TextFitness) -> str:
    """Return why learning cannot be shown on a text; empty if it can."""
    if fitness.fit:
        return ""
    if fitness.score is None:
        return (
            f"whether learning can be shown on {fitness.text} is unknown: "
            f"run {', '.join(SCRIPTS)} on meta-train families, too"
        )
    return (
        f"learning cannot be shown on {fitness.text}: a script that ignores outcomes scores {fitness.score:.2f} on "
        f"meta-train families (limit {LIMIT})"
        + ("; use --reflector-experience tally" if fitness.text == DEFAULT_TEXT else "")
    )


def _scores(script: Result) -> Iterator[float]:
    """Yield the mean success over turns of a script in each meta-train family."""
    for family in script.families:
        if family.role == "meta-train" and family.measures:
            curve = [interval.value for interval in family.measures.curve[1:]]
            yield sum(curve) / len(curve)

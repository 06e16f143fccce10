"""Conclusions of a comparison in sentences, and the comparison as Markdown."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from ictbench.results.formatting import INTERVAL_MEANING, markdown_table, markdown_text, p_value, signed, signed_number
from ictbench.results.significance import ALPHA, smallest_p

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results.comparison_schema import Arm, Comparison, Difference
    from ictbench.results.schema import Interval

CONTRIBUTIONS = {
    "blind": "contribution of experience, beyond choosing among wordings",
    "shuffled": "contribution of the family's own experience, compared with that of another family",
    "reflexion": "contribution of fresh tasks, compared with retrying the same tasks",
}
"""Meaning of a reflector's lead over the same reflector wrapped, by name of the wrapper."""
COLUMNS = ("arm", "family", "reference", "arm's", "difference [95 %]", "p", "Holm", "w/t/l")


def verdict(comparison: Comparison, arm: Arm) -> tuple[str, ...]:
    """Return the conclusions about one arm in sentences, most important first."""
    return tuple(_sentences(comparison, arm))


def comparison_markdown(comparison: Comparison) -> str:
    """Return a table and the conclusions as Markdown, ending in a newline."""
    reference = markdown_text(comparison.reference)
    return "\n".join(
        [
            f"**{comparison.measure}** on {comparison.suite}, compared with {reference}",
            "",
            markdown_table(COLUMNS, (cells(arm, row) for arm in comparison.arms for row in arm.rows)),
            *(
                line
                for arm in comparison.arms
                for line in ("", *(f"- {markdown_text(sentence)}" for sentence in arm.verdict))
            ),
            "",
            INTERVAL_MEANING,
            "",
        ]
    )


def cells(arm: Arm, row: Difference) -> tuple[str, ...]:
    """Return the cells of one row, in the order of `COLUMNS`."""
    return (
        arm.label,
        row.name,
        f"{row.reference:.2f}",
        f"{row.other:.2f}",
        signed(row.difference),
        p_value(row.p),
        p_value(row.p_corrected),
        f"{row.wins}/{row.ties}/{row.losses}",
    )


def _sentences(comparison: Comparison, arm: Arm) -> Iterator[str]:
    if arm.not_comparable:
        yield f"Not comparable, compared by force: {'; '.join(arm.not_comparable)}."
    mean = arm.means[0]
    yield _conclusion(comparison, arm, mean)
    if len(arm.families) > 1 or len(comparison.arms) > 1:
        yield _family_conclusion(comparison, arm)
    for wrapper, difference in arm.over.items():
        contribution = f": {CONTRIBUTIONS[wrapper]}" if wrapper in CONTRIBUTIONS else ""
        yield f"Over {wrapper} {signed(difference)}{contribution}."
    yield _scope(comparison, mean)


def _conclusion(comparison: Comparison, arm: Arm, mean: Difference) -> str:
    families = f"{mean.families} {mean.role} {'family' if mean.families == 1 else 'families'}"
    difference = f"{signed(mean.difference)} in {comparison.measure.replace('_', ' ')} on {families}"
    evidence = f"{difference}, p = {p_value(mean.p_corrected)}"
    if mean.p_corrected <= ALPHA:
        return f"{arm.label} is {_direction(mean)} than {comparison.reference}: {evidence}."
    smallest = mean.smallest_p * len(comparison.arms)
    if smallest > ALPHA:
        holm = " after Holm's correction" if len(comparison.arms) > 1 else ""
        return (
            f"No conclusion: {evidence}. With {_pairs(mean.loops)}{_on_games(comparison)} the smallest possible "
            f"p{holm} is {p_value(min(1.0, smallest))}, so even the largest difference would not be significant. "
            f"{_remedy(comparison, mean)}"
        )
    return (
        f"{arm.label} and {comparison.reference} do not differ significantly: {evidence}.{_possible(mean.difference)}"
    )


def _remedy(comparison: Comparison, mean: Difference) -> str:
    """Return how many loops are needed before the largest difference can be significant."""
    if comparison.games == "for these games":
        return "Run more loops."
    arms = len(comparison.arms)
    pairs = next(pairs for pairs in itertools.count(2) if smallest_p([(pairs, 1)]) * arms <= ALPHA)
    return f"Run at least {math.ceil(pairs / mean.families)} loops{' per family' if mean.families > 1 else ''}."


def _possible(difference: Interval) -> str:
    if difference.low is None or difference.high is None or difference.low == difference.high:
        return ""
    return f" Differences from {signed_number(difference.low)} to {signed_number(difference.high)} remain possible."


def _family_conclusion(comparison: Comparison, arm: Arm) -> str:
    significant = [row for row in arm.families if row.p_corrected <= ALPHA]
    if significant:
        names = ", ".join(f"{row.family} ({_direction(row)})" for row in significant)
        return f"Families that differ significantly after Holm's correction: {names}."
    tests = sum(len(one.families) for one in comparison.arms)
    if all(row.smallest_p * tests > ALPHA for row in arm.families):
        pairs = _pairs(max(row.loops for row in arm.families))
        return f"No conclusion about single families: none has more than {pairs}, too few for a significant difference."
    return "No single family differs significantly after Holm's correction."


def _direction(difference: Difference) -> str:
    return "better" if difference.difference.value > 0 else "worse"


def _pairs(count: int) -> str:
    return f"{count} {'pair' if count == 1 else 'pairs'} of loops"


def _on_games(comparison: Comparison) -> str:
    return " on the same games" if comparison.games == "for these games" else ""


def _scope(comparison: Comparison, mean: Difference) -> str:
    games = " on these games" if comparison.games == "for these games" else ""
    no_interval = "" if mean.difference.low is not None else " No interval: a family has fewer than 3 loops."
    return (
        f"The conclusions hold for this actor and these families{games}; wins and losses are descriptive.{no_interval}"
    )

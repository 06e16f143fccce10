"""A comparison in words: what can be concluded, and what cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.formatting import cell, p_value, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results.comparison_schema import Arm, Comparison, Difference
    from ictbench.results.schema import Interval

ALPHA = 0.05
BOUGHT = {
    "blind": ": what experience bought, beyond choosing among wordings",
    "shuffled": ": what experience of the family bought, beyond that of another",
    "reflexion": ": what fresh tasks bought, beyond trying the same ones again",
}
"""What a reflector's lead over the same one wrapped means, by wrapper."""
COLUMNS = ("arm", "family", "reference", "arm's", "difference [95 %]", "p", "Holm", "w/t/l")


def verdict(comparison: Comparison, arm: Arm) -> tuple[str, ...]:
    """Sentences about one arm and the reference, most important first."""
    return tuple(_sentences(comparison, arm))


def comparison_markdown(comparison: Comparison) -> str:
    """A table and the sentences below it, ending in a newline."""
    lines = [
        f"**{comparison.measure}** on {comparison.suite}, compared with {cell(comparison.reference)}",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    for arm in comparison.arms:
        lines += [f"| {' | '.join(map(cell, cells(arm, row)))} |" for row in arm.rows]
    for arm in comparison.arms:
        lines += ["", *(f"- {cell(sentence)}" for sentence in arm.verdict)]
    return "\n".join([*lines, ""])


def cells(arm: Arm, row: Difference) -> tuple[str, ...]:
    """One row of a comparison's table, as texts under `COLUMNS`."""
    levels = (f"{row.reference:.2f}", f"{row.other:.2f}")
    p_values = (p_value(row.p), p_value(row.p_corrected))
    return arm.label, row.name, *levels, signed(row.difference), *p_values, f"{row.wins}/{row.ties}/{row.losses}"


def _sentences(comparison: Comparison, arm: Arm) -> Iterator[str]:
    if arm.not_comparable:
        yield f"Not comparable, compared by force: {'; '.join(arm.not_comparable)}."
    mean = arm.means[0]
    yield _conclusion(comparison, arm, mean)
    if len(arm.families) > 1 or len(comparison.arms) > 1:
        yield _families(comparison, arm)
    for wrapper, difference in arm.over.items():
        yield f"Over {wrapper} {signed(difference)}{BOUGHT.get(wrapper, '')}."
    yield _reach(comparison, mean)


def _conclusion(comparison: Comparison, arm: Arm, mean: Difference) -> str:
    where = f"in {comparison.measure.replace('_', ' ')} on {_families_of(mean)}"
    what = f"{signed(mean.difference)} {where}, p = {p_value(mean.p_corrected)}"
    if mean.p_corrected <= ALPHA:
        return (
            f"{arm.label} is {'better' if mean.difference.value > 0 else 'worse'} than {comparison.reference}: {what}."
        )
    least = mean.smallest_p * len(comparison.arms)
    if least > ALPHA:
        return (
            f"No conclusion: {what}. With {_pairs(mean.loops)} the smallest p is {p_value(min(1.0, least))}: "
            "sizes like these cannot show a difference, however large. Run more loops."
        )
    return f"No difference is shown between {arm.label} and {comparison.reference}: {what}.{_open(mean.difference)}"


def _open(difference: Interval) -> str:
    if difference.low is None:
        return ""
    return f" Not shown is not none: differences from {difference.low:+.2f} to {difference.high:+.2f} remain possible."


def _families(comparison: Comparison, arm: Arm) -> str:
    shown = [row for row in arm.families if row.p_corrected <= ALPHA]
    if shown:
        said = ", ".join(f"{row.family} ({'better' if row.difference.value > 0 else 'worse'})" for row in shown)
        return f"Single families that differ after Holm's correction: {said}."
    tests = sum(len(one.families) for one in comparison.arms)
    if all(row.smallest_p * tests > ALPHA for row in arm.families):
        return f"Of single families nothing can be shown: each has {_pairs(arm.families[0].loops)}, too few."
    return "No single family differs after Holm's correction."


def _pairs(count: int) -> str:
    return f"{count} {'pair' if count == 1 else 'pairs'} of loops"


def _families_of(mean: Difference) -> str:
    return f"{mean.families} {mean.role} {'family' if mean.families == 1 else 'families'}"


def _reach(comparison: Comparison, mean: Difference) -> str:
    games = ", on these games" if comparison.games == "for these games" else ""
    few = "" if mean.difference.low is not None else " Fewer than 3 loops in a family: no interval."
    return f"This speaks of this actor and these families{games}; wins and losses by task test nothing.{few}"

"""Power of a comparison as a table and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.formatting import markdown_table, markdown_text, p_value
from ictbench.results.significance import ALPHA, smallest_p

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results.loops_needed import Power, PowerRow

COLUMNS = ("family", "loops", "deviation", "power", "loops needed", "smallest p")
ROUGH_LOOPS = 30
"""Pilots with fewer loops get a remark on how rough their figures are."""


def cells(row: PowerRow) -> tuple[str, ...]:
    """Return the cells of one row, in the order of `COLUMNS`."""
    power = "?" if row.power is None else f"{row.power:.2f}"
    return (
        row.name,
        str(row.loops),
        f"{row.deviation:.2f}",
        power,
        f"{row.needed:,}" if row.needed else "?",
        p_value(row.smallest_p),
    )


def title(power: Power) -> str:
    """Return what the table is about, in one line."""
    other = power.against or "another arm"
    return f"Loops to show a difference of {power.difference:g} in {power.measure} between {power.pilot} and {other}"


def sentences(power: Power) -> Iterator[str]:
    """Yield what the numbers mean, one line each."""
    per_hundred = f"{100 * power.target:g} of 100"
    yield (
        f"Loops needed: per family, so that the difference is significant (p ≤ {ALPHA:g}, before Holm's correction) in "
        f"{per_hundred} comparisons. Deviation: of a loop's difference. Power: with the loops of the pilot."
    )
    for reason in dict.fromkeys(row.reason for row in power.rows if row.reason):
        names = ", ".join(row.name for row in power.rows if row.reason == reason)
        yield f"No number of loops for {names}: {reason}."
    if power.against is None:
        yield (
            "The other arm is taken to vary as much as this one, independently of it on the same tasks; --against RUN "
            "uses the differences of two runs."
        )
    loops = min(row.loops for row in power.rows)
    if not power.shared and any(row.smallest_p > ALPHA for row in power.rows):
        yield (
            f"With {loops} loops the smallest possible p of one family is {p_value(smallest_p([(loops, 1)]))}. With "
            f"fewer than {_fewest_loops()} loops no difference in one family can be significant."
        )
    if loops < ROUGH_LOOPS:
        yield _roughness(loops)


def power_markdown(power: Power) -> str:
    """Return the table and its explanation as Markdown, ending in a newline."""
    explained = (f"- {markdown_text(sentence)}" for sentence in sentences(power))
    return "\n".join(
        [markdown_text(title(power)), "", markdown_table(COLUMNS, map(cells, power.rows)), "", *explained, ""]
    )


def _fewest_loops() -> int:
    return next(loops for loops in range(2, 100) if smallest_p([(loops, 1)]) <= ALPHA)


def _roughness(loops: int) -> str:
    """Return how far the true deviation may be from that of the pilot: the chi-squared interval of a variance."""
    from scipy.stats import chi2  # takes 0.5 s to import

    freedom = loops - 1
    least, most = (freedom / chi2.ppf(quantile, freedom) for quantile in (0.975, 0.025))
    return (
        f"Rough, as the pilot has {loops} loops: in one family the true deviation may be {least**0.5:.1f} to "
        f"{most**0.5:.1f} times that shown, the loops needed {least:.1f} to {most:.0f} times."
    )

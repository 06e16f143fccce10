"""Summary of a campaign as Markdown: state of the cells, results, comparisons, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.campaigns.cell_comparisons import groups_of
from ictbench.campaigns.reachable_p import reachable_in_results, unreachable_text
from ictbench.results.formatting import code_span, markdown_table, markdown_text, p_value, signed
from ictbench.results.schema import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ictbench.campaigns.cell_comparisons import Pair
    from ictbench.campaigns.cell_state import Recorded
    from ictbench.campaigns.learned_cells import LearnedCell
    from ictbench.results import Result

ALPHA = 0.05
HEAD = ("cell", "state", "role", "base", "best", "gain [95 %]", "last")


def summary_markdown(
    config: Mapping[str, Any],
    states: Mapping[str, tuple[Recorded, int]],
    results: Mapping[str, Result],
    pages: Mapping[str, Sequence[str]],
    pairs: Sequence[Pair],
    verdicts: Sequence[LearnedCell],
) -> str:
    """Return the summary.

    Args:
        config: What campaign.json holds.
        states: State and number of recorded episodes by cell.
        results: Results of the complete cells.
        pages: Pages of the report, each with its cells.
        pairs: Comparisons of the cells on the same tasks.
        verdicts: Whether each reflector learned.
    """
    reachable = reachable_in_results(groups_of(results), results)
    lines = [f"# Campaign {markdown_text(config['name'])}", ""]
    if config["description"]:
        lines += [markdown_text(config["description"]), ""]
    lines += [f"{len(results)} of {len(states)} cells are complete.", ""]
    if len(pages) > 1:
        shown = ((page, code_span(cells[0]), code_span(cells[-1])) for page, cells in pages.items())
        lines += [*(f"- [{page}]({page}): {first} to {last}" for page, first, last in shown), ""]
    lines += [markdown_table(HEAD, _rows(states, results)), ""]
    lines += ["Success on test tasks, mean over the families of a role.", "", "## Differences on the same tasks", ""]
    lines += [*_differences(pairs, reachable), "", "## Learned from experience", ""]
    lines += [f"- {code_span(one.cell)}: {markdown_text(one.sentence)}" for one in verdicts]
    if not verdicts:
        lines.append("No complete cell has a reflector that could learn.")
    return "\n".join([*lines, ""])


def _rows(states: Mapping[str, tuple[Recorded, int]], results: Mapping[str, Result]) -> Iterator[tuple[str, ...]]:
    for name, (state, episodes) in states.items():
        if name not in results:
            yield code_span(name), f"{state}, {episodes:,} episodes", "", "", "", "", ""
            continue
        for role, measures in results[name].by_role.items():
            levels = (f"{interval.value:.2f}" for interval in (measures.base, measures.best))
            yield code_span(name), state, role, *levels, signed(measures.gain), f"{measures.last.value:.2f}"


def _differences(pairs: Sequence[Pair], reachable: float | None) -> Iterator[str]:
    if not pairs:
        yield "No two complete cells played the same tasks with the same actor."
        return
    if warning := unreachable_text(reachable):
        yield f"**{warning}**"
        yield ""
    found = [pair for pair in pairs if pair.p_campaign <= ALPHA]
    yield (
        f"{len(found)} of {len(pairs)} pairs differ significantly after correction for all pairs of the campaign. "
        "`p` is that of the pair alone, `same tasks` is corrected for the pairs on the same tasks, `campaign` for all. "
        "Intervals are not corrected."
    )
    yield ""
    head = ("cell", "against", "role", "difference [95 %]", "p", "same tasks", "campaign", "")
    yield markdown_table(head, map(_difference, pairs))


def _difference(pair: Pair) -> tuple[str, ...]:
    interval = Interval(value=pair.difference, low=pair.low, high=pair.high)
    ps = (p_value(p) for p in (pair.p, pair.p_same_tasks, pair.p_campaign))
    better = "" if pair.p_campaign > ALPHA else "better" if pair.difference > 0 else "worse"
    return code_span(pair.cell), code_span(pair.reference), pair.role, signed(interval), *ps, better

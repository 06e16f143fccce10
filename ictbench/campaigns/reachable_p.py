"""Smallest p-values that the comparisons of a campaign can reach after correction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ictbench.results.comparison import ROLES
from ictbench.results.formatting import p_value
from ictbench.results.pairing import share_games
from ictbench.results.significance import ALPHA, smallest_p

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ictbench.campaigns.plan_campaign import PlannedCell
    from ictbench.records import Role
    from ictbench.results import Result

Sizes = dict["Role", list[tuple[int, int]]]
"""Loops and test tasks of the families of each role."""


def reachable_in_results(groups: Iterable[Sequence[str]], results: Mapping[str, Result]) -> float | None:
    """Return the smallest corrected p-value that groups of comparable results allow; None without two of a group."""
    found = []
    for group in groups:
        sizes: Sizes = {}
        for family in results[group[0]].families:
            tasks = len(family.loops[0].test_tasks) if family.loops else 0
            sizes.setdefault(family.role, []).append((len(family.loops), tasks))
        found.append((len(group), sizes, share_games(*(results[name] for name in group))))
    return _smallest(found)


def reachable_in_plan(cells: Iterable[PlannedCell]) -> float | None:
    """Return the smallest corrected p-value that planned cells allow; None if no two play the same test tasks."""
    groups: dict[str, list[PlannedCell]] = {}
    for cell in cells:
        identity = {name: value for name, value in cell.identity.items() if name not in ("reflector", "classes")}
        groups.setdefault(json.dumps(identity, sort_keys=True), []).append(cell)
    found = []
    for group in groups.values():
        plan, loops = group[0].plan, group[0].loops
        sizes: Sizes = {}
        for name in plan.families:
            played = [loop for loop in loops if loop.family == name]
            sizes.setdefault(plan.suite.families[name].role, []).append((len(played), len(played[0].test)))
        found.append((len(group), sizes, plan.suite.pools.shared))
    return _smallest(found)


def unreachable_text(reachable: float | None) -> str | None:
    """Return a warning if no comparison can be significant; None if one can, or if there is nothing to compare."""
    if reachable is None or reachable <= ALPHA:
        return None
    return (
        f"No comparison of this campaign can be significant: the smallest p after correction is {p_value(reachable)}, "
        f"whatever is measured, and must be at most {ALPHA:g}. Play more loops, more families in a cell, or fewer "
        "groups of cells on the same tasks."
    )


def _smallest(groups: Sequence[tuple[int, Sizes, bool]]) -> float | None:
    """Return the smallest p over all roles, as `compare_cells` corrects: within a group, then for their number."""
    several = [group for group in groups if group[0] > 1]
    found = []
    for role in ROLES:
        with_role = [(cells, sizes[role], shared) for cells, sizes, shared in several if role in sizes]
        for cells, sizes_of_role, shared in with_role:
            # Max-T over sign flips has the floor of one pair; Holm multiplies it by the number of pairs.
            pairs = cells * (cells - 1) // 2 if shared else 1
            found.append(min(1.0, smallest_p(sizes_of_role, shared=shared) * pairs * len(with_role)))
    return min(found, default=None)

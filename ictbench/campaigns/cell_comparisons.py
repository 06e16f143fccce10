"""Comparisons of all pairs of cells that played the same tasks, corrected for their number.

Cells on the same tasks form a group. Within a group, the pairs are corrected together as on a board (step-down max-T;
Holm where games are shared). Over the campaign, p-values are multiplied by the number of groups (Bonferroni), so that
the probability of any false difference in the whole campaign stays at 5 %.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from ictbench.records import Record, Role
from ictbench.results.all_pairs import all_pairs_p
from ictbench.results.comparison import ROLES, compare
from ictbench.results.outcomes import is_constant, outcomes_by_prompt
from ictbench.results.pairing import incomparable, share_games

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from ictbench.results import Result
    from ictbench.results.standard_errors import Floats


class Pair(Record):
    """Difference between two cells in the mean success of the best prompts over the families of one role."""

    role: Role
    reference: str
    """Name of a cell."""
    cell: str
    """Name of the other cell."""
    reference_value: float
    cell_value: float
    difference: float
    """Cell minus reference."""
    low: float | None
    high: float | None
    """Ends of the 95 % interval, without correction."""
    wins: int
    """Tasks that only `cell` solves; descriptive."""
    losses: int
    loops: int
    p: float
    """Two-sided p-value of this pair alone."""
    p_same_tasks: float
    """Corrected for all pairs of cells on the same tasks."""
    p_campaign: float
    """Corrected for all pairs of the campaign."""


def groups_of(results: Mapping[str, Result]) -> list[list[str]]:
    """Return the names of comparable cells, one list per group, in their order."""
    groups: list[list[str]] = []
    for name, result in results.items():
        home = next((group for group in groups if not incomparable(results[group[0]], result)), None)
        if home is None:
            groups.append([name])
        else:
            home.append(name)
    return groups


def compare_cells(results: Mapping[str, Result]) -> list[Pair]:
    """Return all pairs of comparable cells.

    Args:
        results: Results of the complete cells, by name.
    """
    groups = [group for group in groups_of(results) if len(group) > 1]
    pairs: list[Pair] = []
    for role in ROLES:
        with_role = [group for group in groups if any(f.role == role for f in results[group[0]].families)]
        for group in with_role:
            pairs += _pairs({name: results[name] for name in group}, role, len(with_role))
    return pairs


def pairs_table(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Return one row per pair."""
    import pandas as pd

    return pd.DataFrame([pair.model_dump() for pair in pairs], columns=list(Pair.model_fields))


def _pairs(results: Mapping[str, Result], role: Role, groups: int) -> list[Pair]:
    names = list(results)
    corrected = all_pairs_p(_outcomes([*results.values()], role), shared=share_games(*results.values()))
    pairs = []
    for one, other in itertools.combinations(range(len(names)), 2):
        (arm,) = compare(results[names[one]], results[names[other]]).arms
        (row,) = (mean for mean in arm.means if mean.role == role)
        p = float(corrected[one, other])
        pairs.append(
            Pair(
                role=role,
                reference=names[one],
                cell=names[other],
                reference_value=row.reference,
                cell_value=row.other,
                difference=row.difference.value,
                low=row.difference.low,
                high=row.difference.high,
                wins=row.wins,
                losses=row.losses,
                loops=row.loops,
                p=row.p,
                p_same_tasks=p,
                p_campaign=min(1.0, p * groups),
            )
        )
    return pairs


def _outcomes(results: Sequence[Result], role: Role) -> list[Floats]:
    """Return the outcomes of the best prompts by family, each cells × loops × tasks."""
    families = [family.name for family in results[0].families if family.role == role]
    return [np.stack([_best(result, name) for result in results]) for name in families]


def _best(result: Result, name: str) -> Floats:
    (family,) = (family for family in result.families if family.name == name)
    return outcomes_by_prompt(family.loops, constant=is_constant(result.reflector))["best"]

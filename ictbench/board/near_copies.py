"""Near-copies: entries of one submitter that solve nearly the same test tasks. They count once in a ranking.

Without this, a submitter could widen the rank ranges of rivals, and make differences insignificant, with many entries.
Entries of any submitters count once if their episodes are the same (`ictbench.board.same_results`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from ictbench.results.significance import ALPHA, MIN_SHARED_LOOPS, ROUNDING
from ictbench.results.standard_errors import mean_error
from ictbench.submissions.spelling import name_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.standard_errors import Floats

MIN_AGREEMENT = 0.95
"""Near-copies have the same outcomes on at least this share of the test tasks."""


def group_near_copies(submitters: Sequence[str], families: Sequence[Floats], *, shared: bool = False) -> list[int]:
    """Return the group of each entry: the number of the entry whose near-copy it is, or its own number.

    Two entries are near-copies if they have the same submitter, agree on nearly all test tasks, and do not differ
    significantly (t test, without correction).

    Args:
        submitters: Name of each entry's submitter; spellings that look alike are one name.
        families: Outcomes of each family, entries × loops × tasks.
        shared: Whether all loops of a family have the same tasks, in the same order.
    """
    best = np.mean([family.mean(axis=(1, 2)) for family in families], axis=0)
    originals: defaultdict[str, list[int]] = defaultdict(list)
    groups = list(range(len(submitters)))
    for entry in sorted(groups, key=lambda entry: (-best[entry], entry)):
        known = originals[name_key(submitters[entry])]
        differences = [family[known] - family[entry] for family in families]
        distance = np.mean([abs(family).mean(axis=(1, 2)) for family in differences], axis=0)
        alike = np.flatnonzero(distance <= 1 - MIN_AGREEMENT + ROUNDING)
        same = (known[i] for i in alike if not _differ([family[i] for family in differences], shared))
        groups[entry] = next(same, entry)
        if groups[entry] == entry:
            known.append(entry)
    return groups


def join_groups(
    groups: Sequence[int], same: Sequence[int | None], families: Sequence[Floats], *, shared: bool = False
) -> list[int]:
    """Return the groups of near-copies, joined where entries have the same episodes and do not differ significantly.

    Args:
        groups: Group of each entry.
        same: Number of the entry with the same episodes as each one, if there is one.
        families: Outcomes of each family, entries × loops × tasks.
        shared: Whether all loops of a family have the same tasks, in the same order.
    """
    joined = list(groups)
    for entry, other in enumerate(same):
        if other is not None and not _differ([family[other] - family[entry] for family in families], shared):
            joined = [joined[other] if group == joined[entry] else group for group in joined]
    return joined


def _differ(differences: Sequence[Floats], shared: bool) -> bool:
    """Return whether a difference is significant; few loops show nothing."""
    if any(len(family) < MIN_SHARED_LOOPS for family in differences):
        return False
    from scipy.special import stdtrit  # takes 0.1 s to import

    value, error, freedom = mean_error(differences, shared=shared)
    return bool(abs(value) > stdtrit(freedom, 1 - ALPHA / 2) * error)

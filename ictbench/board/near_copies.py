"""Near-copies: entries of one submitter that solve nearly the same test tasks. They count once in a ranking.

Without this, a submitter could widen the rank ranges of rivals, and make differences insignificant, with many entries.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from ictbench.results.significance import ALPHA
from ictbench.results.standard_errors import mean_error

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
        submitters: Name of each entry's submitter; case, compatible characters and white space do not matter.
        families: Outcomes of each family, entries × loops × tasks.
        shared: Whether all loops of a family have the same tasks, in the same order.
    """
    best = np.mean([family.mean(axis=(1, 2)) for family in families], axis=0)
    originals: defaultdict[str, list[int]] = defaultdict(list)
    groups = list(range(len(submitters)))
    for entry in sorted(groups, key=lambda entry: (-best[entry], entry)):
        known = originals[_plain(submitters[entry])]
        copied = (one for one in known if _is_near_copy([family[one] - family[entry] for family in families], shared))
        groups[entry] = next(copied, entry)
        if groups[entry] == entry:
            known.append(entry)
    return groups


def _is_near_copy(differences: Sequence[Floats], shared: bool) -> bool:
    if np.mean([abs(family).mean() for family in differences]) > 1 - MIN_AGREEMENT + 1e-9:
        return False
    if any(len(family) < 2 for family in differences):
        return True
    from scipy.special import stdtrit  # takes 0.1 s to import

    value, error, freedom = mean_error(differences, shared=shared)
    return bool(abs(value) <= stdtrit(freedom, 1 - ALPHA / 2) * error)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())

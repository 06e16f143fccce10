"""Assembly of a result from finished loops and the summaries of their episodes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ictbench.protocol import episode_uses
from ictbench.records import Usage
from ictbench.results.measures import Loops, behave, measure
from ictbench.results.schema import CostRole, FamilyResult, Measures
from ictbench.results.task_progress import with_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ictbench.protocol import LoopResult
    from ictbench.protocol.loop_result import Purpose
    from ictbench.records import EpisodeSummary, Role
    from ictbench.suites import Family

COST_PRECEDENCE: tuple[Purpose, ...] = ("online", "replay", "audit", "experience", "selection", "test")
"""Purposes that an episode may have in a loop; the last of them is the role that its cost counts for."""


def family_result(
    name: str,
    family: Family,
    loops: Iterable[LoopResult],
    episodes: Mapping[str, EpisodeSummary],
    *,
    constant: bool = False,
) -> FamilyResult:
    """Return the result of one family from its finished loops, in any order.

    Args:
        name: Name of the family.
        family: Family of the suite.
        loops: Finished loops.
        episodes: Episodes of the loops by key.
        constant: Whether the reflector keeps prompt[0] by design.
    """

    def progress_of(key: str) -> float | None:
        return episodes[key].progress

    ordered = tuple(with_progress(loop, progress_of) for loop in sorted(loops, key=lambda loop: loop.index))
    return FamilyResult(
        name=name,
        role=family.role,
        note=family.note,
        loops=ordered,
        measures=measure([ordered], constant=constant) if ordered else None,
        behaviour=behave(ordered, episodes) if ordered else None,
    )


def role_measures(families: Iterable[FamilyResult], *, constant: bool = False) -> dict[Role, Measures]:
    """Return the mean measures by role, over the families that have finished loops."""
    by_role: defaultdict[Role, list[Loops]] = defaultdict(list)
    for family in families:
        if family.loops:
            by_role[family.role].append(family.loops)
    return {role: measure(loops, constant=constant) for role, loops in sorted(by_role.items())}


def costs(loops: Iterable[LoopResult], episodes: Mapping[str, EpisodeSummary]) -> dict[CostRole, Usage]:
    """Return the usage of episodes by role; `audit`, `online` and `replay` only if there are such episodes.

    An episode with several uses is counted once.
    """
    roles = _roles(loops)
    optional: list[CostRole] = [role for role in ("audit", "online", "replay") if role in roles.values()]
    totals: dict[CostRole, Usage] = {role: Usage() for role in ("experience", "selection", "test", *optional)}
    for key, role in sorted(roles.items()):
        totals[role] += episodes[key].usage
    return totals


def added_bytes(loops: Iterable[LoopResult], episodes: Mapping[str, EpisodeSummary]) -> dict[CostRole, int]:
    """Return the bytes that memories added to prompts, once for each decision, by the role that an episode counts for.

    Roles without any are left out.
    """
    totals: dict[CostRole, int] = {}
    for key, role in sorted(_roles(loops).items()):
        if size := episodes[key].added_bytes * episodes[key].decisions:
            totals[role] = totals.get(role, 0) + size
    return totals


def _roles(loops: Iterable[LoopResult]) -> dict[str, CostRole]:
    """Return the role that each episode counts for, by key."""
    roles: dict[str, CostRole] = {}
    for loop in loops:
        for use in sorted(episode_uses(loop), key=lambda use: COST_PRECEDENCE.index(use.purpose)):
            roles[use.key] = use.purpose
    return roles

"""Puts a result together from finished loops and the summaries of their episodes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ictbench.records import Usage, prompt_digest
from ictbench.results.measures import behave, episode_keys, measure
from ictbench.results.schema import (
    AuditResult,
    BatchResult,
    CostRole,
    FamilyResult,
    LoopResult,
    Measures,
    PromptResult,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ictbench.protocol import LoopOutcome
    from ictbench.protocol.loop import Outcomes
    from ictbench.records import EpisodeSummary, Role
    from ictbench.suites import Family


def family_result(
    name: str, family: Family, loops: Sequence[LoopOutcome], episodes: Mapping[str, EpisodeSummary]
) -> FamilyResult:
    """One family, from whichever of its loops are finished."""
    ordered = tuple(sorted(loops, key=lambda loop: loop.plan.index))
    return FamilyResult(
        name=name,
        role=family.role,
        note=family.note,
        loops=tuple(map(_loop_result, ordered)),
        measures=measure([ordered]) if ordered else None,
        behaviour=behave(ordered, episodes) if ordered else None,
    )


def role_measures(roles: Mapping[str, Role], loops: Iterable[LoopOutcome]) -> dict[Role, Measures]:
    """Means over the families of each role, over those families that have finished loops."""
    by_role: defaultdict[Role, defaultdict[str, list[LoopOutcome]]] = defaultdict(lambda: defaultdict(list))
    for loop in loops:
        by_role[roles[loop.plan.family]][loop.plan.family].append(loop)
    return {role: measure([tuple(group) for group in families.values()]) for role, families in sorted(by_role.items())}


def costs(loops: Iterable[LoopOutcome], episodes: Mapping[str, EpisodeSummary]) -> dict[CostRole, Usage]:
    """Usage of episodes by role, `audit` and `replay` only where there was one. A shared episode is counted once."""
    roles: dict[str, CostRole] = {key: role for loop in loops for role, key in episode_keys(loop)}
    rare: list[CostRole] = [role for role in ("audit", "replay") if role in roles.values()]
    totals: dict[CostRole, Usage] = {role: Usage() for role in ("experience", "selection", "test", *rare)}
    for key, role in sorted(roles.items()):
        totals[role] += episodes[key].usage
    return totals


def _loop_result(loop: LoopOutcome) -> LoopResult:
    plan = loop.plan
    origins = zip(loop.prompts, ("", *loop.analyses), (None, *loop.failures), strict=True)
    return LoopResult(
        index=plan.index,
        prompts=tuple(
            PromptResult(digest=prompt_digest(text), text=text, analysis=analysis, failure=failure)
            for text, analysis, failure in origins
        ),
        batches=tuple(
            BatchResult(tasks=tuple(task.id for task in batch), outcomes=_string(outcomes))
            for batch, outcomes in zip(plan.batches, loop.experience, strict=True)
        ),
        selection_tasks=tuple(task.id for task in plan.selection),
        selection=tuple(map(_string, loop.selection)),
        best=loop.best,
        test_tasks=tuple(task.id for task in plan.test),
        test={index: _string(outcomes) for index, outcomes in loop.test.items()},
        audit=tuple(AuditResult(replayed=_string(a.replayed), fresh=_string(a.fresh)) for a in loop.audit),
        replays=loop.replays,
    )


def _string(outcomes: Outcomes) -> str:
    return "".join("1" if solved else "0" for solved in outcomes)

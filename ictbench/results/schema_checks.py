"""Whether a result is one: every loop there, once, and each with as many outcomes as it has tasks."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from ictbench.protocol import played_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.results.schema import FamilyResult, Result

T = TypeVar("T", int, str)


def contradictions(result: Result) -> Iterator[str]:
    """What cannot be true of a run's result: the place, what it says and what it should."""
    if doubled := _doubled(family.name for family in result.families):
        yield f"families: {min(doubled)!r} is there twice"
    if (named := result.loop_indices) is not None and not _is_ascending(named, result.sizes.loops):
        yield f"loop_indices: {named!r:.80}, which are not {result.sizes.loops} in ascending order from 0 or more"
    for family in result.families:
        yield from (f"family {family.name}: {found}" for found in _of_family(result, family))
    if result.complete and result.owed:
        yield f"complete, with {result.owed} owed"
    roles = {family.role for family in result.families if family.loops}
    if roles != set(result.by_role):
        yield f"by_role: means of {_listed(result.by_role)}, families of {_listed(roles)}"


def _of_family(result: Result, family: FamilyResult) -> Iterator[str]:
    indices = {loop.index for loop in family.loops}
    if doubled := _doubled(loop.index for loop in family.loops):
        yield f"loop {min(doubled)} is there twice"
    # A file may claim any number of loops or turns: ranges are asked, and never spelled out.
    planned = range(result.sizes.loops) if result.loop_indices is None else dict.fromkeys(result.loop_indices)
    if strange := [index for index in indices if index not in planned]:
        which = "from 0" if result.loop_indices is None else f"{', '.join(map(str, planned)):.80}"
        yield f"loop {min(strange)} is there, of {result.sizes.loops} loops {which}"
    missing = next((index for index in planned if index not in indices), None)
    if result.complete and missing is not None:
        yield f"complete, but loop {missing} is missing"
    if (family.measures is None) != (not family.loops) or (family.behaviour is None) != (not family.loops):
        yield f"{len(family.loops)} loops, but measures and behaviour say otherwise"
    for loop in family.loops:
        yield from (f"loop {loop.index}: {found}" for found in _of_loop(result, loop))


def _of_loop(result: Result, loop: LoopResult) -> Iterator[str]:
    turns = result.sizes.turns
    counts = {"prompts": turns + 1, "selection": turns + 1, "batches": turns, "audit": turns - 1 if result.audit else 0}
    for name, wanted in counts.items():
        if (found := len(getattr(loop, name))) != wanted:
            yield f"{found} {name} of {turns} turns"
    if loop.replays and len(loop.replays) != turns:
        yield f"{len(loop.replays)} replays of {turns} turns"
    if missing := {0, loop.best, turns} - set(loop.test):
        yield f"prompt[{min(missing)}] has no test"
    if strange := [index for index in loop.test if not 0 <= index <= turns]:
        yield f"a test of prompt[{min(strange)}], of {turns} turns"
    for purpose, prompt, tasks, given in played_tasks(loop):
        if len(given) != len(tasks) or not given or set(given) - {"0", "1"}:
            yield f"{purpose} of prompt[{prompt}]: {len(tasks)} tasks and the outcomes {given!r:.40}"
    scores = [given.count("1") for given in loop.selection]
    if scores and loop.best != scores.index(max(scores)):
        yield f"best is prompt[{loop.best}], and selection says prompt[{scores.index(max(scores))}]"


def _is_ascending(indices: Sequence[int], count: int) -> bool:
    return len(indices) == count and all(one < other for one, other in pairwise((-1, *indices)))


def _doubled(values: Iterable[T]) -> list[T]:
    return [value for value, count in Counter(values).items() if count > 1]


def _listed(names: object) -> str:
    return ", ".join(sorted(names)) or "none"  # type: ignore[call-overload]

"""Internal consistency of a result: every loop exists once, and has as many outcomes as tasks."""

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
    """Yield everything that cannot be true of a run's result, each with its place and value."""
    if repeated := _repeated(family.name for family in result.families):
        yield f"families: {min(repeated)!r} occurs twice"
    if (indices := result.loop_indices) is not None and not _is_ascending(indices, result.sizes.loops):
        yield f"loop_indices: {indices!r:.80}, not {result.sizes.loops} indices in ascending order from 0 or more"
    for family in result.families:
        yield from (f"family {family.name}: {problem}" for problem in _family_contradictions(result, family))
    if result.complete and result.owed:
        yield f"complete, with {result.owed} owed"
    roles = {family.role for family in result.families if family.loops}
    if roles != set(result.by_role):
        yield f"by_role: means of {_listed(result.by_role)}, but families of {_listed(roles)}"


def _family_contradictions(result: Result, family: FamilyResult) -> Iterator[str]:
    indices = {loop.index for loop in family.loops}
    if repeated := _repeated(loop.index for loop in family.loops):
        yield f"loop {min(repeated)} occurs twice"
    # A file may claim any number of loops or turns, so ranges are never expanded.
    planned = range(result.sizes.loops) if result.loop_indices is None else dict.fromkeys(result.loop_indices)
    if unplanned := [index for index in indices if index not in planned]:
        which = "from 0" if result.loop_indices is None else f"{', '.join(map(str, planned)):.80}"
        yield f"loop {min(unplanned)} exists, but the run has {result.sizes.loops} loops {which}"
    missing = next((index for index in planned if index not in indices), None)
    if result.complete and missing is not None:
        yield f"complete, but loop {missing} is missing"
    if (family.measures is None) != (not family.loops) or (family.behaviour is None) != (not family.loops):
        yield f"{len(family.loops)} loops, but measures and behaviour say otherwise"
    for loop in family.loops:
        yield from (f"loop {loop.index}: {problem}" for problem in _loop_contradictions(result, loop))


def _loop_contradictions(result: Result, loop: LoopResult) -> Iterator[str]:
    turns = result.sizes.turns
    counts = {"prompts": turns + 1, "selection": turns + 1, "batches": turns, "audit": turns - 1 if result.audit else 0}
    for name, expected in counts.items():
        if (count := len(getattr(loop, name))) != expected:
            yield f"{name} has {count} entries, not {expected}"
    if loop.replays and len(loop.replays) != turns:
        yield f"replays has {len(loop.replays)} entries, not {turns}"
    if untested := {0, loop.best, turns} - set(loop.test):
        yield f"prompt[{min(untested)}] has no test"
    if unknown := [index for index in loop.test if not 0 <= index <= turns]:
        yield f"a test of prompt[{min(unknown)}], but the last prompt is prompt[{turns}]"
    yield from _progress_contradictions(loop)
    yield from _online_contradictions(result, loop)
    yield from _choice_contradictions(result, loop)
    yield from _stream_contradictions(result, loop)
    for purpose, prompt, tasks, outcomes, _ in played_tasks(loop):
        repeats = result.sizes.repeats if purpose in ("selection", "test") else 1
        # An optimiser need not play in every turn.
        none = not outcomes and not (result.experience == "pooled" and purpose == "experience")
        if len(outcomes) != len(tasks) * repeats or none or set(outcomes) - {"0", "1"}:
            each = f" of {repeats} episodes each" if repeats > 1 else ""
            yield f"{purpose} of prompt[{prompt}]: {len(tasks)} tasks{each} and the outcomes {outcomes!r:.40}"
    scores = [outcomes.count("1") for outcomes in loop.selection]
    if scores and loop.best != scores.index(max(scores)):
        yield f"best is prompt[{loop.best}], but by selection it is prompt[{scores.index(max(scores))}]"


def _progress_contradictions(loop: LoopResult) -> Iterator[str]:
    """Yield progress that is not that of the test episodes, or of a solved one is not 1."""
    if loop.progress and (unlike := {*loop.progress} ^ {*loop.test}):
        yield f"prompt[{min(unlike)}] has either progress or a test, not both"
    for index, values in loop.progress.items():
        outcomes = loop.test.get(index, "")
        if len(values) != len(outcomes):
            yield f"progress of {len(values)} test episodes of prompt[{index}], not of {len(outcomes)}"
        if any(outcome == "1" and value != 1 for outcome, value in zip(outcomes, values, strict=False)):
            yield f"progress of prompt[{index}] is below 1 in a solved episode"


def _choice_contradictions(result: Result, loop: LoopResult) -> Iterator[str]:
    """Yield where only an optimiser, or any other reflector but one, chooses the episodes of its experience."""
    chosen = result.experience == "pooled"
    for turn, batch in enumerate(loop.batches, 1):
        if (count := len(batch.prompts)) != (expected := len(batch.tasks) if chosen else 0):
            yield f"turn {turn} names {count} prompts of its episodes, not {expected}"
    if chosen != bool(loop.candidates):
        yield f"{len(loop.candidates)} candidates, but the experience is {result.experience}"


def _online_contradictions(result: Result, loop: LoopResult) -> Iterator[str]:
    online, turns = loop.online, result.sizes.turns
    if (online is not None) != result.online:
        yield f"online outcomes {'exist' if online else 'are missing'}, but the run says otherwise"
    if online is None:
        return
    for name in ("base", "best"):
        if (count := len(getattr(online, name))) != turns:
            yield f"online.{name} has {count} entries, not {turns}"
    if loop.best == 0 and online.base != online.best:
        yield "online.base and online.best differ, but the best prompt is prompt[0]"
    if online.base[:1] != tuple(batch.outcomes for batch in loop.batches[:1]):
        yield "online.base differs from the experience of turn 1, which is played under prompt[0]"


def _stream_contradictions(result: Result, loop: LoopResult) -> Iterator[str]:
    """Yield what contradicts a loop of a stream, or one that is none: families by task, a test of every prompt."""
    named = [("test", loop.test_tasks, loop.test_families)]
    named += [(f"batch {turn}", batch.tasks, batch.families) for turn, batch in enumerate(loop.batches, 1)]
    for place, tasks, families in named:
        if len(families) != (expected := len(tasks) if loop.test_families else 0):
            yield f"{place} has {len(tasks)} tasks and the families of {len(families)}, not of {expected}"
    if loop.test_families and len(loop.test) != result.sizes.turns + 1:
        yield f"a stream with tests of {len(loop.test)} prompts, not of all {result.sizes.turns + 1}"


def _is_ascending(indices: Sequence[int], count: int) -> bool:
    return len(indices) == count and all(one < other for one, other in pairwise((-1, *indices)))


def _repeated(values: Iterable[T]) -> list[T]:
    return [value for value, count in Counter(values).items() if count > 1]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"

"""Checks of the episodes and candidates of an optimiser that need no records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.audit.findings import quote
from ictbench.records import episode_key, prompt_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ictbench.protocol import LoopPlan, LoopResult
    from ictbench.protocol.loop_result import CandidateResult


def optimiser_problems(loop: LoopResult, plan: LoopPlan, reflector: str) -> Iterator[str]:
    """Yield what an optimiser cannot have played, and which candidates it cannot have had.

    Args:
        loop: The loop in the result.
        plan: The suite's plan of the loop.
        reflector: Name of the optimiser.
    """
    yield from _candidate_problems(loop, plan)
    yield from _episode_problems(loop, plan)
    yield from _front_problems(loop, plan)
    if reflector == "gepa-loop":
        yield from _choice_problems(loop, plan)
        yield from _missing_front_problems(loop, plan)
        yield from _lineage_problems(loop)
    yield from _unplayed_problems(loop)


def _candidate_problems(loop: LoopResult, plan: LoopPlan) -> Iterator[str]:
    known: dict[str, int] = {}
    for number, candidate in enumerate(loop.candidates):
        name = f"candidates[{number}]"
        if candidate.digest != (digest := prompt_digest(candidate.text)):
            yield f"the digest of {name} is {quote(candidate.digest)}, that of its text {digest}"
        if candidate.digest in known:
            yield f"{name} is candidates[{known[candidate.digest]}] again"
        if (size := len(candidate.text.encode())) > plan.prompt_bytes:
            yield f"{name} has {size:,} bytes, of at most {plan.prompt_bytes:,}"
        if (candidate.turn == 0) != (candidate.text == loop.prompts[0].text) or not 0 <= candidate.turn <= plan.turns:
            yield f"{name} is of turn {candidate.turn}; prompt[0] is of turn 0, all others of 1 … {plan.turns}"
        if candidate.kept is not None and not candidate.turn <= candidate.kept <= plan.turns:
            yield f"{name} is of turn {candidate.turn} and kept in turn {candidate.kept}, of {plan.turns}"
        known[candidate.digest] = number
    for number, candidate in enumerate(loop.candidates):
        if unknown := [parent for parent in candidate.parents if parent not in known]:
            yield f"a parent of candidates[{number}] is {quote(unknown[0])}, which is no candidate"


def _unplayed_problems(loop: LoopResult) -> Iterator[str]:
    """Yield candidates without an episode in their turn: a prompt becomes a candidate when it is first played."""
    played = [frozenset(batch.prompts) for batch in loop.batches]
    for number, candidate in enumerate(loop.candidates):
        if candidate.turn and not any(candidate.digest in digests for digests in played):
            yield f"candidates[{number}] was never played, and an optimiser's candidates are prompts that it played"
        elif 1 <= candidate.turn <= len(played) and candidate.digest not in played[candidate.turn - 1]:
            yield f"candidates[{number}] is of turn {candidate.turn}, in which it was not played"


def _episode_problems(loop: LoopResult, plan: LoopPlan) -> Iterator[str]:
    """Yield episodes of other tasks, under unknown prompts, played twice, or too many."""
    tasks = {task.id for task in plan.experience_tasks}
    first_turns = {candidate.digest: candidate.turn for candidate in loop.candidates}
    seen: set[str] = set()
    for turn, batch in enumerate(loop.batches, 1):
        for task, digest in zip(batch.tasks, batch.prompts, strict=False):
            if task not in tasks:
                yield f"turn {turn} plays {quote(task)}, which is not among the loop's experience tasks"
            if first_turns.get(digest, turn + 1) > turn:
                yield f"turn {turn} plays under the prompt {quote(digest)}, which was not a candidate yet"
            if (key := episode_key(task, digest)) in seen:
                yield f"turn {turn} plays {quote(key)} again"
            seen.add(key)
        if len(seen) > (most := plan.budget(turn)):
            yield f"{len(seen)} episodes are played until turn {turn}, of at most {most}"


def _front_problems(loop: LoopResult, plan: LoopPlan) -> Iterator[str]:
    """Yield candidates on the Pareto front that are not kept, were not played there, or are worse than another."""
    solved = _solved(loop)
    kept = [candidate for candidate in loop.candidates if candidate.kept is not None]
    for number, candidate in enumerate(loop.candidates):
        for position in candidate.front:
            place = f"candidates[{number}] is on the front of task {position}"
            if not 0 <= position < len(plan.experience_tasks):
                yield f"{place}, of {len(plan.experience_tasks)} from 0"
                continue
            task = plan.experience_tasks[position].id
            own = solved.get(episode_key(task, candidate.digest))
            if candidate.kept is None or own is None:
                yield f"{place}, but {'is not kept' if candidate.kept is None else 'did not play it'}"
            elif not own and _any_solves(kept, task, solved):
                yield f"{place}, which another one solves and it does not"


def _lineage_problems(loop: LoopResult) -> Iterator[str]:
    """Yield candidates of `gepa-loop` that are not made from one that was kept before; prompt[0] is made from none."""
    kept = {candidate.digest: candidate.kept for candidate in loop.candidates if candidate.kept is not None}
    earlier: set[str] = set()
    for number, candidate in enumerate(loop.candidates):
        if (count := len(candidate.parents)) != (expected := min(number, 1)):
            yield f"candidates[{number}] has {count} parents, not {expected}"
        for parent in candidate.parents:
            if parent not in earlier or kept.get(parent, candidate.turn + 1) > candidate.turn:
                yield f"the parent of candidates[{number}] is {quote(parent)}, which was not kept before"
        earlier.add(candidate.digest)


def _missing_front_problems(loop: LoopResult, plan: LoopPlan) -> Iterator[str]:
    """Yield kept candidates of `gepa-loop` that are not on the front of a task of the first batch, but belong there."""
    solved = _solved(loop)
    kept = [candidate for candidate in loop.candidates if candidate.kept is not None]
    for position, task in enumerate(plan.batches[0]):
        someone = _any_solves(kept, task.id, solved)
        for number, candidate in enumerate(loop.candidates):
            own = solved.get(episode_key(task.id, candidate.digest))
            if candidate.kept is not None and own == someone and position not in candidate.front:
                yield (
                    f"candidates[{number}] is not on the front of task {position}, which "
                    f"{'it solves' if own else 'none that was kept solves'}"
                )
    for number, candidate in enumerate(loop.candidates):
        if others := [position for position in candidate.front if position >= len(plan.batches[0])]:
            yield f"candidates[{number}] is on the front of task {others[0]}, which is not of the first batch"


def _choice_problems(loop: LoopResult, plan: LoopPlan) -> Iterator[str]:
    """Yield prompts of `gepa-loop` that are not the kept ones that solve most of the first batch."""
    solved = _solved(loop)
    for turn, prompt in enumerate(loop.prompts[1:], 1):
        scores: list[tuple[int, int, str]] = []
        for number, candidate in enumerate(loop.candidates):
            if candidate.kept is None or candidate.kept > turn:
                continue
            outcomes = [solved.get(episode_key(task.id, candidate.digest)) for task in plan.batches[0]]
            if None in outcomes:
                yield f"candidates[{number}] is kept, but did not play the whole first batch"
                return
            scores.append((outcomes.count(True), number, candidate.digest))
        best = max(scores)[-1] if scores else None
        if prompt.failure is None and prompt.digest != best:
            yield f"prompt[{turn}] is {quote(prompt.digest)}, and the best candidate then {quote(best)}"


def _solved(loop: LoopResult) -> dict[str, bool]:
    """Return the outcomes of the experience by key."""
    return {
        episode_key(task, digest): outcome == "1"
        for batch in loop.batches
        for task, digest, outcome in zip(batch.tasks, batch.prompts, batch.outcomes, strict=False)
    }


def _any_solves(candidates: list[CandidateResult], task: str, solved: Mapping[str, bool]) -> bool:
    """Return whether any of the candidates solves a task."""
    return any(solved.get(episode_key(task, candidate.digest)) for candidate in candidates)

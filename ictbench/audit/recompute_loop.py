"""Recomputation of one loop: the protocol's state machine with recorded outcomes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ictbench.protocol import Audit, Loop, Online, Play, Reflect, Score
from ictbench.protocol.candidates import candidates_of
from ictbench.protocol.loop import outcome_string
from ictbench.records import NO_MEMORY, Memory, Reflection, Trajectory, episode_key, prompt_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

    from ictbench.protocol import LoopPlan, LoopResult
    from ictbench.records import Task


def recompute_loop(plan: LoopPlan, claimed: LoopResult, solved_key: Callable[[str], bool]) -> LoopResult:
    """Run one loop with the prompts of the result and the outcomes of the records.

    Args:
        plan: The suite's plan of the loop.
        claimed: The loop in the result.
        solved_key: Returns the outcome of the episode with this key.
    """

    def solved(task: Task, digest: str, replicate: int) -> bool:
        return solved_key(episode_key(task.id, digest, replicate))

    loop = Loop(plan, make_memory=_named_memory)
    requests = deque(loop.start())
    while requests:
        request = requests.popleft()
        if not isinstance(request, Reflect):
            digest = prompt_digest(request.prompt, request.memory.digest)
        match request:
            case Play():
                outcomes = [solved(task, digest, 0) for task in request.tasks]
                requests.extend(loop.played(request, [_trajectory(outcome) for outcome in outcomes]))
            case Reflect():
                reflection = _reflection(claimed, request.turn)
                if plan.experience == "pooled":
                    chosen = outcome_string(map(solved_key, reflection.replays))
                    reflection = reflection.model_copy(update={"outcomes": chosen})
                requests.extend(loop.reflected(request, reflection))
            case Score():
                outcomes = [solved(task, digest, replicate) for task, replicate in request.episodes]
                requests.extend(loop.scored(request, outcomes))
            case Audit():
                requests.extend(loop.audited(request, [solved(task, digest, 0) for task in request.tasks]))
            case Online():
                requests.extend(loop.compared(request, [solved(task, digest, 0) for task in request.tasks]))
    return loop.result()


def _trajectory(solved: bool) -> Trajectory:
    """Return a trajectory with all that the state machine reads of one."""
    return Trajectory(steps=(), last_observation="", last_digest="", end="solved" if solved else "step_limit")


def _reflection(claimed: LoopResult, turn: int) -> Reflection:
    """Return the reflection that the reflector must have given for the claimed loop, with the digest of its memory."""
    prompt, batch = claimed.prompts[turn], claimed.batches[turn - 1]
    replays = claimed.replays[turn - 1] if claimed.replays else ()
    return Reflection(
        prompt=None if prompt.failure else prompt.text,
        analysis=prompt.analysis,
        failure=prompt.failure,
        memory=prompt.memory or None,
        replays=tuple(map(episode_key, batch.tasks, batch.prompts)) if batch.prompts else replays,
        candidates=candidates_of(claimed, turn),
    )


def _named_memory(digest: JsonValue) -> Memory:
    """Return a memory of which only the digest is known."""
    return Memory(value=None, digest=digest) if isinstance(digest, str) else NO_MEMORY

"""A run's records, made rows."""

from __future__ import annotations

import json
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ictbench.records import episode_key
from ictbench.results.loop_episodes import played
from ictbench.results.rows import EpisodeRow, ReflectionRow, ResultRow, Tested, Use
from ictbench.results.tables import success

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.records import Episode, Reflection
    from ictbench.results.schema import FamilyResult, LoopResult, Purpose, Result

Uses = dict[str, tuple[tuple["Purpose", int, int], ...]]
"""By episode key: pool, loop and index of the prompt of every use."""


def uses_of(result: Result) -> Uses:
    """What every episode of the finished loops was played for."""
    found: Uses = {}
    for family in result.families:
        for loop in family.loops:
            for purpose, index, tasks, _ in played(loop):
                for task in tasks:
                    key = episode_key(task, loop.prompts[index].text)
                    found[key] = (*found.get(key, ()), (purpose, loop.index, index))
            for turn, keys in enumerate(loop.replays, 1):
                for key in keys:
                    found[key] = (*found.get(key, ()), ("replay", loop.index, turn))
    return found


def episode_row(episode: Episode, uses: Uses) -> EpisodeRow:
    """An episode, with what it was played for."""
    trajectory, used = episode.trajectory, uses.get(episode.key, ())
    return EpisodeRow(
        **episode.usage.model_dump(),
        key=episode.key,
        family=episode.task.family,
        task=episode.task.id,
        env=episode.task.env,
        params=_json(episode.task.params),
        pools=tuple(dict.fromkeys(pool for pool, _, _ in used)),
        loops=tuple(sorted({loop for _, loop, _ in used})),
        uses=tuple(Use(pool=pool, loop=loop, prompt=prompt) for pool, loop, prompt in used),
        prompt=episode.prompt,
        seed=episode.seed,
        replicate=episode.replicate,
        end=trajectory.end,
        failure=trajectory.failure,
        solved=trajectory.solved,
        decisions=len(trajectory.steps),
        invalid=trajectory.invalid,
        total_reward=trajectory.total_reward,
        versions=_json(episode.versions),
        last_observation=trajectory.last_observation,
        last_digest=trajectory.last_digest,
        steps=trajectory.steps,
    )


def reflection_rows(result: Result, recorded: Callable[[str, int, int], Reflection]) -> Iterator[ReflectionRow]:
    """Every turn of the finished loops; `recorded` gives the reflection of a family, loop and turn."""
    for family in result.families:
        for loop in family.loops:
            for turn in range(1, len(loop.prompts)):
                yield _reflection_row(family.name, loop, turn, recorded(family.name, loop.index, turn))


def result_rows(result: Result) -> Iterator[ResultRow]:
    """Every finished loop."""
    for family in result.families:
        for loop in family.loops:
            yield _result_row(result, family, loop)


def _reflection_row(family: str, loop: LoopResult, turn: int, reflection: Reflection) -> ReflectionRow:
    before, after, batch = loop.prompts[turn - 1], loop.prompts[turn], loop.batches[turn - 1]
    audit = loop.audit[turn - 1] if turn <= len(loop.audit) else None
    return ReflectionRow(
        **reflection.usage.model_dump(),
        family=family,
        loop=loop.index,
        turn=turn,
        episodes=tuple(episode_key(task, before.text) for task in batch.tasks),
        outcomes=batch.outcomes,
        prompt_before=before.text,
        prompt_after=after.text,
        digest_before=before.digest,
        digest_after=after.digest,
        selection_before=success(loop.selection[turn - 1]),
        selection_after=success(loop.selection[turn]),
        best=loop.best == turn,
        audit_replayed=audit and audit.replayed,
        audit_fresh=audit and audit.fresh,
        analysis=after.analysis,
        failure=after.failure,
        state=_json(reflection.state),
    )


def _result_row(result: Result, family: FamilyResult, loop: LoopResult) -> ResultRow:
    base, best, last = (success(loop.test[index]) for index in (0, loop.best, len(loop.prompts) - 1))
    return ResultRow(
        suite=result.suite.name,
        suite_digest=result.suite.digest,
        profile=result.profile,
        actor=result.actor.label,
        reflector=result.reflector.label,
        reflector_trained_on=result.reflector_trained_on,
        control=result.control,
        family=family.name,
        role=family.role,
        loop=loop.index,
        base=base,
        best=best,
        last=last,
        gain=best - base,
        last_gain=last - base,
        overfitting_gap=_overfitting_gap(loop),
        best_prompt=loop.best,
        prompts=tuple(prompt.digest for prompt in loop.prompts),
        selection_tasks=loop.selection_tasks,
        selection=loop.selection,
        test_tasks=loop.test_tasks,
        test=tuple(Tested(prompt=index, outcomes=outcomes) for index, outcomes in loop.test.items()),
        ictbench=result.ictbench,
        versions=_json(result.versions),
    )


def _overfitting_gap(loop: LoopResult) -> float | None:
    turns = zip(loop.audit, loop.batches, loop.batches[1:], strict=False)
    gaps = [
        (success(audit.replayed) - success(own.outcomes)) - (success(following.outcomes) - success(audit.fresh))
        for audit, own, following in turns
    ]
    return fmean(gaps) if gaps else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

"""Rows of a run for export and data frames."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ictbench.protocol import episode_uses, keys_for
from ictbench.results.forgetting import is_measured, stream_rates
from ictbench.results.online import online_rates, stream_rate
from ictbench.results.outcomes import levels_of, overfitting_gaps, success_rate
from ictbench.results.rows import Costs, EpisodeRow, ReflectionRow, ResultRow, Tested, Use
from ictbench.results.task_progress import progress_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.protocol import LoopResult
    from ictbench.records import Episode, Reflection, Usage
    from ictbench.results.schema import FamilyResult, Result

Uses = dict[str, tuple[Use, ...]]
"""Uses of each episode, by its key."""


def uses_of(result: Result) -> Uses:
    """Return the uses of every episode of the finished loops."""
    uses: Uses = {}
    for family in result.families:
        for loop in family.loops:
            for purpose, prompt, key in episode_uses(loop):
                uses[key] = (*uses.get(key, ()), Use(pool=purpose, loop=loop.index, prompt=prompt))
    return uses


def episode_row(episode: Episode, uses: Uses) -> EpisodeRow:
    """Return the row of an episode with its uses."""
    trajectory, own_uses = episode.trajectory, uses.get(episode.key, ())
    return EpisodeRow(
        **_costs(episode.usage),
        key=episode.key,
        family=episode.task.family,
        task=episode.task.id,
        env=episode.task.env,
        params=_json(episode.task.params),
        pools=tuple(dict.fromkeys(use.pool for use in own_uses)),
        loops=tuple(sorted({use.loop for use in own_uses})),
        uses=own_uses,
        prompt=episode.prompt,
        added=episode.added,
        seed=episode.seed,
        replicate=episode.replicate,
        end=trajectory.end,
        failure=trajectory.failure,
        solved=trajectory.solved,
        progress=episode.progress,
        decisions=len(trajectory.steps),
        invalid=trajectory.invalid,
        total_reward=trajectory.total_reward,
        versions=_json(episode.versions),
        last_observation=trajectory.last_observation,
        last_digest=trajectory.last_digest,
        steps=trajectory.steps,
    )


def reflection_rows(result: Result, recorded: Callable[[str, int, int], Reflection]) -> Iterator[ReflectionRow]:
    """Yield the row of every turn of the finished loops.

    Args:
        result: The result.
        recorded: Returns the reflection of a family, loop and turn.
    """
    for family in result.families:
        for loop in family.loops:
            for turn in range(1, len(loop.prompts)):
                yield _reflection_row(family.name, loop, turn, recorded(family.name, loop.index, turn))


def result_rows(result: Result) -> Iterator[ResultRow]:
    """Yield the row of every finished loop."""
    for family in result.families:
        for loop in family.loops:
            yield _result_row(result, family, loop)


def _costs(usage: Usage) -> dict[str, Any]:
    return usage.model_dump(include={*Costs.model_fields})


def _reflection_row(family: str, loop: LoopResult, turn: int, reflection: Reflection) -> ReflectionRow:
    before, after, batch = loop.prompts[turn - 1], loop.prompts[turn], loop.batches[turn - 1]
    audit = loop.audit[turn - 1] if turn <= len(loop.audit) else None
    return ReflectionRow(
        **_costs(reflection.usage),
        family=family,
        loop=loop.index,
        turn=turn,
        episodes=tuple(keys_for(loop, "experience", turn - 1)),
        outcomes=batch.outcomes,
        prompt_before=before.text,
        prompt_after=after.text,
        digest_before=before.digest,
        digest_after=after.digest,
        selection_before=success_rate(loop.selection[turn - 1]),
        selection_after=success_rate(loop.selection[turn]),
        best=loop.best == turn,
        audit_replayed=audit and audit.replayed,
        audit_fresh=audit and audit.fresh,
        online_base=loop.online and loop.online.base[turn - 1],
        online_best=loop.online and loop.online.best[turn - 1],
        analysis=after.analysis,
        failure=after.failure,
        state=_json(reflection.state),
        memory=_json(reflection.memory),
    )


def _result_row(result: Result, family: FamilyResult, loop: LoopResult) -> ResultRow:
    levels, progress, (online_gain, online_regret) = (
        levels_of(loop),
        progress_of(loop),
        online_rates(loop) or (None, None),
    )
    forgetting, forward_transfer = stream_rates(loop) if is_measured(loop) else (None, None)
    return ResultRow(
        suite=result.suite.name,
        suite_digest=result.suite.digest,
        profile=result.profile,
        actor=result.actor.label,
        reflector=result.reflector.label,
        reflector_trained_on=result.reflector_trained_on,
        actor_trained_on=result.actor_trained_on,
        control=result.control,
        family=family.name,
        role=family.role,
        loop=loop.index,
        **levels._asdict(),
        gain=levels.gain,
        last_gain=levels.last_gain,
        progress_base=progress and progress.base,
        progress_best=progress and progress.best,
        progress_last=progress and progress.last,
        overfitting_gap=float(overfitting_gaps(loop).mean()) if loop.audit else None,
        stream_success=stream_rate(loop),
        online_gain=online_gain,
        online_regret=online_regret,
        forgetting=forgetting,
        forward_transfer=forward_transfer,
        best_prompt=loop.best,
        repeats=result.sizes.repeats,
        prompts=tuple(prompt.digest for prompt in loop.prompts),
        selection_tasks=loop.selection_tasks,
        selection=loop.selection,
        test_tasks=loop.test_tasks,
        test=tuple(Tested(prompt=index, outcomes=outcomes) for index, outcomes in loop.test.items()),
        ictbench=result.ictbench,
        versions=_json(result.versions),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

"""Rollout of one episode."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from ictbench.actors import History
from ictbench.errors import IctbenchError, ModelFailure, PluginError
from ictbench.models.failure_detail import failure_detail
from ictbench.models.usage_meter import waiting_clock
from ictbench.plugin_errors import asked_by, player_error
from ictbench.records import UNREPORTED, Decision, Episode, Step, Trajectory, Usage
from ictbench.rollout.env_calls import EnvCalls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.actors import Actor
    from ictbench.choices import FailureKind
    from ictbench.envs import TextEnv
    from ictbench.records import End, EpisodeSpec, Observation
    from ictbench.rollout.env_calls import BlockingCaller

NO_USAGE: Usage = Decision(action=None).usage
"""The default of a decision. Not adding it saves a scripted actor more time than it takes to decide."""


class EpisodeClock:
    """Seconds since its creation, without those that the current task spent waiting for retries and rate limits."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._waited = [0.0]
        waiting_clock.set(self._waited)

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        return time.monotonic() - self._started - self._waited[0]


async def play_episode(spec: EpisodeSpec, env: TextEnv, actor: Actor, call: BlockingCaller) -> Episode:
    """Play `spec` to its end.

    A failure of the model ends the episode, which then counts as `failed`. An `InfrastructureError` is not caught: the
    episode is owed.

    Raises:
        InfrastructureError: The environment or the model's endpoint does not work.
        PluginError: The actor breaks its contract.
    """
    calls = EnvCalls(env, spec.task, call)
    observation = await calls.reset()
    solution = await calls.solve() if actor.sees_solution else ()
    start = calls.start_digest(observation)
    shown = observation.text
    steps: list[Step] = []
    usages: list[Usage] = []
    failure: FailureKind | None = None
    detail = ""
    clock = EpisodeClock()
    while observation.end is None and len(steps) < spec.max_steps:
        history = History(steps, shown, observation.actions, spec.max_steps, solution)
        if spec.time_limit is not None and clock.seconds > spec.time_limit:
            failure, detail = "timeout", f"the episode took longer than {spec.time_limit:g} s"
            break
        try:
            decision = await _decide(actor, spec, history)
        except ModelFailure as error:
            failure, detail = error.kind, failure_detail(error)
            usages.append(error.usage or UNREPORTED)
            break
        if decision.usage is not NO_USAGE:
            usages.append(decision.usage)
        executed = match_action(decision.action, observation.actions)
        after = observation if executed is None else await calls.step(executed)
        steps.append(_step(spec.keep_texts or not steps, shown, observation, decision, executed, after))
        notice = invalid_notice(decision.action) if executed is None else ""
        observation, shown = after, notice + after.text
    trajectory = Trajectory(
        steps=tuple(steps),
        last_observation=shown if spec.keep_texts or not steps else "",
        last_digest=observation.digest,
        end=_end(observation, failure),
        failure=failure,
    )
    return Episode(
        key=spec.key,
        task=spec.task,
        prompt=spec.prompt_digest,
        seed=spec.seed,
        replicate=spec.replicate,
        trajectory=trajectory,
        usage=Usage.total(usages),
        versions=env.versions(),
        failure_detail=detail,
        start=start,
        added=spec.added,
        progress=observation.progress,
    )


async def _decide(actor: Actor, spec: EpisodeSpec, history: History) -> Decision:
    """Return the actor's decision; an exception in its code becomes a `PluginError`."""
    answer: Any = None
    try:
        answer = actor.act(spec.system_prompt, history, spec.seed)
        decision = await answer
    except PluginError as error:
        raise asked_by(error, _place(spec, history)) from error.__cause__
    except IctbenchError:
        raise
    except Exception as error:
        raise player_error(error, _place(spec, history), "act", type(actor), answer) from error
    if not isinstance(decision, Decision):
        raise PluginError(f"actor {spec.actor.label} returned {decision!r:.80}; return an ictbench.Decision")
    return decision


def _place(spec: EpisodeSpec, history: History) -> str:
    return f"actor {spec.actor.label}, decision {len(history.steps) + 1} of task {spec.task.id}"


def match_action(proposed: str | None, actions: Sequence[str]) -> str | None:
    """Return the available action that equals `proposed` after trimming, case folding and collapsing white space."""
    if proposed is None:
        return None
    normalized = _normalize(proposed)
    return next((action for action in actions if _normalize_cached(action) == normalized), None)


def _normalize(action: str) -> str:
    return " ".join(action.split()).casefold()


_normalize_cached = functools.lru_cache(maxsize=4096)(_normalize)
"""For available actions, which are few and repeat from step to step."""


def _step(
    keep_texts: bool, shown: str, before: Observation, decision: Decision, executed: str | None, after: Observation
) -> Step:
    return Step(
        observation=shown if keep_texts else "",
        actions=before.actions if keep_texts else (),
        digest=before.digest,
        thought=decision.thought,
        proposed=decision.action,
        executed=executed,
        keys=after.keys if executed is not None else (),
        reward=after.reward if executed is not None else 0.0,
    )


def invalid_notice(proposed: str | None) -> str:
    """Return the text that precedes the next observation after an invalid action."""
    if proposed is None:
        return "Your reply named no action. Nothing happened.\n\n"
    return f'"{proposed}" is not one of the available actions. Nothing happened.\n\n'


def _end(observation: Observation, failure: FailureKind | None) -> End:
    if failure is not None:
        return "failed"
    return observation.end or "step_limit"

"""Plays one episode."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ictbench.actors import History
from ictbench.errors import EnvError, IctbenchError, ModelFailure, PluginError
from ictbench.models.usage_meter import waiting_clock
from ictbench.records import Decision, Episode, Step, Trajectory, Usage, prompt_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.actors import Actor
    from ictbench.choices import FailureKind
    from ictbench.envs import TextEnv
    from ictbench.records import End, EpisodeSpec, Observation

T = TypeVar("T")


class Caller(Protocol):
    """Runs a blocking call off the event loop."""

    async def __call__(self, function: Callable[..., T], *args: Any) -> T:
        """Await `function(*args)`."""
        ...


class EpisodeClock:
    """Seconds since it was made, without those that this task spent waiting for retries and limits."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._waited = [0.0]
        waiting_clock.set(self._waited)

    @property
    def seconds(self) -> float:
        """The seconds."""
        return time.monotonic() - self._started - self._waited[0]


async def play_episode(spec: EpisodeSpec, env: TextEnv, actor: Actor, call: Caller) -> Episode:
    """Play `spec` to its end.

    What the model causes ends the episode as `failed`. `InfrastructureError` passes through: the episode is owed.
    """
    observation = await _of_env(call, env.reset, spec.task)
    solution = tuple(await _of_env(call, env.solve)) if actor.sees_solution else ()
    shown = observation.text
    steps: list[Step] = []
    usage = Usage()
    failure: FailureKind | None = None
    clock = EpisodeClock()
    while observation.end is None and len(steps) < spec.max_steps:
        history = History(steps, shown, observation.actions, spec.max_steps, solution)
        if spec.time_limit is not None and clock.seconds > spec.time_limit:
            failure = "timeout"
            break
        try:
            decision = await actor.act(spec.prompt, history, spec.seed)
        except ModelFailure as error:
            failure = error.kind
            usage += error.usage or Usage(calls=1, cost=None)
            break
        if not isinstance(decision, Decision):
            raise PluginError(f"actor {spec.actor.label} answered {decision!r:.80}, which is no Decision")
        usage += decision.usage
        executed = match_action(decision.action, observation.actions)
        after = observation if executed is None else await _of_env(call, env.step, executed)
        steps.append(_step(shown, observation, decision, executed, after))
        notice = invalid_notice(decision.action) if executed is None else ""
        observation, shown = after, notice + after.text
    trajectory = Trajectory(
        steps=tuple(steps),
        last_observation=shown,
        last_digest=observation.digest,
        end=_end(observation, failure),
        failure=failure,
    )
    return Episode(
        key=spec.key,
        task=spec.task,
        prompt=prompt_digest(spec.prompt),
        seed=spec.seed,
        replicate=spec.replicate,
        trajectory=trajectory,
        usage=usage,
        versions=env.versions(),
    )


async def _of_env(call: Caller, function: Callable[..., T], *arguments: Any) -> T:
    """What an environment answers; whatever it raises that we do not know is its own fault."""
    try:
        return await call(function, *arguments)
    except IctbenchError:
        raise
    except Exception as error:
        raise EnvError(f"the environment broke: {type(error).__name__}: {error}") from error


def match_action(proposed: str | None, actions: Sequence[str]) -> str | None:
    """The available action that a proposal equals after trimming, case folding and collapsing white space."""
    if proposed is None:
        return None
    wanted = _plain(proposed)
    return next((action for action in actions if _plain(action) == wanted), None)


def _plain(action: str) -> str:
    return " ".join(action.split()).casefold()


def _step(shown: str, before: Observation, decision: Decision, executed: str | None, after: Observation) -> Step:
    return Step(
        observation=shown,
        actions=before.actions,
        digest=before.digest,
        thought=decision.thought,
        proposed=decision.action,
        executed=executed,
        keys=after.keys if executed is not None else (),
        reward=after.reward if executed is not None else 0.0,
    )


def invalid_notice(proposed: str | None) -> str:
    """What is put in front of the next observation after an invalid action."""
    if proposed is None:
        return "Your reply named no action. Nothing happened.\n\n"
    return f'"{proposed}" is not one of the available actions. Nothing happened.\n\n'


def _end(observation: Observation, failure: FailureKind | None) -> End:
    if failure is not None:
        return "failed"
    return observation.end or "step_limit"

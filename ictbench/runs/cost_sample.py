"""Sample of a run: a few episodes that are played here, and the requests that models would get for them."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from os.path import commonprefix
from statistics import median
from typing import TYPE_CHECKING

from ictbench.actors import History, make_actor
from ictbench.plugins import resolve
from ictbench.protocol import reflection_seed, sampling_seed
from ictbench.records import PluginSpec
from ictbench.reflectors import make_reflector
from ictbench.rollout import Priority
from ictbench.runs.player_rehearsal import reflect_on
from ictbench.runs.recording_model import RecordingModel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from ictbench.models import ChatModel, ModelPool
    from ictbench.models.adaptation import Request
    from ictbench.protocol import LoopPlan
    from ictbench.records import Episode, EpisodeSpec, Step, Trajectory
    from ictbench.rollout import InlineExecutor
    from ictbench.runs.plan import RunPlan

log = logging.getLogger(__name__)

RANDOM = PluginSpec(label="random", name="ictbench.actors.random_actor:RandomActor")

Played = dict[str, tuple["Episode", float]]
"""Sampled episodes with their seconds, by what determines them: cells of a campaign have most of them in common."""


@dataclass(slots=True)
class Requests:
    """Sums over the requests of a sample."""

    calls: float = 0.0
    characters: float = 0.0
    repeated: float = 0.0
    """Characters that equal the beginning of the request before, in the same episode."""
    replies: float = 0.0
    """Earlier replies of the model that the requests show."""

    def add(self, requests: Sequence[Request]) -> None:
        """Add the requests of one episode or reflection, in their order."""
        before = ""
        for request in requests:
            text = "\n".join(message["content"] for message in request.messages)
            self.calls += 1
            self.characters += len(text)
            self.repeated += len(commonprefix([before, text]))  # noqa: RUF071 - characters are meant
            self.replies += sum(message["role"] == "assistant" for message in request.messages)
            before = text

    def scaled(self, factor: float) -> Requests:
        """Return the sums times a factor."""
        return Requests(self.calls * factor, self.characters * factor, self.repeated * factor, self.replies * factor)

    def __add__(self, other: Requests) -> Requests:
        return Requests(
            self.calls + other.calls,
            self.characters + other.characters,
            self.repeated + other.repeated,
            self.replies + other.replies,
        )


@dataclass(slots=True)
class Sample:
    """Episodes as the models of a run would be shown them."""

    player: str
    """Label of the actor that played them."""
    episodes: int = 0
    decisions: list[int] = field(default_factory=list)
    seconds: float = 0.0
    """Time of all episodes of the run, one after the other."""
    actor: Requests = field(default_factory=Requests)
    """Requests of the actor in the whole run."""
    reflector: Requests = field(default_factory=Requests)
    requests: dict[str, list[Request]] = field(default_factory=lambda: {"actor": [], "reflector": []})
    """The requests themselves, by role."""


async def play_sample(
    plan: RunPlan,
    loops: Sequence[LoopPlan],
    models: ModelPool,
    executor: InlineExecutor,
    played: Played | None = None,
) -> Sample:
    """Play the first batch of each family's first loop, and record what the players would ask.

    The actor of the run plays them if it only computes, or else a random one.

    Args:
        plan: Plan of the run.
        loops: Its loops.
        models: Its models, which are not asked.
        executor: Plays the episodes.
        played: Episodes of other runs' samples, to which those of this run are added.
    """
    player = plan.actor if resolve("actor", plan.actor.name).cpu_bound else RANDOM
    played = {} if played is None else played
    sample = Sample(player.label)
    first = {loop.family: loop for loop in reversed(loops)}
    for family in plan.families:
        bounds = plan.episode_bounds(family)
        trajectories, actor, reflector = [], Requests(), Requests()
        seconds: list[float] = []
        for task in first[family].batches[0]:
            spec = plan.episode(task, plan.suite.prompt).model_copy(update={"actor": player})
            key = f"{plan.suite.digest} {spec.model_dump_json()}"
            if key not in played:
                played[key] = await _play(spec, executor, is_first=not seconds)
            episode, took = played[key]
            seconds.append(took)
            trajectories.append(episode.trajectory)
            sample.decisions.append(len(episode.trajectory.steps))
            if plan.actor.model:
                asked = await _actor_requests(plan, episode.trajectory.steps, models.open(plan.actor.model))
                sample.requests["actor"] += asked
                actor.add(asked)
        if plan.reflector.model:
            asked = await _reflector_requests(plan, trajectories, models.open(plan.reflector.model))
            sample.requests["reflector"] += asked
            reflector.add(asked)
        sample.episodes += len(trajectories)
        sample.seconds += bounds["episodes"] * median(seconds)
        sample.actor += actor.scaled(bounds["episodes"] / len(trajectories))
        sample.reflector += reflector.scaled(bounds["reflections"])
    return sample


async def _play(spec: EpisodeSpec, executor: InlineExecutor, *, is_first: bool) -> tuple[Episode, float]:
    """Return an episode and its seconds. A family's first one is played twice: it also loads the environment."""
    if is_first:
        await executor.play(spec, Priority.EXPERIENCE)
    clock = time.monotonic()
    episode = await executor.play(spec, Priority.EXPERIENCE)
    return episode, time.monotonic() - clock


async def _actor_requests(plan: RunPlan, steps: Sequence[Step], model: ChatModel) -> list[Request]:
    """Return the requests of an episode, with past replies that hold only an action."""
    recorder = RecordingModel(model)
    actor = make_actor(plan.actor, recorder)
    for past, step in enumerate(steps):
        history = History(steps[:past], step.observation, step.actions, plan.max_steps)
        await _until_asked(actor.act(plan.suite.prompt, history, sampling_seed(plan.suite.digest, "estimate")))
    return recorder.requests


async def _reflector_requests(plan: RunPlan, batch: Sequence[Trajectory], model: ChatModel) -> list[Request]:
    recorder = RecordingModel(model)
    seed = reflection_seed(plan.suite.digest, "estimate", 0, 1)
    reflector = make_reflector(plan.reflector, recorder)
    # A reflector may ask its model about solved episodes only, and a random player solves few.
    for episodes in (batch, [trajectory.model_copy(update={"end": "solved"}) for trajectory in batch]):
        if not recorder.requests:
            await _until_asked(reflect_on(reflector, plan, episodes, seed))
    return recorder.requests


async def _until_asked(call: Awaitable[object]) -> None:
    """Let a player go on until its model, which records the request, fails."""
    try:
        await call
    except Exception as error:
        # A player that fails for another reason will do so in the run, too.
        log.debug("sample request: %r", error)

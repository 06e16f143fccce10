"""Estimate of a run's calls, tokens, cost and time, from a few episodes that a random player plays here.

Inputs follow from the requests that the real players make for these episodes. Unknown are the tokens per character, the
length of replies, how much a provider caches, and the time of a reply: an estimate is a range over these, or it asks
the models (`ask`).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from os.path import commonprefix
from statistics import fmean
from typing import TYPE_CHECKING

from ictbench.actors import History, make_actor
from ictbench.models import ModelPool
from ictbench.models.prices import find_price
from ictbench.models.usage_meter import UsageMeter
from ictbench.protocol import reflection_seed, sampling_seed
from ictbench.records import PluginSpec, Record, Usage
from ictbench.reflectors import make_reflector
from ictbench.rollout import EpisodeWorker, InlineExecutor, Priority, cores
from ictbench.runs.identical_repeats import refuse_reproducible_repeats
from ictbench.runs.player_rehearsal import reflect_on, rehearse_players
from ictbench.runs.recording_model import RecordingModel
from ictbench.runs.sampled_replies import SampledReplies, ask_model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from ictbench.models import ChatModel
    from ictbench.models.adaptation import Request
    from ictbench.protocol import LoopPlan
    from ictbench.records import ModelSpec, Step, Trajectory
    from ictbench.runs.plan import RunPlan

log = logging.getLogger(__name__)

RANDOM = PluginSpec(label="random", name="ictbench.actors.random_actor:RandomActor")


class ModelEstimate(Record):
    """What one player asks of its model in a whole run. Pairs are the least and the most."""

    model: str
    calls: int
    """Upper bound: every prompt is new, and a player is as slow as the random one."""
    input_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    cost: tuple[float, float] | None
    """US dollars; the least assumes that the provider caches every repeated prefix. None if the price is unknown."""
    seconds_per_reply: tuple[float, float]
    asked: bool
    """Whether replies of the model were measured."""


class DryRun(Record):
    """What a run would do at most, and an estimate of what its models would cost."""

    counts: dict[str, int]
    """Maximum numbers of episodes by pool, of reflections, and of model calls by player."""
    sample_episodes: int = 0
    """Episodes of the random player that the estimate is made from; none if no player has a model."""
    actor: ModelEstimate | None = None
    reflector: ModelEstimate | None = None
    seconds: tuple[float, float] | None = None
    """Duration of the run."""


@dataclass(slots=True)
class _Requests:
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

    def scaled(self, factor: float) -> _Requests:
        """Return the sums times a factor."""
        return _Requests(self.calls * factor, self.characters * factor, self.repeated * factor, self.replies * factor)

    def __add__(self, other: _Requests) -> _Requests:
        return _Requests(
            self.calls + other.calls,
            self.characters + other.characters,
            self.repeated + other.repeated,
            self.replies + other.replies,
        )


@dataclass(slots=True)
class _Sample:
    """A random player's episodes, as the models of a run would be shown them."""

    episodes: int = 0
    decisions: list[int] = field(default_factory=list)
    seconds: float = 0.0
    """Time that the environments took."""
    actor: _Requests = field(default_factory=_Requests)
    """Requests of the actor in the whole run."""
    reflector: _Requests = field(default_factory=_Requests)
    requests: dict[str, list[Request]] = field(default_factory=lambda: {"actor": [], "reflector": []})
    """The requests themselves, by role."""


async def estimate(plan: RunPlan, loops: Sequence[LoopPlan], *, ask: bool = False) -> DryRun:
    """Play a sample, and estimate what the models of a run would cost.

    Args:
        plan: Plan of the run.
        loops: Its loops.
        ask: Whether each model is rehearsed and asked a few times, to measure its replies.

    Raises:
        UsageError: A player cannot work as requested.
        EndpointRefusedError: A server rejects a request of the run.
        ModelUnavailableError: A server does not answer.
    """
    counts = plan.episode_bounds()
    models = ModelPool(UsageMeter(plan.limits))
    executor = InlineExecutor(EpisodeWorker(models))
    try:
        sample = await _play_sample(plan, loops, models, executor)
        replies: dict[str, SampledReplies] = {}
        if ask:
            rehearsed = await rehearse_players(
                plan, loops[0].batches[0][0], models, executor, repeat=plan.sizes.repeats > 1
            )
            plan = rehearsed.plan
            refuse_reproducible_repeats(plan, rehearsed.reproducible.get("actor"))
            for part in rehearsed.parts:
                requests = sample.requests[part.role] or part.requests
                replies[part.role] = await ask_model(models.open(part.spec), requests)
    finally:
        await executor.aclose()
        await models.aclose()
    actor = _model_estimate(plan.actor.model, sample.actor, replies.get("actor"))
    reflector = _model_estimate(plan.reflector.model, sample.reflector, replies.get("reflector"))
    return DryRun(
        counts=counts,
        sample_episodes=sample.episodes,
        actor=actor,
        reflector=reflector,
        seconds=_duration(plan, counts, sample, actor, reflector),
    )


async def _play_sample(
    plan: RunPlan, loops: Sequence[LoopPlan], models: ModelPool, executor: InlineExecutor
) -> _Sample:
    """Play the first batch of each family's first loop, and record what the players would ask."""
    sample = _Sample()
    first = {loop.family: loop for loop in reversed(loops)}
    for family in plan.families:
        bounds = plan.episode_bounds(family)
        trajectories, actor, reflector = [], _Requests(), _Requests()
        for task in first[family].batches[0]:
            spec = plan.episode(task, plan.suite.prompt).model_copy(update={"actor": RANDOM})
            clock = time.monotonic()
            episode = await executor.play(spec, Priority.EXPERIENCE)
            sample.seconds += time.monotonic() - clock
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
        sample.actor += actor.scaled(bounds["episodes"] / len(trajectories))
        sample.reflector += reflector.scaled(bounds["reflections"])
    return sample


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


def _model_estimate(spec: ModelSpec | None, requests: _Requests, reply: SampledReplies | None) -> ModelEstimate | None:
    if spec is None or not requests.calls:
        return None
    reply = reply or SampledReplies.assumed(spec)
    few, many = reversed(reply.characters_per_token)
    least = requests.characters / few + requests.replies * reply.tokens[0]
    most = requests.characters / many + requests.replies * reply.tokens[1]
    output = (requests.calls * reply.tokens[0], requests.calls * reply.tokens[1])
    cost = None
    if price := find_price(spec):

        def dollars(tokens: float, replies: float, cached: float) -> float:
            calls = requests.calls
            usage = Usage(
                input_tokens=round(tokens / calls), output_tokens=round(replies), cached_tokens=round(cached / calls)
            )
            return calls * price.cost(usage)

        repeated = requests.repeated / few + requests.replies * reply.tokens[0]
        cost = (dollars(least, reply.tokens[0], min(repeated, least)), dollars(most, reply.tokens[1], 0))
    elif reply.cost_per_token:
        cost = (reply.cost_per_token * (least + output[0]), reply.cost_per_token * (most + output[1]))
    return ModelEstimate(
        model=spec.name,
        calls=round(requests.calls),
        input_tokens=(round(least), round(most)),
        output_tokens=(round(output[0]), round(output[1])),
        cost=cost,
        seconds_per_reply=reply.seconds,
        asked=reply.asked,
    )


def _duration(
    plan: RunPlan, counts: dict[str, int], sample: _Sample, *players: ModelEstimate | None
) -> tuple[float, float]:
    """Return the least and the most seconds of a run.

    The longest of these counts: all requests over all connections; the requests of one loop, which wait for each other;
    the limits on rates; the time of the environments over all workers.
    """
    options, decisions = plan.options, fmean(sample.decisions)
    asked = [player for player in players if player]
    environments = counts["episodes"] * sample.seconds / sample.episodes / (options.workers or cores())
    bounds = []
    for end in (0, 1):
        work = sum(player.calls * player.seconds_per_reply[end] for player in asked) / options.max_connections
        actor, reflector = (player.seconds_per_reply[end] if player else 0.0 for player in players)
        chain = plan.sizes.turns * (decisions * actor + reflector)
        rates = [work, chain, environments]
        if options.requests_per_minute:
            rates.append(60 * sum(player.calls for player in asked) / options.requests_per_minute)
        if options.tokens_per_minute:
            tokens = sum(player.input_tokens[end] + player.output_tokens[end] for player in asked)
            rates.append(60 * tokens / options.tokens_per_minute)
        bounds.append(max(rates))
    return bounds[0], bounds[1]

"""Estimate of a run's calls, tokens, cost and time, from a few episodes that are played here.

Inputs follow from the requests that the real players make for these episodes. Unknown are the tokens per character, the
length of replies, how much a provider caches, and the time of a reply: an estimate is a range over these, or it asks
the models (`ask`).
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from ictbench.models import ModelPool
from ictbench.models.prices import find_price
from ictbench.models.usage_meter import UsageMeter
from ictbench.records import Record, Usage
from ictbench.rollout import EpisodeWorker, InlineExecutor, cores
from ictbench.runs.cost_sample import play_sample
from ictbench.runs.identical_repeats import refuse_reproducible_repeats
from ictbench.runs.player_rehearsal import rehearse_players
from ictbench.runs.sampled_replies import SampledReplies, ask_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.protocol import LoopPlan
    from ictbench.records import ModelSpec
    from ictbench.runs.cost_sample import Played, Requests, Sample
    from ictbench.runs.plan import RunPlan


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
    """Episodes that the estimate is made from."""
    sample_actor: str = ""
    """Label of the actor that played them: that of the run if it only computes, or else a random one."""
    actor: ModelEstimate | None = None
    reflector: ModelEstimate | None = None
    seconds: tuple[float, float]
    """Duration of the run."""
    busy: tuple[float, float]
    """Seconds for which it takes all connections, rates or workers. Runs side by side share these."""


async def estimate(
    plan: RunPlan, loops: Sequence[LoopPlan], *, ask: bool = False, played: Played | None = None
) -> DryRun:
    """Play a sample, and estimate how long a run would take and what its models would cost.

    Args:
        plan: Plan of the run.
        loops: Its loops.
        ask: Whether each model is rehearsed and asked a few times, to measure its replies.
        played: Sampled episodes of other runs, to which those of this run are added.

    Raises:
        UsageError: A player cannot work as requested.
        EndpointRefusedError: A server rejects a request of the run.
        ModelUnavailableError: A server does not answer.
    """
    counts = plan.episode_bounds()
    models = ModelPool(UsageMeter(plan.limits))
    executor = InlineExecutor(EpisodeWorker(models))
    try:
        sample = await play_sample(plan, loops, models, executor, played)
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
    seconds, busy = _duration(plan, sample, actor, reflector)
    return DryRun(
        counts=counts,
        sample_episodes=sample.episodes,
        sample_actor=sample.player,
        actor=actor,
        reflector=reflector,
        seconds=seconds,
        busy=busy,
    )


def _model_estimate(spec: ModelSpec | None, requests: Requests, reply: SampledReplies | None) -> ModelEstimate | None:
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
    plan: RunPlan, sample: Sample, *players: ModelEstimate | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the least and the most seconds of a run, and those for which what runs share is in full use.

    The longest of these counts: all requests over all connections; the limits on rates; the time of the episodes over
    all workers; and for the run alone the requests of one loop, which wait for each other.
    """
    options, decisions = plan.options, fmean(sample.decisions)
    asked = [player for player in players if player]
    workers = 1 if options.executor == "inline" else options.workers or cores()
    seconds, busy = [], []
    for end in (0, 1):
        work = sum(player.calls * player.seconds_per_reply[end] for player in asked) / options.max_connections
        shared = [work, sample.seconds / workers]
        if options.requests_per_minute:
            shared.append(60 * sum(player.calls for player in asked) / options.requests_per_minute)
        if options.tokens_per_minute:
            tokens = sum(player.input_tokens[end] + player.output_tokens[end] for player in asked)
            shared.append(60 * tokens / options.tokens_per_minute)
        actor, reflector = (player.seconds_per_reply[end] if player else 0.0 for player in players)
        chain = plan.sizes.turns * (decisions * actor + reflector)
        busy.append(max(shared))
        seconds.append(max(busy[end], chain))
    return (seconds[0], seconds[1]), (busy[0], busy[1])

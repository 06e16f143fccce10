"""Checks of usage: could the players of a result have made these calls?

A built-in program makes no calls, and most built-in players with a model of a built-in provider ask it once per answer.
What a class of the submitter's own does is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models.embeddings import OPTION
from ictbench.records import Usage
from ictbench.submissions.known_models import PROVIDERS
from ictbench.submissions.known_players import ACTORS, REFLECTORS, is_program, layers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import PluginSpec
    from ictbench.results import Result
    from ictbench.submissions.episode_records import RecordedTrajectory

MAX_COUNT, MAX_DOLLARS = 10**12, 1e7
"""Maximum calls or tokens, and maximum cost, of an episode and of a whole run."""

NO_USAGE = Usage()


def impossible_usage(usage: Usage) -> str | None:
    """Return the name of the first figure that is negative or too large; None if all are possible."""
    for name, value in usage:
        if value is not None and not 0 <= value <= (MAX_DOLLARS if name.startswith("cost") else MAX_COUNT):
            return name
    return None


def episode_usage_problems(usage: Usage, actor: PluginSpec, trajectory: RecordedTrajectory) -> Iterator[str]:
    """Yield what is impossible in the usage of an episode."""
    if name := impossible_usage(usage):
        yield f"its usage has {name} {getattr(usage, name)}"
        return
    known, failed = ACTORS.get(actor.name), trajectory.end == "failed"
    if known is None:
        return
    if not known.has_model:
        yield from _calls_of_program(usage, "actor", actor)
    elif _has_known_provider(actor):
        decisions = len(trajectory.steps)
        # A failure ends the episode within a call, or between two calls if its time is over.
        if known.asks_once and _requests(usage) not in range(decisions, decisions + 1 + failed):
            yield f"its usage has {_in_words(usage)} for {decisions} decisions{' and a failure' if failed else ''}"
        yield from _contradictions(usage, "its usage", failures=int(failed))


def reflector_usage_problems(result: Result) -> Iterator[str]:
    """Yield what is impossible in the usage of all reflections together."""
    usage = result.cost.get("reflector", NO_USAGE)
    known = [REFLECTORS.get(layer.name) for layer in layers_of(result.reflector)]
    if None in known:
        return
    *around, inner = [player for player in known if player]
    if not inner.has_model:
        yield from _calls_of_program(usage, "reflector", result.reflector)
        if is_program(result.actor) and result.host.spent != NO_USAGE:
            yield f"host.spent has {_in_words(result.host.spent)}, but actor and reflector are programs"
    elif _has_known_provider(result.reflector):
        prompts = [loop.prompts[1:] for family in result.families for loop in family.loops]
        reflections, failures = sum(map(len, prompts)), sum(bool(one.failure) for some in prompts for one in some)
        once = inner.asks_once and all(player.asks_once for player in around) and not _may_embed(result.reflector)
        if once and _requests(usage) != reflections:
            yield f"reflector has {_in_words(usage)} for {reflections} reflections"
        yield from _contradictions(usage, "reflector", failures)


def _calls_of_program(usage: Usage, role: str, player: PluginSpec) -> Iterator[str]:
    if usage != NO_USAGE:
        yield f"there is a usage ({_in_words(usage)}), but {role} {player.label!r:.80} is a program"


def _has_known_provider(player: PluginSpec) -> bool:
    return player.model is not None and player.model.provider in PROVIDERS


def _may_embed(player: PluginSpec) -> bool:
    """Return whether a player's model also embeds texts, which are further requests."""
    return player.model is not None and OPTION in player.model.options


def _requests(usage: Usage) -> int:
    """Return the number of answered requests: calls, and replies from the response cache."""
    return usage.calls + usage.cache_hits


def _in_words(usage: Usage) -> str:
    return f"{usage.calls} calls and {usage.cache_hits} cached replies"


def _contradictions(usage: Usage, where: str, failures: int) -> Iterator[str]:
    """Yield figures of a usage that contradict each other.

    Args:
        usage: The usage.
        where: What it is the usage of.
        failures: How many answers failed; a failed call may have no tokens.
    """
    reported = usage.calls - usage.unreported
    if reported < 0:
        yield f"{where} has {usage.unreported} unreported requests of {usage.calls} calls"
    if usage.input_tokens < reported - failures:
        yield f"{where} has {usage.input_tokens} input tokens in {reported} calls"
    if reported == 0 and usage.tokens:
        yield f"{where} has {usage.tokens} tokens without a call that reports them"
    if usage.calls == 0 and (usage.cost != 0 or usage.cost_at_least):
        yield f"{where} has a cost without a call"
    least, most = usage.cost_at_least, usage.cost_at_most
    if (usage.cost is not None and (least or most is not None)) or (most is not None and most < least):
        yield f"{where} has the cost {usage.cost}, with the bounds {least:g} and {most}"
    if usage.cached_tokens + usage.cache_written_tokens > usage.input_tokens:
        yield f"{where} has more cached than input tokens"
    if usage.reasoning_tokens > usage.output_tokens:
        yield f"{where} has {usage.reasoning_tokens} reasoning tokens of {usage.output_tokens} output tokens"

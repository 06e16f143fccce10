"""Remarks that a reader needs besides the numbers of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.actors.person import is_person, name_of
from ictbench.results.failures import counts_by_kind, failure_counts, failure_remarks, failures_text
from ictbench.results.formatting import INTERVAL_MEANING, TOKEN_BYTES, rate, signed, tokens_estimate
from ictbench.results.intervals import MIN_LOOPS
from ictbench.results.invalid_actions import INVALID, all_invalid, invalid_remark
from ictbench.results.loops_needed import MAX_LOOPS, mean_row
from ictbench.suites.trained_on import format_trained_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import ModelSpec, Role
    from ictbench.results.schema import Measures, Result


FEW_LOOPS = 10
"""Results with fewer loops state how many loops would show a small difference."""


def remarks(result: Result) -> Iterator[str]:
    """Yield remarks on a result, one line each, most important first."""
    if not result.complete:
        yield _incomplete(result)
    for role, player in (("actor", result.actor), ("reflector", result.reflector)):
        yield from model_remarks(role, player.model, player.reproducible)
    hits = sum(usage.cache_hits for usage in result.cost.values())
    if hits and False in (result.actor.reproducible, result.reflector.reproducible):
        yield f"{hits} replies come from the response cache: they are those of an earlier request, not new ones."
    if result.added_bytes:
        yield _added_remark(result)
    if result.retried_failures:
        yield f"Failed episodes played again: {counts_by_kind(result.retried_failures)}."
    if result.retried_reflections:
        yield f"Unusable reflections repeated: {counts_by_kind(result.retried_reflections)}."
    if failures := failures_text(*failure_counts(result.families)):
        yield f"Failed: {failures}."
    yield from failure_remarks(result.families)
    words = dict(result.host.failure_words)
    invalid = words.pop(INVALID, "")
    if result.actor.model and all_invalid(result.families):
        yield invalid_remark("its decisions on test tasks", invalid, result.actor.options.get("decoding"))
    for kind, said in words.items():
        yield f"The first {kind}: {said}"
    intervals = any(family.measures and family.measures.best.low is not None for family in result.families)
    if few := result.sizes.loops < MIN_LOOPS:
        yield f"Fewer than {MIN_LOOPS} loops: no intervals."
    elif intervals:
        yield INTERVAL_MEANING
    yield from _few_loops_remark(result)
    if intervals and not few and result.intervals == "for these games":
        yield "All loops are scored on the same games: the intervals hold for these games only."
    for family in result.families:
        if family.note:
            yield f"{family.name}: {family.note}."
    for role, measures in result.by_role.items():
        yield from _experience_remark(role, measures)
        if measures.overfitting_gap:
            yield f"Overfitting gap, {role}: {signed(measures.overfitting_gap)}."
    yield from _stream_remarks(result)
    if result.sizes.repeats > 1:
        for role, measures in result.by_role.items():
            yield from _reliability_remarks(role, measures)
    if result.control:
        yield f"The reflector is a control, never ranked: {result.control}."
    learned = result.reflector.options.get("learned")
    if result.reflector.name == "transferred" and isinstance(learned, dict):
        yield (
            f"Its prompts were learned with actor {learned.get('actor')} by {learned.get('reflector')}; prompt 1 of a "
            "loop is their last one, prompt 2 their best one, so the last gain is that of the best prompt."
        )
    if not result.suite.deterministic:
        yield "Not verifiable: the environment is not deterministic, as the suite says, so no replay can check it."
    if not result.ranked:
        reasons = [*result.deviations]
        if result.profile == "quick":
            reasons.insert(0, "the quick profile is never ranked")
        if reasons or not result.control:
            yield f"Not ranked: {'; '.join(reasons) or 'incomplete'}."
    if result.reflector_trained_on or result.reflector.model:
        yield f"Reflector trained on: {format_trained_on(result.reflector_trained_on)}."
    if result.actor_trained_on:
        yield f"Actor trained on: {format_trained_on(result.actor_trained_on)}."
    if result.preregistration:
        yield result.preregistration.in_words
    if is_person(result.actor):
        yield from _person_remarks(result)
    elif result.actor.model is None:
        yield "The actor is scripted, not a language model."


def _incomplete(result: Result) -> str:
    finished, planned = sum(len(family.loops) for family in result.families), len(result.families) * result.sizes.loops
    owed = f"{result.owed} owed, " if result.owed else ""
    return f"Incomplete: {owed}{finished} of {planned} loops are finished; the table holds the finished loops only."


def _person_remarks(result: Result) -> Iterator[str]:
    """Yield who played, and the success with its interval: the gain of a prompt that stays the same says nothing."""
    name = name_of(result.actor)
    yield f"The actor is a person{name and f' ({name})'}, a human baseline: no language model, no script."
    rates = [f"{family.name} {rate(family.measures.base)}" for family in result.families if family.measures]
    if rates:
        yield f"Success of the person on test tasks: {', '.join(rates)}."


def _few_loops_remark(result: Result) -> Iterator[str]:
    """Yield how many loops a comparison needs, if the result has few and they differ."""
    loops = result.sizes.loops
    row = mean_row(result) if loops < FEW_LOOPS else None
    if row is None or row.power is None or (row.needed or MAX_LOOPS) <= loops:
        return
    needed = f"about {row.needed} loops" if row.needed else row.reason
    yield (
        f"With {loops} loops small differences do not show. To show a difference of 0.10 between two arms, on average "
        f"over {row.role} families: {needed} (ictbench power)."
    )


def _experience_remark(role: str, measures: Measures) -> Iterator[str]:
    """Yield what was solved while learning, and how that compares with prompts that stay the same."""
    if len(measures.stream) < 2 and measures.online is None:
        return
    first, last = measures.stream[0].value, measures.stream[-1].value
    line = f"Experience, {role}: {first:.2f} solved in turn 1, {last:.2f} in turn {len(measures.stream)}"
    if measures.online:
        line += (
            f"; gain over prompt[0] {signed(measures.online.gain)}, regret to the best {signed(measures.online.regret)}"
        )
    yield f"{line}."


def _stream_remarks(result: Result) -> Iterator[str]:
    """Yield forgetting and forward transfer, by stream and on average over those of a role."""
    measured = [(family.name, family.measures) for family in result.families if family.measures]
    measured += [(f"mean {role}", measures) for role, measures in result.by_role.items()]
    for name, measures in measured:
        if measures.mixed:
            named = (("forgetting", measures.mixed.forgetting), ("forward transfer", measures.mixed.forward_transfer))
            values = [f"{what} {signed(value) if value else 'not defined'}" for what, value in named]
            yield f"Families of the stream, {name}: {', '.join(values)}."


def _reliability_remarks(role: Role, measures: Measures) -> Iterator[str]:
    """Yield how reliably tasks are solved that were played several times."""
    if (reliability := measures.reliability) is None:
        return
    values = "; ".join(
        f"{prompt} {', '.join(f'{interval.value:.2f}' for interval in repeated.pass_k)}"
        for prompt, repeated in reliability
    )
    most = len(reliability.base.pass_k)
    yield f"pass^1 … pass^{most} (all of k episodes of a task solved), {role}: {values}."
    noise = [f"{prompt} {repeated.noise:.0%}" for prompt, repeated in reliability if repeated.noise is not None]
    if noise:
        yield f"Share of sampling noise in the variance of episodes, {role}: {', '.join(noise)}."


def model_remarks(role: str, model: ModelSpec | None, reproducible: bool | None) -> Iterator[str]:
    """Yield remarks on what the rehearsal found out about the model of a player."""
    if model and model.adaptation.in_words:
        yield f"Requests of the {role} are adapted to its server: {model.adaptation.in_words}."
    if reproducible is False:
        yield (
            f"The {role}'s model does not repeat its replies at temperature 0: another run of the same tasks gives "
            "other episodes."
        )


def _added_remark(result: Result) -> str:
    size = sum(result.added_bytes.values())
    if result.actor.model is None:
        return f"Memories added {size:,} bytes to what the actor read, once for each decision; it is a program."
    read = sum(usage.input_tokens for role, usage in result.cost.items() if role in result.added_bytes)
    return (
        f"Memories added about {tokens_estimate(size):,} of the actor's {read:,} input tokens in "
        f"{' and '.join(result.added_bytes)} (estimate: {TOKEN_BYTES} bytes a token)."
    )

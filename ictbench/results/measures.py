"""The protocol's measures, from finished loops."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from ictbench.records import episode_key
from ictbench.results.schema import Behaviour, Interval, Measures
from ictbench.results.statistics import mean_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ictbench.protocol import LoopOutcome
    from ictbench.records import EpisodeSummary, Pool, Task

Loops = tuple["LoopOutcome", ...]


def measure(families: Sequence[Loops]) -> Measures:
    """Measures of one family, or the mean over several, each with at least one finished loop."""
    base, best, last = _levels(families, "base"), _levels(families, "best"), _levels(families, "last")
    gain, last_gain = _gains(families, "best"), _gains(families, "last")
    curves = [_curve(loops) for loops in families]
    curve = tuple(fmean(points) for points in zip(*curves, strict=True))
    return Measures(
        base=base,
        best=best,
        last=last,
        gain=gain,
        last_gain=last_gain,
        headroom_gain=gain.value / (1 - base.value) if base.value < 1 else None,
        curve=curve,
        auc=fmean(curve),
        w_auc=weighted_auc(curve),
        negative_transfer=_share_below_zero(families, "best"),
        negative_last_transfer=_share_below_zero(families, "last"),
        overfitting_gap=_overfitting_gap(families),
        best_on_test=_best_on_test(families),
    )


def weighted_auc(curve: Sequence[float]) -> float:
    """Σ i·curve[i] ÷ Σ i for i ≥ 1: later turns weigh more."""
    return sum(i * point for i, point in enumerate(curve)) / sum(range(len(curve)))


def behave(loops: Loops, episodes: Mapping[str, EpisodeSummary]) -> Behaviour:
    """Behaviour in one family; `episodes` by key."""
    bests = [episode for loop in loops for episode in _test_episodes(loop, loop.best, episodes)]
    bases = [episode for loop in loops for episode in _test_episodes(loop, 0, episodes)]
    played = {key: episodes[key] for loop in loops for _, key in episode_keys(loop)}
    changes = [change for loop in loops for change in _prompt_changes(loop)]
    after_solved = [change for change, solved in changes if solved]
    return Behaviour(
        invalid_base=_invalid_share(bases),
        invalid_best=_invalid_share(bests),
        ends=dict(sorted(Counter(episode.end for episode in bests).items())),
        failed=dict(sorted(Counter(e.failure for e in played.values() if e.failure).items())),
        reflection_failures=dict(sorted(Counter(f for loop in loops for f in loop.failures if f).items())),
        prompt_bytes=fmean(len(loop.prompts[loop.best].encode()) for loop in loops),
        prompt_change=fmean(change for change, _ in changes),
        prompt_change_after_solved=fmean(after_solved) if after_solved else None,
        starts_shared=fmean(_starts_shared(loop, episodes) for loop in loops),
    )


def episode_keys(loop: LoopOutcome) -> Iterator[tuple[Pool | Literal["audit"], str]]:
    """Pool and key of every episode of a finished loop, some more than once; first those of an audit."""
    plan = loop.plan
    for turn, _ in enumerate(loop.audit, 1):
        yield from (("audit", key) for key in _keys(plan.batches[turn - 1], loop.prompts[turn]))
        yield from (("audit", key) for key in _keys(plan.batches[turn], loop.prompts[turn - 1]))
    for prompt, batch in zip(loop.prompts, plan.batches, strict=False):
        yield from (("experience", key) for key in _keys(batch, prompt))
    for prompt in loop.prompts:
        yield from (("selection", key) for key in _keys(plan.selection, prompt))
    for index in loop.test:
        yield from (("test", key) for key in _keys(plan.test, loop.prompts[index]))


def _keys(tasks: Iterable[Task], prompt: str) -> Iterator[str]:
    return (episode_key(task.id, prompt) for task in tasks)


def share_tasks(families: Sequence[Loops]) -> bool:
    """Whether loops of a family are tested on the same tasks: then they are not independent."""
    return any(one.plan.test == other.plan.test for loops in families for one, other in pairwise(loops))


def _index(loop: LoopOutcome, which: str) -> int:
    return {"base": 0, "best": loop.best, "last": loop.plan.turns}[which]


def _levels(families: Sequence[Loops], which: str) -> Interval:
    tests = [tuple(tuple(map(float, loop.test[_index(loop, which)])) for loop in loops) for loops in families]
    return mean_interval(tests, (0.0, 1.0), shared=share_tasks(families))


def _gains(families: Sequence[Loops], which: str) -> Interval:
    differences = [tuple(_differences(loop, which) for loop in loops) for loops in families]
    return mean_interval(differences, (-1.0, 1.0), shared=share_tasks(families))


def _differences(loop: LoopOutcome, which: str) -> tuple[float, ...]:
    """Task by task: solved under the named prompt, minus solved under prompt[0]."""
    pairs = zip(loop.test[_index(loop, which)], loop.test[0], strict=True)
    return tuple(float(one) - float(base) for one, base in pairs)


def _curve(loops: Loops) -> tuple[float, ...]:
    return tuple(fmean(map(fmean, outcomes)) for outcomes in zip(*(loop.selection for loop in loops), strict=True))


def _share_below_zero(families: Sequence[Loops], which: str) -> float:
    return fmean(sum(_differences(loop, which)) < 0 for loops in families for loop in loops)


def _overfitting_gap(families: Sequence[Loops]) -> Interval | None:
    """Task by task of a batch: won by replaying its own, less won by playing the next."""
    if not all(loop.audit for loops in families for loop in loops):
        return None
    # A difference of differences lies between -2 and 2: its half is what intervals are made for.
    halves = mean_interval([tuple(map(_halved_gaps, loops)) for loops in families], (-1.0, 1.0))
    return Interval(**{name: bound and 2 * bound for name, bound in halves.model_dump().items()})


def _halved_gaps(loop: LoopOutcome) -> tuple[float, ...]:
    turns = zip(loop.audit, loop.experience, loop.experience[1:], strict=False)
    return tuple(
        ((replayed - played) - (after - before)) / 2
        for audit, own, following in turns
        for replayed, played, after, before in zip(audit.replayed, own, following, audit.fresh, strict=True)
    )


def _best_on_test(families: Sequence[Loops]) -> float | None:
    """Only where every prompt was tested."""
    if any(len(loop.test) <= loop.plan.turns for loops in families for loop in loops):
        return None
    return fmean(fmean(max(map(fmean, loop.test.values())) for loop in loops) for loops in families)


def _test_episodes(loop: LoopOutcome, index: int, episodes: Mapping[str, EpisodeSummary]) -> list[EpisodeSummary]:
    return [episodes[key] for key in _keys(loop.plan.test, loop.prompts[index])]


def _invalid_share(episodes: Sequence[EpisodeSummary]) -> float:
    decisions = sum(episode.decisions for episode in episodes)
    return sum(episode.invalid for episode in episodes) / decisions if decisions else 0.0


def _prompt_changes(loop: LoopOutcome) -> Iterator[tuple[float, bool]]:
    """Turn by turn: how much of the prompt changed, and whether the whole batch before was solved."""
    for (before, after), outcomes in zip(pairwise(loop.prompts), loop.experience, strict=True):
        yield 1 - SequenceMatcher(None, before.splitlines(), after.splitlines()).ratio(), all(outcomes)


def _starts_shared(loop: LoopOutcome, episodes: Mapping[str, EpisodeSummary]) -> float:
    pairs = zip(loop.plan.batches, loop.prompts, strict=False)
    met = {episodes[key].first_digest for batch, prompt in pairs for key in _keys(batch, prompt)}
    return fmean(episode.first_digest in met for episode in _test_episodes(loop, 0, episodes))

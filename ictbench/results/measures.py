"""The protocol's measures, from finished loops."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from ictbench.records import episode_key
from ictbench.results.intervals import Sample, mean_interval, ratio_interval, share_interval
from ictbench.results.schema import Behaviour, Interval, Measures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ictbench.protocol import LoopOutcome
    from ictbench.records import EpisodeSummary, Task
    from ictbench.results.intervals import Floats
    from ictbench.results.schema import Purpose

Loops = tuple["LoopOutcome", ...]
Episodes = list["EpisodeSummary"]
SHARE, GAIN, GAP = (0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0)


def measure(families: Sequence[Loops]) -> Measures:
    """Measures of one family, or the mean over several, each with at least one finished loop."""
    shared = share_tasks(families)
    base, best, last = (_tests(families, which) for which in ("base", "best", "last"))
    gain, last_gain = _gains(best, base), _gains(last, base)
    curve = _weighted_curves(families, np.eye(families[0][0].plan.turns + 1))
    turns = np.arange(len(curve))
    return Measures(
        base=mean_interval([Sample(outcomes) for outcomes in base], SHARE, shared=shared),
        best=mean_interval(_levels(best, base), SHARE, shared=shared),
        last=mean_interval(_levels(last, base), SHARE, shared=shared),
        gain=mean_interval(gain, GAIN, shared=shared),
        last_gain=mean_interval(last_gain, GAIN, shared=shared),
        headroom_gain=_headroom_gain(gain, base, shared),
        curve=curve,
        auc=_weighted_curves(families, [turns**0 / len(turns)])[0],
        w_auc=_weighted_curves(families, [turns / turns.sum()])[0],
        negative_transfer=_share_below_zero(gain),
        negative_last_transfer=_share_below_zero(last_gain),
        overfitting_gap=_overfitting_gap(families),
        best_on_test=_best_on_test(families),
    )


def behave(loops: Loops, episodes: Mapping[str, EpisodeSummary]) -> Behaviour:
    """Behaviour in one family; `episodes` by key."""
    base = [_test_episodes(loop, 0, episodes) for loop in loops]
    best = [_test_episodes(loop, loop.best, episodes) for loop in loops]
    played = {key: episodes[key] for loop in loops for _, key in episode_keys(loop)}
    changes = [change for loop in loops for change in _prompt_changes(loop)]
    after_solved = [change for change, solved in changes if solved]
    return Behaviour(
        invalid_base=_invalid_share(base, base, share_tasks([loops])),
        invalid_best=_invalid_share(best, base, share_tasks([loops])),
        unusable=mean_interval(
            [Sample(np.array([[f is not None for f in loop.failures] for loop in loops], float))], SHARE
        ),
        ends=dict(sorted(Counter(episode.end for played in best for episode in played).items())),
        failed=dict(sorted(Counter(e.failure for e in played.values() if e.failure).items())),
        reflection_failures=dict(sorted(Counter(f for loop in loops for f in loop.failures if f).items())),
        prompt_bytes=fmean(len(loop.prompts[loop.best].encode()) for loop in loops),
        prompt_change=fmean(change for change, _ in changes),
        prompt_change_after_solved=fmean(after_solved) if after_solved else None,
        starts_shared=fmean(_starts_shared(loop, episodes) for loop in loops),
    )


def episode_keys(loop: LoopOutcome) -> Iterator[tuple[Purpose, str]]:
    """Purpose and key of every episode of a finished loop, some more than once; the most telling purpose last."""
    plan = loop.plan
    yield from (("replay", key) for keys in loop.replays for key in keys)
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


def _tests(families: Sequence[Loops], which: str) -> list[Floats]:
    """By family, loops x test tasks: solved or not under the named prompt."""
    return [np.array([loop.test[_index(loop, which)] for loop in loops], dtype=float) for loops in families]


def _index(loop: LoopOutcome, which: str) -> int:
    return {"base": 0, "best": loop.best, "last": loop.plan.turns}[which]


def _levels(outcomes: Sequence[Floats], base: Sequence[Floats]) -> list[Sample]:
    """Success under a later prompt. A loop that keeps prompt[0] has that of the base."""
    return [Sample(one, np.full(2, kept.mean())) for one, kept in zip(outcomes, base, strict=True)]


def _gains(outcomes: Sequence[Floats], base: Sequence[Floats]) -> list[Sample]:
    """Task by task: solved under a later prompt, minus solved under prompt[0]."""
    return [Sample(one - before, np.zeros(2)) for one, before in zip(outcomes, base, strict=True)]


def _headroom_gain(gain: Sequence[Sample], base: Sequence[Floats], shared: bool) -> Interval | None:
    rooms = [Sample(1 - outcomes, np.full(2, 1 - outcomes.mean())) for outcomes in base]
    if not any(room.values.any() for room in rooms):
        return None
    return ratio_interval(gain, rooms, low=float("-inf"), shared=shared)


def _weighted_curves(families: Sequence[Loops], weights: Iterable[Floats]) -> tuple[Interval, ...]:
    """Success on selection tasks, over prompts with each of these weights."""
    curves = [np.array([loop.selection for loop in loops], dtype=float) for loops in families]
    shared = any(one.plan.selection == other.plan.selection for loops in families for one, other in pairwise(loops))
    return tuple(
        mean_interval(
            _levels([weight @ curve for curve in curves], [curve[:, 0] for curve in curves]), SHARE, shared=shared
        )
        for weight in weights
    )


def _share_below_zero(gains: Sequence[Sample]) -> Interval:
    lost = [loop.sum() < 0 for gain in gains for loop in gain.values]
    count, total = sum(map(bool, lost)), len(lost)
    if not all(gain.has_interval for gain in gains):
        return Interval(value=count / total)
    return share_interval(count, total)


def _overfitting_gap(families: Sequence[Loops]) -> Interval | None:
    """Task by task of a batch: won by replaying its own, less won by playing the next."""
    if not all(loop.audit for loops in families for loop in loops):
        return None
    gaps = [Sample(np.array([_gaps(loop) for loop in loops], dtype=float), np.zeros(2)) for loops in families]
    return mean_interval(gaps, GAP)


def _gaps(loop: LoopOutcome) -> list[int]:
    turns = zip(loop.audit, loop.experience, loop.experience[1:], strict=False)
    return [
        (replayed - played) - (after - before)
        for audit, own, following in turns
        for replayed, played, after, before in zip(audit.replayed, own, following, audit.fresh, strict=True)
    ]


def _best_on_test(families: Sequence[Loops]) -> float | None:
    """Only where every prompt was tested."""
    if any(len(loop.test) <= loop.plan.turns for loops in families for loop in loops):
        return None
    return fmean(fmean(max(map(fmean, loop.test.values())) for loop in loops) for loops in families)


def _test_episodes(loop: LoopOutcome, index: int, episodes: Mapping[str, EpisodeSummary]) -> Episodes:
    return [episodes[key] for key in _keys(loop.plan.test, loop.prompts[index])]


def _invalid_share(loops: Sequence[Episodes], base: Sequence[Episodes], shared: bool) -> Interval | None:
    """Of all decisions. Episodes are the units: decisions of one are much alike."""
    invalid, decisions = _counts(loops, "invalid"), _counts(loops, "decisions")
    most = decisions.max()
    if not most:
        return None
    kept = [np.full(2, _counts(base, name).mean() / most) for name in ("invalid", "decisions")]
    numerator, denominator = Sample(invalid / most, kept[0]), Sample(decisions / most, kept[1])
    return ratio_interval([numerator], [denominator], low=0.0, shared=shared)


def _counts(loops: Sequence[Episodes], name: str) -> Floats:
    return np.array([[getattr(episode, name) for episode in episodes] for episodes in loops], dtype=float)


def _prompt_changes(loop: LoopOutcome) -> Iterator[tuple[float, bool]]:
    """Turn by turn: how much of the prompt changed, and whether the whole batch before was solved."""
    for (before, after), outcomes in zip(pairwise(loop.prompts), loop.experience, strict=True):
        yield 1 - SequenceMatcher(None, before.splitlines(), after.splitlines()).ratio(), all(outcomes)


def _starts_shared(loop: LoopOutcome, episodes: Mapping[str, EpisodeSummary]) -> float:
    pairs = zip(loop.plan.batches, loop.prompts, strict=False)
    met = {episodes[key].first_digest for batch, prompt in pairs for key in _keys(batch, prompt)}
    return fmean(episode.first_digest in met for episode in _test_episodes(loop, 0, episodes))

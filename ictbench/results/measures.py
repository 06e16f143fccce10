"""The protocol's measures, computed from finished loops."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from ictbench.protocol import episode_uses, keys_for
from ictbench.results.failures import Episodes, count_failed, gain_unfailed
from ictbench.results.forgetting import stream_measures
from ictbench.results.intervals import MIN_LOOPS, Changes, Sample, mean_interval, ratio_interval, share_interval
from ictbench.results.online import online_measures, stream, stream_success
from ictbench.results.outcomes import (
    kept,
    kept_all,
    kept_prompts,
    levels_of,
    outcomes_by_prompt,
    overfitting_gaps,
    success_rate,
    task_rates,
)
from ictbench.results.reliability import reliability
from ictbench.results.samples import SHARE_BOUNDS, changes, gain_sample, level_sample, rates_by_loop
from ictbench.results.schema import Behaviour, Interval, Measures
from ictbench.results.task_progress import progress_measures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.records import EpisodeSummary
    from ictbench.results.intervals import Bools
    from ictbench.results.outcomes import Outcomes
    from ictbench.results.standard_errors import Floats

Loops = tuple["LoopResult", ...]
GAP_BOUNDS = (-2.0, 2.0)


def measure(families: Sequence[Loops], *, constant: bool = False) -> Measures:
    """Return the measures of one family, or their means over several, each with at least one finished loop.

    Args:
        families: Finished loops by family.
        constant: Whether the reflector keeps prompt[0] by design: then no further loop changes anything.
    """
    shared = share_tasks(families)
    outcomes = [outcomes_by_prompt(loops, constant=constant) for loops in families]
    base = mean_interval([level_sample(family, "base") for family in outcomes], shared=shared)
    levels = [[levels_of(loop) for loop in loops] for loops in families]
    gain, last_gain = ([gain_sample(family, name, base) for family in outcomes] for name in ("best", "last"))
    turns = np.arange(families[0][0].last + 1)
    weights = [*np.eye(len(turns)), turns**0 / len(turns), turns / turns.sum()]
    *curve, auc, w_auc = _weighted_curves(families, weights, constant=constant)
    return Measures(
        base=base,
        best=mean_interval([level_sample(family, "best") for family in outcomes], shared=shared),
        last=mean_interval([level_sample(family, "last") for family in outcomes], shared=shared),
        gain=mean_interval(gain, shared=shared),
        last_gain=mean_interval(last_gain, shared=shared),
        headroom_gain=_headroom_gain(gain, outcomes, shared),
        curve=tuple(curve),
        auc=auc,
        w_auc=w_auc,
        negative_transfer=_share_below_zero([[loop.gain for loop in loops] for loops in levels]),
        negative_last_transfer=_share_below_zero([[loop.last_gain for loop in loops] for loops in levels]),
        overfitting_gap=_mean_overfitting_gap(families),
        best_on_test=_best_on_test(families),
        reliability=reliability(families, shared=shared, constant=constant),
        stream=stream(families),
        stream_success=stream_success(families),
        online=online_measures(families),
        mixed=stream_measures(families, constant=constant),
        progress=progress_measures(families, shared=shared, constant=constant),
    )


def behave(loops: Loops, episodes: Mapping[str, EpisodeSummary]) -> Behaviour:
    """Return the behaviour of actor and reflector in one family; `episodes` are by key."""
    base = [_test_episodes(loop, 0, episodes) for loop in loops]
    best = [_test_episodes(loop, loop.best, episodes) for loop in loops]
    played = {use.key: episodes[use.key] for loop in loops for use in episode_uses(loop)}
    failures = [[prompt.failure for prompt in loop.prompts[1:]] for loop in loops]
    changes = [change for loop in loops for change in _prompt_changes(loop)]
    changes_after_solved = [change for change, solved in changes if solved]
    return Behaviour(
        invalid_base=_invalid_share(loops, base),
        invalid_best=_invalid_share(loops, base, best),
        unusable=mean_interval(
            [rates_by_loop(np.array([[failure is not None for failure in row] for row in failures], float))]
        ),
        ends=_counts(episode.end for loop in best for task in loop for episode in task),
        failed=_counts(episode.failure for episode in played.values() if episode.failure),
        reflection_failures=_counts(failure for row in failures for failure in row if failure),
        prompt_bytes=fmean(len(loop.prompts[loop.best].text.encode()) for loop in loops),
        prompt_change=fmean(change for change, _ in changes),
        prompt_change_after_solved=fmean(changes_after_solved) if changes_after_solved else None,
        starts_shared=fmean(_starts_shared(loop, episodes) for loop in loops),
        failed_base=count_failed(base),
        failed_best=count_failed(best),
        gain_unfailed=gain_unfailed(base, best),
    )


def share_tasks(families: Sequence[Loops]) -> bool:
    """Return whether loops of a family have the same test tasks, so that they are not independent."""
    return any(one.test_tasks == other.test_tasks for loops in families for one, other in pairwise(loops))


def _headroom_gain(gain: Sequence[Sample], families: Sequence[Outcomes], shared: bool) -> Interval | None:
    headroom = [1 - family["base"] for family in families]
    if not any(map(np.any, headroom)):
        return None

    def residuals(ratio: float) -> list[Sample]:
        limits = min(-1.0, -ratio), max(1.0, 1.0 - ratio)
        return [
            Sample(sample.values - ratio * room, limits, sample.changes)
            for sample, room in zip(gain, headroom, strict=True)
        ]

    value = _mean([sample.values for sample in gain]) / _mean(headroom)
    return ratio_interval(value, residuals, low=float("-inf"), shared=shared)


def _mean(families: Sequence[Floats]) -> float:
    return fmean(float(family.mean()) for family in families)


def _weighted_curves(families: Sequence[Loops], weights: Iterable[Floats], *, constant: bool) -> Iterator[Interval]:
    """Yield, for each vector of weights over the prompts, the weighted success on selection tasks."""
    curves = [np.array([task_rates(loop.selection, len(loop.selection_tasks)) for loop in loops]) for loops in families]
    shared = any(one.selection_tasks == other.selection_tasks for loops in families for one, other in pairwise(loops))
    same = [kept_prompts(loops) for loops in families]
    for weight in weights:
        samples = [_curve(*family, weight, constant=constant) for family in zip(curves, same, strict=True)]
        yield mean_interval(samples, shared=shared)


def _curve(curve: Floats, same: Bools, weight: Floats, *, constant: bool) -> Sample:
    """Return the weighted success on selection tasks, by loop and task; `same` marks prompts that equal prompt[0]."""
    values, later = weight @ curve, float(weight[1:].sum())
    if constant or not later:
        return Sample(values, SHARE_BOUNDS)
    unchanged = np.asarray(same[:, weight > 0].all(axis=-1))
    return Sample(values, SHARE_BOUNDS, (changes(values, curve[:, 0], unchanged, weight=later),))


def _share_below_zero(gains: Sequence[Sequence[float]]) -> Interval:
    """Return the share of loops whose gain is negative; gains are by family and loop."""
    negative = [gain < 0 for loops in gains for gain in loops]
    if min(map(len, gains)) < MIN_LOOPS:
        return Interval(value=sum(negative) / len(negative))
    return share_interval(sum(negative), len(negative))


def _mean_overfitting_gap(families: Sequence[Loops]) -> Interval | None:
    if not all(loop.audit for loops in families for loop in loops):
        return None
    return mean_interval([_gaps(loops) for loops in families])


def _gaps(loops: Loops) -> Sample:
    """Return the overfitting gaps; their mean is success on the own batch minus that on a fresh one."""
    gaps = np.array([overfitting_gaps(loop).ravel() for loop in loops])
    return Sample(gaps, GAP_BOUNDS, (Changes(gaps.mean(axis=-1), kept_all(loops), -1.0, 1.0),))


def _best_on_test(families: Sequence[Loops]) -> float | None:
    """Return the mean of the highest test success of any prompt; None unless every prompt was tested."""
    if any(len(loop.test) <= loop.last for loops in families for loop in loops):
        return None
    return fmean(fmean(max(map(success_rate, loop.test.values())) for loop in loops) for loops in families)


def _test_episodes(loop: LoopResult, prompt: int, episodes: Mapping[str, EpisodeSummary]) -> Episodes:
    played = [episodes[key] for key in keys_for(loop, "test", prompt)]
    repeats = len(played) // len(loop.test_tasks)
    return [played[start : start + repeats] for start in range(0, len(played), repeats)]


def _invalid_share(loops: Loops, base: Sequence[Episodes], best: Sequence[Episodes] = ()) -> Interval | None:
    """Return the share of invalid decisions under prompt[0], or under the best prompt if its episodes are given.

    Tasks are the units, as decisions of one episode depend on another.
    """
    before, after = (
        (_counts_by_task(one, "invalid"), _counts_by_task(one, "decisions")) for one in (base, best or base)
    )
    most = max(before[1].max(), after[1].max())
    if not after[1].any():
        return None

    def residual(counts: tuple[Floats, Floats], ratio: float) -> Floats:
        return np.asarray((counts[0] - ratio * counts[1]) / most)

    def residuals(ratio: float) -> list[Sample]:
        values, limits = residual(after, ratio), (-ratio, 1 - ratio)
        if not best:
            return [Sample(values, limits)]
        unchanged = residual(before, ratio)
        low, high = (limit - float(unchanged.mean()) for limit in limits)
        change = Changes((values - unchanged).mean(axis=-1), kept(loops, [loop.best for loop in loops]), low, high)
        return [Sample(values, limits, (change,))]

    return ratio_interval(_mean([after[0]]) / _mean([after[1]]), residuals, low=0.0, shared=share_tasks([loops]))


def _counts_by_task(loops: Sequence[Episodes], name: str) -> Floats:
    """Return the mean of a count over each task's episodes, loops × tasks."""
    counts = [[[getattr(episode, name) for episode in task] for task in tasks] for tasks in loops]
    return np.asarray(np.array(counts, dtype=float).mean(axis=-1))


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _prompt_changes(loop: LoopResult) -> Iterator[tuple[float, bool]]:
    """Yield, by turn, the changed share of the prompt's lines and whether the whole batch before was solved."""
    for (before, after), batch in zip(pairwise(loop.prompts), loop.batches, strict=True):
        lines = before.text.splitlines(), after.text.splitlines()
        yield 1 - SequenceMatcher(None, *lines).ratio(), bool(batch.outcomes) and "0" not in batch.outcomes


def _starts_shared(loop: LoopResult, episodes: Mapping[str, EpisodeSummary]) -> float:
    """Return the share of test tasks that start like an experience task of the loop."""
    seen = {episodes[key].start_digest for key in keys_for(loop, "experience")}
    return fmean(task[0].start_digest in seen for task in _test_episodes(loop, 0, episodes))

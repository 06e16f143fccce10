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
from ictbench.results.intervals import MIN_LOOPS, Sample, mean_interval, ratio_interval, share_interval
from ictbench.results.online import online_measures, stream, stream_success
from ictbench.results.outcomes import levels_of, outcomes_by_prompt, overfitting_gaps, success_rate, task_rates
from ictbench.results.reliability import reliability
from ictbench.results.schema import Behaviour, Interval, Measures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.records import EpisodeSummary
    from ictbench.results.intervals import Floats

Loops = tuple["LoopResult", ...]
SHARE_BOUNDS, GAIN_BOUNDS, GAP_BOUNDS = (0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0)


def measure(families: Sequence[Loops]) -> Measures:
    """Return the measures of one family, or their means over several, each with at least one finished loop."""
    shared = share_tasks(families)
    outcomes = [outcomes_by_prompt(loops) for loops in families]
    base, best, last = ([family[name] for family in outcomes] for name in ("base", "best", "last"))
    gain, last_gain = _gains(best, base), _gains(last, base)
    curve = _weighted_curves(families, np.eye(families[0][0].last + 1))
    turns = np.arange(len(curve))
    levels = [[levels_of(loop) for loop in loops] for loops in families]
    return Measures(
        base=mean_interval([Sample(values) for values in base], SHARE_BOUNDS, shared=shared),
        best=mean_interval(_levels(best, base), SHARE_BOUNDS, shared=shared),
        last=mean_interval(_levels(last, base), SHARE_BOUNDS, shared=shared),
        gain=mean_interval(gain, GAIN_BOUNDS, shared=shared),
        last_gain=mean_interval(last_gain, GAIN_BOUNDS, shared=shared),
        headroom_gain=_headroom_gain(gain, base, shared),
        curve=curve,
        auc=_weighted_curves(families, [turns**0 / len(turns)])[0],
        w_auc=_weighted_curves(families, [turns / turns.sum()])[0],
        negative_transfer=_share_below_zero([[loop.gain for loop in loops] for loops in levels]),
        negative_last_transfer=_share_below_zero([[loop.last_gain for loop in loops] for loops in levels]),
        overfitting_gap=_mean_overfitting_gap(families),
        best_on_test=_best_on_test(families),
        stream=stream(families),
        stream_success=stream_success(families),
        online=online_measures(families),
        reliability=reliability(families, shared=shared),
    )


def behave(loops: Loops, episodes: Mapping[str, EpisodeSummary]) -> Behaviour:
    """Return the behaviour of actor and reflector in one family; `episodes` are by key."""
    base = [_test_episodes(loop, 0, episodes) for loop in loops]
    best = [_test_episodes(loop, loop.best, episodes) for loop in loops]
    played = {use.key: episodes[use.key] for loop in loops for use in episode_uses(loop)}
    failures = [[prompt.failure for prompt in loop.prompts[1:]] for loop in loops]
    changes = [change for loop in loops for change in _prompt_changes(loop)]
    changes_after_solved = [change for change, solved in changes if solved]
    shared = share_tasks([loops])
    return Behaviour(
        invalid_base=_invalid_share(base, base, shared),
        invalid_best=_invalid_share(best, base, shared),
        unusable=mean_interval(
            [Sample(np.array([[failure is not None for failure in row] for row in failures], float))], SHARE_BOUNDS
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


def _levels(outcomes: Sequence[Floats], base: Sequence[Floats]) -> list[Sample]:
    """Return success under a later prompt; a loop that keeps prompt[0] would have the base's."""
    return [Sample(values, np.full(2, before.mean())) for values, before in zip(outcomes, base, strict=True)]


def _gains(outcomes: Sequence[Floats], base: Sequence[Floats]) -> list[Sample]:
    """Return, by task, the outcome under a later prompt minus that under prompt[0]."""
    return [Sample(values - before, np.zeros(2)) for values, before in zip(outcomes, base, strict=True)]


def _headroom_gain(gain: Sequence[Sample], base: Sequence[Floats], shared: bool) -> Interval | None:
    headroom = [Sample(1 - values, np.full(2, 1 - values.mean())) for values in base]
    if not any(sample.values.any() for sample in headroom):
        return None
    return ratio_interval(gain, headroom, low=float("-inf"), shared=shared)


def _weighted_curves(families: Sequence[Loops], weights: Iterable[Floats]) -> tuple[Interval, ...]:
    """Return, for each vector of weights over the prompts, the weighted success on selection tasks."""
    curves = [np.array([task_rates(loop.selection, len(loop.selection_tasks)) for loop in loops]) for loops in families]
    shared = any(one.selection_tasks == other.selection_tasks for loops in families for one, other in pairwise(loops))
    base = [curve[:, 0] for curve in curves]
    return tuple(
        mean_interval(_levels([weight @ curve for curve in curves], base), SHARE_BOUNDS, shared=shared)
        for weight in weights
    )


def _share_below_zero(gains: Sequence[Sequence[float]]) -> Interval:
    """Return the share of loops whose gain is negative; gains are by family and loop."""
    negative = [gain < 0 for loops in gains for gain in loops]
    if min(map(len, gains)) < MIN_LOOPS:
        return Interval(value=sum(negative) / len(negative))
    return share_interval(sum(negative), len(negative))


def _mean_overfitting_gap(families: Sequence[Loops]) -> Interval | None:
    if not all(loop.audit for loops in families for loop in loops):
        return None
    gaps = [Sample(np.array([overfitting_gaps(loop).ravel() for loop in loops]), np.zeros(2)) for loops in families]
    return mean_interval(gaps, GAP_BOUNDS)


def _best_on_test(families: Sequence[Loops]) -> float | None:
    """Return the mean of the highest test success of any prompt; None unless every prompt was tested."""
    if any(len(loop.test) <= loop.last for loops in families for loop in loops):
        return None
    return fmean(fmean(max(map(success_rate, loop.test.values())) for loop in loops) for loops in families)


def _test_episodes(loop: LoopResult, prompt: int, episodes: Mapping[str, EpisodeSummary]) -> Episodes:
    played = [episodes[key] for key in keys_for(loop, "test", prompt)]
    repeats = len(played) // len(loop.test_tasks)
    return [played[start : start + repeats] for start in range(0, len(played), repeats)]


def _invalid_share(loops: Sequence[Episodes], base: Sequence[Episodes], shared: bool) -> Interval | None:
    """Return the share of invalid decisions. Tasks are the units, as decisions of one episode depend on another."""
    invalid, decisions = _counts_by_task(loops, "invalid"), _counts_by_task(loops, "decisions")
    most = decisions.max()
    if not most:
        return None
    unchanged = [np.full(2, _counts_by_task(base, name).mean() / most) for name in ("invalid", "decisions")]
    numerator, denominator = Sample(invalid / most, unchanged[0]), Sample(decisions / most, unchanged[1])
    return ratio_interval([numerator], [denominator], low=0.0, shared=shared)


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
        yield 1 - SequenceMatcher(None, *lines).ratio(), "0" not in batch.outcomes


def _starts_shared(loop: LoopResult, episodes: Mapping[str, EpisodeSummary]) -> float:
    """Return the share of test tasks that start like an experience task of the loop."""
    seen = {episodes[key].start_digest for key in keys_for(loop, "experience")}
    return fmean(task[0].start_digest in seen for task in _test_episodes(loop, 0, episodes))

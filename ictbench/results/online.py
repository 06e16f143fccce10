"""Online measures: success on the experience while learning, and compared with prompts that stay the same.

The stream of a loop is its experience in the order of the turns, each batch played under the prompt of its turn. The
online gain is the success on the stream minus that under prompt[0]. The regret is that under the best prompt minus the
success on the stream. The best prompt was written from some of these tasks, so the regret may be too large.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.intervals import Changes, Sample, mean_interval
from ictbench.results.outcomes import kept_all, outcome_array
from ictbench.results.samples import rates_by_loop
from ictbench.results.schema import OnlineMeasures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.protocol.loop_result import OutcomeString
    from ictbench.results.schema import Interval
    from ictbench.results.standard_errors import Floats

    Families = Sequence[Sequence[LoopResult]]
    Batches = Callable[[LoopResult], Sequence[OutcomeString]]

DIFFERENCE_BOUNDS = (-1.0, 1.0)


def stream(families: Families) -> tuple[Interval, ...]:
    """Return the success rate on the experience of each turn; empty for an optimiser, which has no prompt of a turn."""
    return () if _is_chosen(families) else _by_turn(families, _experience)


def stream_success(families: Families) -> Interval | None:
    """Return the success rate on the whole experience; None for an optimiser."""
    if _is_chosen(families):
        return None
    return mean_interval([rates_by_loop(_whole(loops, _experience)) for loops in families])


def online_measures(families: Families) -> OnlineMeasures | None:
    """Return the comparison with prompt[0] and the best prompt; None unless every loop played it."""
    if not all(loop.online for loops in families for loop in loops):
        return None
    return OnlineMeasures(
        base=_by_turn(families, _base),
        best=_by_turn(families, _best),
        gain=_difference(families, _experience, _base),
        regret=_difference(families, _best, _experience),
    )


def stream_rate(loop: LoopResult) -> float | None:
    """Return the success rate of one loop on its experience; None for an optimiser."""
    if _is_chosen([[loop]]):
        return None
    return float(_whole([loop], _experience).mean())


def online_rates(loop: LoopResult) -> tuple[float, float] | None:
    """Return the online gain and the regret of one loop; None unless it played the comparison."""
    if loop.online is None:
        return None
    success, base, best = (float(_whole([loop], batches).mean()) for batches in (_experience, _base, _best))
    return success - base, best - success


def _is_chosen(families: Families) -> bool:
    """Return whether the reflector chose tasks and prompts of the experience itself, as an optimiser does."""
    return any(loop.candidates for loops in families for loop in loops)


def _experience(loop: LoopResult) -> Sequence[OutcomeString]:
    return [batch.outcomes for batch in loop.batches]


def _base(loop: LoopResult) -> Sequence[OutcomeString]:
    return loop.online.base if loop.online else ()


def _best(loop: LoopResult) -> Sequence[OutcomeString]:
    return loop.online.best if loop.online else ()


def _whole(loops: Sequence[LoopResult], batches: Batches) -> Floats:
    """Return the outcomes of all turns, loops × tasks."""
    return outcome_array("".join(batches(loop)) for loop in loops)


def _by_turn(families: Families, batches: Batches) -> tuple[Interval, ...]:
    turns = range(len(families[0][0].batches))
    return tuple(
        mean_interval([rates_by_loop(outcome_array(batches(loop)[turn] for loop in loops)) for loops in families])
        for turn in turns
    )


def _difference(families: Families, one: Batches, other: Batches) -> Interval:
    """Return the mean difference; a loop that keeps prompt[0] in every turn has none."""
    return mean_interval([_difference_of(loops, one, other) for loops in families])


def _difference_of(loops: Sequence[LoopResult], one: Batches, other: Batches) -> Sample:
    values = _whole(loops, one) - _whole(loops, other)
    return Sample(values, DIFFERENCE_BOUNDS, (Changes(values.mean(axis=-1), kept_all(loops), *DIFFERENCE_BOUNDS),))

"""Lower bound on the time of a run, computed from the latencies recorded in its replies.

No schedule is shorter than the longest chain of dependent requests, nor than the sum of all latencies divided by the
number of concurrent requests.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from ictbench.records import episode_key, prompt_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench import Episode, Run
    from ictbench.protocol import LoopResult

Chain = list[float]
"""Latencies of consecutive requests, in seconds."""


def chain(episode: Episode) -> Chain:
    """Return the latencies of an episode's decisions."""
    return [float(step.thought) for step in episode.trajectory.steps]


def ideal(chains: Iterable[Chain], cap: int, longest: float | None = None) -> float:
    """Return the lower bound in seconds.

    Args:
        chains: Chains of dependent requests.
        cap: Number of concurrent requests.
        longest: Seconds of the longest chain of dependent chains; None if chains are independent.
    """
    sums = [sum(latencies) for latencies in chains]
    return max(max(sums) if longest is None else longest, sum(sums) / cap)


def lockstep(batch: Sequence[Chain]) -> float:
    """Return the seconds of a batch whose episodes wait for each other at every decision."""
    return sum(max(together) for together in zip_longest(*batch, fillvalue=0.0))


class RunTimes:
    """Schedule times of a finished run, computed from its latencies.

    Attributes:
        ideal: Lower bound in seconds.
        longest: Seconds of the longest chain of dependent requests.
        lockstep: Seconds per loop with sequential requests and batches in lockstep.
        decisions: Number of decisions.
    """

    def __init__(self, run: Run, cap: int) -> None:
        self._run = run
        self._chains: dict[str, Chain] = {}
        loops = [loop for family in run.result.families for loop in family.loops]
        self.longest = max(map(self._longest, loops))
        self.lockstep = [self._lockstep(loop) for loop in loops]
        reflections = [[seconds] for loop in loops for seconds in _reflections(loop)]
        self.ideal = ideal([*self._chains.values(), *reflections], cap, self.longest)
        self.decisions = sum(map(len, self._chains.values()))

    def _batch(self, tasks: Iterable[str], prompt: str) -> list[Chain]:
        keys = [episode_key(task, prompt_digest(prompt)) for task in tasks]
        for key in keys:
            if key not in self._chains:
                self._chains[key] = chain(self._run.episode(key))
        return [self._chains[key] for key in keys]

    def _longest(self, loop: LoopResult) -> float:
        """Return the seconds of the longest chain, from the first batch to the test of the best prompt."""
        prompts = [prompt.text for prompt in loop.prompts]
        ready, selected = [0.0], []
        for batch, prompt, seconds in zip(loop.batches, prompts, _reflections(loop), strict=False):
            ready.append(ready[-1] + max(map(sum, self._batch(batch.tasks, prompt))) + seconds)
        for at, prompt in zip(ready, prompts, strict=True):
            selected.append(at + max(map(sum, self._batch(loop.selection_tasks, prompt))))
        ends = []
        for index in loop.test:
            at = ready[index] if index in (0, len(prompts) - 1) else max(selected)
            ends.append(at + max(map(sum, self._batch(loop.test_tasks, prompts[index]))))
        return max(*selected, *ends)

    def _lockstep(self, loop: LoopResult) -> float:
        prompts = [prompt.text for prompt in loop.prompts]
        batches = [
            *(self._batch(batch.tasks, prompt) for batch, prompt in zip(loop.batches, prompts, strict=False)),
            *(self._batch(loop.selection_tasks, prompt) for prompt in prompts),
            *(self._batch(loop.test_tasks, prompts[index]) for index in loop.test),
        ]
        return sum(map(lockstep, batches)) + sum(_reflections(loop))


def _reflections(loop: LoopResult) -> list[float]:
    return [float(prompt.analysis) for prompt in loop.prompts[1:]]

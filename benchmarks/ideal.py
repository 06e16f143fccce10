"""The shortest time in which a schedule could have played what was played, from the latencies that replies tell.

No schedule is shorter than the longest chain of requests that depend on each other, nor than all latencies together
over the number of requests that may be in flight.
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
"""Latencies of requests that follow each other, in seconds."""


def chain(episode: Episode) -> Chain:
    """An episode's, decision by decision."""
    return [float(step.thought) for step in episode.trajectory.steps]


def ideal(chains: Iterable[Chain], cap: int, longest: float | None = None) -> float:
    """Seconds; `longest` is the longest chain where that is more than one episode."""
    sums = [sum(one) for one in chains]
    return max(max(sums) if longest is None else longest, sum(sums) / cap)


def lockstep(batch: Sequence[Chain]) -> float:
    """Seconds that episodes take which wait for each other at every decision."""
    return sum(max(together) for together in zip_longest(*batch, fillvalue=0.0))


class RunTimes:
    """What the latencies of a finished run say of its schedule.

    Attributes:
        ideal: seconds of the ideal schedule.
        longest: seconds of its longest chain.
        lockstep: by loop, seconds of the same as one thing at a time, batches in lockstep.
        decisions: how many there were.
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
        """From the first batch to the test of the best prompt, as every part waits for what it depends on."""
        prompts = [prompt.text for prompt in loop.prompts]
        known, selected = [0.0], []
        for batch, prompt, seconds in zip(loop.batches, prompts, _reflections(loop), strict=False):
            known.append(known[-1] + max(map(sum, self._batch(batch.tasks, prompt))) + seconds)
        for at, prompt in zip(known, prompts, strict=True):
            selected.append(at + max(map(sum, self._batch(loop.selection_tasks, prompt))))
        ends = []
        for index in loop.test:
            at = known[index] if index in (0, len(prompts) - 1) else max(selected)
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

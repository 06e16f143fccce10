"""Outcomes of a loop as success rates and arrays.

The unit of every measure is the task. The value of a task that is played several times is its mean over the repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.protocol.loop_result import OutcomeString
    from ictbench.records import PluginSpec
    from ictbench.results.intervals import Bools
    from ictbench.results.standard_errors import Floats

Number = TypeVar("Number", float, "Floats")


class Levels(NamedTuple):
    """Success rates, or progress, of a loop on its test tasks."""

    base: float
    """Under prompt[0]."""
    best: float
    """Under the best prompt."""
    last: float
    """Under prompt[N]."""

    @property
    def gain(self) -> float:
        """Best minus base."""
        return self.best - self.base

    @property
    def last_gain(self) -> float:
        """Last minus base."""
        return self.last - self.base


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Values of the test tasks of one family by prompt: `base`, `best` and `last`."""

    values: dict[str, Floats]
    """By prompt: loops × tasks."""
    kept: dict[str, Bools]
    """For `best` and `last`, by loop: whether the prompt equals prompt[0]."""
    constant: bool = False
    """Whether the reflector keeps prompt[0] by design."""

    def __getitem__(self, prompt: str) -> Floats:
        """Return the values under a prompt."""
        return self.values[prompt]


def success_rate(outcomes: OutcomeString) -> float:
    """Return the share of episodes solved."""
    return outcomes.count("1") / len(outcomes)


def levels_of(loop: LoopResult) -> Levels:
    """Return the success rates of a loop on its test tasks."""
    return Levels(*(success_rate(loop.test[index]) for index in (0, loop.best, loop.last)))


def outcome_array(rows: Iterable[OutcomeString]) -> Floats:
    """Return outcomes as an array of 0.0 and 1.0, rows × episodes."""
    return np.array([[float(outcome) for outcome in row] for row in rows])


def repeated_outcomes(rows: Iterable[OutcomeString], tasks: int) -> Floats:
    """Return the outcomes of so many tasks per row as an array of 0.0 and 1.0, rows × tasks × repeats."""
    episodes = outcome_array(rows)
    return episodes.reshape(len(episodes), tasks, -1)


def task_rates(rows: Iterable[OutcomeString], tasks: int) -> Floats:
    """Return the share of each task's episodes that were solved, rows × tasks."""
    return np.asarray(repeated_outcomes(rows, tasks).mean(axis=-1))


def repeated_outcomes_by_prompt(loops: Sequence[LoopResult]) -> dict[str, Floats]:
    """Return outcomes on test tasks under `base`, `best` and `last`, each loops × tasks × repeats."""
    tasks = len(loops[0].test_tasks)
    return {
        "base": repeated_outcomes((loop.test[0] for loop in loops), tasks),
        "best": repeated_outcomes((loop.test[loop.best] for loop in loops), tasks),
        "last": repeated_outcomes((loop.test[loop.last] for loop in loops), tasks),
    }


def is_constant(reflector: PluginSpec) -> bool:
    """Return whether a reflector keeps prompt[0] by design, so that loops differ only by their tasks."""
    return reflector.name == "none"


def outcomes_by_prompt(loops: Sequence[LoopResult], *, constant: bool = False) -> Outcomes:
    """Return the values of test tasks under prompt[0], the best and the last prompt."""
    values = {name: outcomes.mean(axis=-1) for name, outcomes in repeated_outcomes_by_prompt(loops).items()}
    unchanged = {"best": kept(loops, [loop.best for loop in loops]), "last": kept(loops, [-1] * len(loops))}
    return Outcomes(values, unchanged, constant)


def kept(loops: Sequence[LoopResult], prompts: Sequence[int]) -> Bools:
    """Return, by loop, whether its prompt of this index equals prompt[0]."""
    return np.asarray(kept_prompts(loops)[np.arange(len(loops)), prompts])


def kept_all(loops: Sequence[LoopResult]) -> Bools:
    """Return, by loop, whether all its prompts equal prompt[0]."""
    return np.asarray(kept_prompts(loops).all(axis=-1))


def kept_prompts(loops: Sequence[LoopResult]) -> Bools:
    """Return whether a prompt equals prompt[0], loops × prompts."""
    return np.array([[prompt.digest == loop.prompts[0].digest for prompt in loop.prompts] for loop in loops])


def overfitting_gap(replayed_gain: Number, fresh_gain: Number) -> Number:
    """Return the gain on the batch that was reflected on minus the gain on a fresh one, as numbers or arrays."""
    return replayed_gain - fresh_gain


def overfitting_gaps(loop: LoopResult) -> Floats:
    """Return the overfitting gap of every audited turn and task of an audited loop, turns × tasks."""
    turns = len(loop.audit)
    batches = outcome_array(batch.outcomes for batch in loop.batches)
    replayed = outcome_array(audit.replayed for audit in loop.audit)
    fresh = outcome_array(audit.fresh for audit in loop.audit)
    return overfitting_gap(replayed - batches[:turns], batches[1 : turns + 1] - fresh)

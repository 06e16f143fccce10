"""What a new prompt is worth: found by playing, never from its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ictbench.errors import InfrastructureError
from ictbench.results.outcomes import overfitting_gap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Episode, EpisodeSpec, Task
    from ictbench.runs.plan import RunPlan
    from ictbench.train.settings import RewardName
    from ictbench.train.states import State

FRESH = 1_000_000
"""From this loop index on, the orders of experience tasks are drawn from for fresh ones: no loop of a run is there."""


class Player(Protocol):
    """Plays episodes and waits for them; an `EpisodePlayer` does."""

    def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        """Play them side by side, in the order of their specifications."""


@dataclass(frozen=True, slots=True)
class Gains:
    """What new prompts gained over the previous ones, on average, as shares of tasks."""

    replayed: float
    """On the batch that was reflected on."""
    fresh: float
    """On as many tasks of the family that were not."""

    @property
    def overfitting_gap(self) -> float:
        """The protocol's: gain on the replayed batch minus gain on a fresh one."""
        return overfitting_gap(self.replayed, self.fresh)


@dataclass
class Rewards:
    """Plays states' tasks under new prompts. An episode is played once, however many ask for it."""

    plan: RunPlan
    player: Player
    name: RewardName
    replicates: int
    """Episodes a task and prompt, each sampled anew."""
    _solved: dict[str, bool] = field(default_factory=dict)
    """By key of the episode."""

    @property
    def episodes(self) -> int:
        """Played so far."""
        return len(self._solved)

    def of(self, states: Sequence[State], prompts: Sequence[str | None], draw: int) -> list[float]:
        """The reward of each new prompt; None stands for an unusable reply, under which nothing counts as solved.

        Args:
            states: one a prompt.
            prompts: the new ones.
            draw: which fresh tasks to take; the same for all of one group, so that its prompts are compared on them.

        Raises:
            InfrastructureError: an episode could not be played, tried twice.
            RunError: nothing can be played any more.
        """
        tasks = [self._fresh(state, draw) if self.name == "fresh" else self._batch(state) for state in states]
        new = self._shares(list(zip(prompts, tasks, strict=True)))
        if self.name != "gain":
            return new
        old = self._shares([(state.prompt, batch) for state, batch in zip(states, tasks, strict=True)])
        return [after - before for after, before in zip(new, old, strict=True)]

    def gains(self, states: Sequence[State], prompts: Sequence[str | None], draw: int) -> Gains:
        """What the prompts gain on their batches and on fresh tasks; an unusable reply keeps the previous prompt.

        Raises:
            InfrastructureError, RunError: as `of`.
        """
        kept = [state.prompt if prompt is None else prompt for state, prompt in zip(states, prompts, strict=True)]
        mean: list[float] = []
        for tasks in ([self._batch(state) for state in states], [self._fresh(state, draw) for state in states]):
            new = self._shares(list(zip(kept, tasks, strict=True)))
            old = self._shares([(state.prompt, some) for state, some in zip(states, tasks, strict=True)])
            mean.append(sum(new) / len(new) - sum(old) / len(old))
        return Gains(*mean)

    def _batch(self, state: State) -> tuple[Task, ...]:
        return tuple(self.plan.suite.task(state.family, task) for task in state.task_ids)

    def _fresh(self, state: State, draw: int) -> tuple[Task, ...]:
        """As many tasks of the family as the batch has, none of the batch's own."""
        count = len(state.task_ids)
        order = self.plan.suite.experience_order(state.family, FRESH + draw, 2 * count)
        return tuple(task for task in order if task.id not in state.task_ids)[:count]

    def _shares(self, asked: Sequence[tuple[str | None, tuple[Task, ...]]]) -> list[float]:
        """Of each prompt's episodes, the share that is solved."""
        specs = [
            [self.plan.episode(task, prompt, replicate) for task in tasks for replicate in range(self.replicates)]
            if prompt is not None
            else []
            for prompt, tasks in asked
        ]
        self._play([spec for group in specs for spec in group if spec.key not in self._solved])
        return [sum(self._solved[spec.key] for spec in group) / max(len(group), 1) for group in specs]

    def _play(self, specs: Sequence[EpisodeSpec]) -> None:
        """What is not known yet. A worker that died has been replaced by the second time."""
        try:
            episodes = self.player.play(specs)
        except InfrastructureError:
            episodes = self.player.play(specs)
        self._solved.update((episode.key, episode.trajectory.solved) for episode in episodes)

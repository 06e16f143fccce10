"""Rewards of new prompts, measured by playing episodes under them; the text of a prompt is never scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ictbench.errors import InfrastructureError
from ictbench.results.outcomes import overfitting_gap
from ictbench.train.states import ReflectionState

if TYPE_CHECKING:
    from ictbench.records import Episode, EpisodeSpec, Task, Trajectory
    from ictbench.runs.plan import RunPlan
    from ictbench.train.settings import RewardName

FRESH_LOOP = 1_000_000
"""First loop index of the task orders that fresh tasks are taken from; no loop of a run has an index this high."""


Policy = Callable[[Sequence[ReflectionState]], list[str | None]]
"""The model being trained: returns the next prompt for each state, None for an unusable reply."""


class Player(Protocol):
    """Plays episodes and waits for them; implemented by `EpisodePlayer`."""

    def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        """Play episodes concurrently and return them in the order of `specs`."""


@dataclass(frozen=True, slots=True)
class Gains:
    """Mean gain in success rate of new prompts over the previous ones."""

    replayed: float
    """On the batch that was reflected on."""
    fresh: float
    """On as many other tasks of the same family."""

    @property
    def overfitting_gap(self) -> float:
        """Gain on the replayed batch minus gain on fresh tasks, as the protocol defines it."""
        return overfitting_gap(self.replayed, self.fresh)


@dataclass
class RewardFunction:
    """Plays the tasks of states under new prompts; each distinct episode is played once."""

    plan: RunPlan
    player: Player
    name: RewardName
    replicates: int
    """Episodes per task and prompt, each with its own sampling seed."""
    turns: int = 1
    """Turns of the loops that the states come from."""
    _solved: dict[str, bool] = field(default_factory=dict)
    """Outcomes of played episodes, by episode key."""

    @property
    def episodes(self) -> int:
        """Number of episodes played so far."""
        return len(self._solved)

    def rewards(
        self,
        states: Sequence[ReflectionState],
        prompts: Sequence[str | None],
        draw: int,
        policy: Policy | None = None,
    ) -> list[float]:
        """Return the reward of each new prompt.

        Args:
            states: The state that each prompt was written for.
            prompts: New prompts; None for an unusable reply, which counts as nothing solved.
            draw: Which fresh tasks to take. Use one value for a whole group, so that its prompts meet the same tasks.
            policy: Writes the prompts of the loop's remaining turns; only `loop` needs it.

        Raises:
            InfrastructureError: An episode could not be played in two attempts.
            RunError: No more episodes can be played.
        """
        if self.name == "loop":
            if policy is None:
                raise ValueError("the reward loop needs a policy")
            return self._loops(states, prompts, draw, policy)
        tasks = [self._fresh(state, draw) if self.name == "fresh" else self._batch(state) for state in states]
        new = self._success(list(zip(prompts, tasks, strict=True)))
        if self.name != "gain":
            return new
        old = self._success([(state.prompt, batch) for state, batch in zip(states, tasks, strict=True)])
        return [after - before for after, before in zip(new, old, strict=True)]

    def gains(self, states: Sequence[ReflectionState], prompts: Sequence[str | None], draw: int) -> Gains:
        """Return the mean gain on the states' batches and on fresh tasks; None keeps the previous prompt.

        Raises:
            InfrastructureError: An episode could not be played in two attempts.
            RunError: No more episodes can be played.
        """
        kept = [state.prompt if prompt is None else prompt for state, prompt in zip(states, prompts, strict=True)]
        means: list[float] = []
        for tasks in ([self._batch(state) for state in states], [self._fresh(state, draw) for state in states]):
            new = self._success(list(zip(kept, tasks, strict=True)))
            old = self._success([(state.prompt, group) for state, group in zip(states, tasks, strict=True)])
            means.append(sum(new) / len(new) - sum(old) / len(old))
        return Gains(*means)

    def _batch(self, state: ReflectionState) -> tuple[Task, ...]:
        return tuple(self.plan.suite.task(state.family, task) for task in state.task_ids)

    def _fresh(self, state: ReflectionState, draw: int, block: int = 0) -> tuple[Task, ...]:
        """Return as many tasks of the family as the batch has, none of them from the batch or another block."""
        count = len(state.task_ids)
        order = self.plan.suite.experience_order(state.family, FRESH_LOOP + draw, (block + 2) * count)
        return tuple(task for task in order if task.id not in state.task_ids)[block * count : (block + 1) * count]

    def _loops(
        self, states: Sequence[ReflectionState], prompts: Sequence[str | None], draw: int, policy: Policy
    ) -> list[float]:
        """Return the mean success of each new prompt and of those that follow it until the end of its loop.

        The new prompt of turn t and each later one are played on a block of fresh tasks; the episodes under all but the
        last are the experience of the next turn. An unusable first reply counts as nothing solved, a later one keeps
        the prompt.
        """
        shares: list[list[float]] = [[] for _ in states]
        current = {index: prompt for index, prompt in enumerate(prompts) if prompt is not None}
        for block in range(self.turns):
            current = {index: prompt for index, prompt in current.items() if states[index].turn + block <= self.turns}
            if not current:
                break
            tasks = {index: self._fresh(states[index], draw, block) for index in current}
            batches = self._trajectories([(prompt, tasks[index]) for index, prompt in current.items()])
            later: dict[int, ReflectionState] = {}
            for (index, prompt), batch in zip(current.items(), batches, strict=True):
                shares[index].append(sum(episode.solved for group in batch for episode in group) / _count(batch))
                if states[index].turn + block < self.turns:
                    later[index] = _next_state(states[index], block + 1, prompt, tasks[index], batch)
            written = policy(list(later.values())) if later else []
            current = {
                index: prompt or state.prompt for (index, state), prompt in zip(later.items(), written, strict=True)
            }
        return [sum(share) / len(share) if share else 0.0 for share in shares]

    def _trajectories(self, groups: Sequence[tuple[str, tuple[Task, ...]]]) -> list[list[list[Trajectory]]]:
        """Return the trajectories of each prompt and its tasks: a list of replicates per task."""
        specs = [
            [[self.plan.episode(task, prompt, replicate) for replicate in range(self.replicates)] for task in tasks]
            for prompt, tasks in groups
        ]
        wanted = {spec.key: spec for group in specs for row in group for spec in row}
        played = {episode.key: episode.trajectory for episode in self._play(list(wanted.values()))}
        return [[[played[spec.key] for spec in row] for row in group] for group in specs]

    def _success(self, groups: Sequence[tuple[str | None, tuple[Task, ...]]]) -> list[float]:
        """Return the share of solved episodes for each prompt and its tasks."""
        specs = [
            [self.plan.episode(task, prompt, replicate) for task in tasks for replicate in range(self.replicates)]
            if prompt is not None
            else []
            for prompt, tasks in groups
        ]
        self._play([spec for group in specs for spec in group if spec.key not in self._solved])
        return [sum(self._solved[spec.key] for spec in group) / max(len(group), 1) for group in specs]

    def _play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        """Play episodes and record their outcomes; try twice, because a dead worker is replaced after the first."""
        try:
            episodes = self.player.play(specs)
        except InfrastructureError:
            episodes = self.player.play(specs)
        self._solved.update((episode.key, episode.trajectory.solved) for episode in episodes)
        return episodes


def _count(batch: Sequence[Sequence[Trajectory]]) -> int:
    return sum(map(len, batch))


def _next_state(
    state: ReflectionState, turns: int, prompt: str, tasks: Sequence[Task], batch: Sequence[Sequence[Trajectory]]
) -> ReflectionState:
    """Return the state some turns after another, with the first replicate of each task as its experience."""
    experience = [replicates[0] for replicates in batch]
    return state.model_copy(
        update={
            "turn": state.turn + turns,
            "prompt": prompt,
            "task_ids": tuple(task.id for task in tasks),
            "solved": tuple(trajectory.solved for trajectory in experience),
            "trajectories": tuple(trajectory.model_dump_json() for trajectory in experience),
        }
    )

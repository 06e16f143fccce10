"""Episodes that a reflector plays itself during one turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ictbench.errors import PluginError
from ictbench.records import Candidate, episode_key, prompt_digest
from ictbench.visible_text import is_encodable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ictbench.records import Reflection, Task, Trajectory
    from ictbench.reflectors import BatchPlayer


class PlayTasks(Protocol):
    """Plays tasks under a prompt."""

    async def __call__(self, tasks: Sequence[Task], prompt: str, *, again: bool) -> list[Trajectory]:
        """Return their trajectories; `again` says that the episodes are finished and counted."""


@dataclass
class ReflectorRollouts:
    """The `BatchPlayer` of one turn."""

    label: str
    """Label of the reflector."""
    tasks: tuple[Task, ...]
    """Tasks that it may play."""
    budget: int
    """Number of episodes that it may play in this turn."""
    prompt_cap: int
    """Maximum size of a prompt in UTF-8 bytes."""
    free: Collection[str]
    """Keys of the episodes that were played before this turn began, which do not count again."""
    play: PlayTasks
    outcomes: dict[str, bool] = field(default_factory=dict)
    """Whether each episode of this turn was solved, by key."""
    prompts: dict[str, None] = field(default_factory=dict)
    """Prompts that were played in this turn, as a sorted set."""

    @property
    def left(self) -> int:
        """Number of episodes that may still be played in this turn."""
        return self.budget - len(self.outcomes)

    @property
    def size(self) -> int:
        """Number of tasks."""
        return len(self.tasks)

    def new_episodes(self, prompt: str, indices: Sequence[int]) -> int:
        """Return how many of these episodes would count; see `ictbench.reflectors.BatchPlayer`."""
        return len(self._new(prompt, indices))

    async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
        """Return trajectories of the tasks at these positions; see `ictbench.reflectors.BatchPlayer`."""
        self._check(prompt, indices)
        new = self._new(prompt, indices)
        if len(new) > self.left:
            raise PluginError(
                f"reflector {self.label} requests {len(new)} episodes of its own, but has {self.left} left in this turn"
            )
        # Counted before they are played: a reflector may request several batches at the same time.
        self.outcomes |= dict.fromkeys(new, False)
        self.prompts[prompt] = None
        played = await self.play([*new.values()], prompt, again=False)
        self.outcomes |= {key: trajectory.solved for key, trajectory in zip(new, played, strict=True)}
        return await self.play([self.tasks[index] for index in indices], prompt, again=True)

    def _new(self, prompt: str, indices: Iterable[int]) -> dict[str, Task]:
        """Return the tasks of the episodes that count, by key."""
        digest = prompt_digest(prompt)
        tasks = {episode_key(self.tasks[index].id, digest): self.tasks[index] for index in indices}
        return {key: task for key, task in tasks.items() if key not in self.free and key not in self.outcomes}

    def _check(self, prompt: str, indices: Iterable[int]) -> None:
        if not is_encodable(prompt):
            raise PluginError(f"reflector {self.label} plays a prompt that UTF-8 cannot encode: {prompt!r:.80}")
        if (size := len(prompt.encode())) > self.prompt_cap:
            raise PluginError(
                f"reflector {self.label} plays a prompt of {size:,} bytes, of at most {self.prompt_cap:,}; shorten it"
            )
        for index in indices:
            if not 0 <= index < len(self.tasks):
                raise PluginError(
                    f"reflector {self.label} requests the task at position {index!r:.40}, but there are only "
                    f"{len(self.tasks)}; count from 0"
                )

    def recorded_in(self, reflection: Reflection, *, optimiser: bool) -> Reflection:
        """Return a reflection with the episodes of this turn, and with all prompts that an optimiser has tried in it.

        Raises:
            PluginError: It describes candidates that cannot exist.
        """
        replays = tuple(self.outcomes)
        if not optimiser:
            if reflection.candidates:
                raise PluginError(
                    f'reflector {self.label} returned candidates; set `experience = "pooled"` in its class'
                )
            return reflection.model_copy(update={"replays": replays, "outcomes": ""})
        described = {candidate.text for candidate in reflection.candidates}
        for candidate in reflection.candidates:
            for text in (candidate.text, *candidate.parents):
                self._check(text, candidate.front)
        missing = (Candidate(text=prompt) for prompt in self.prompts if prompt not in described)
        return reflection.model_copy(
            update={
                "replays": replays,
                "outcomes": "".join("1" if solved else "0" for solved in self.outcomes.values()),
                "candidates": (*reflection.candidates, *missing),
            }
        )


def without_tasks(player: BatchPlayer) -> BatchPlayer:
    """Return a player for a reflector: it has the methods of the contract, and no attribute holds a task or a key."""

    class Player:
        __slots__ = ()

        @property
        def left(self) -> int:
            return player.left

        @property
        def size(self) -> int:
            return player.size

        def new_episodes(self, prompt: str, indices: Sequence[int]) -> int:
            return player.new_episodes(prompt, indices)

        async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
            return await player(prompt, indices)

    return Player()

"""Tasks: one per loop of a suite, and their rewards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import verifiers.v1 as vf
from pydantic import Field, JsonValue

from ictbench.runs import LoopPlayer

if TYPE_CHECKING:
    from collections.abc import Iterator


class LoopData(vf.TaskData):
    """A loop. Its name is not shown to the model."""

    family: str
    loop: int


class LoopTask(vf.Task[LoopData]):
    """The rewards of a loop, which `LoopEnv` has measured; see `ictbench.runs.LoopRewards`.

    `--env.taskset.task.rewards.NAME.weight` changes a weight.
    """

    @vf.reward(weight=1.0)
    async def gain(self, trace: vf.Trace) -> float:
        """Success on test tasks under the best prompt, minus that under prompt[0]."""
        return measured(trace)["gain"]

    @vf.reward(weight=0.0)
    async def best(self, trace: vf.Trace) -> float:
        """Success on test tasks under the best prompt."""
        return measured(trace)["best"]

    @vf.reward(weight=0.0)
    async def fresh(self, trace: vf.Trace) -> float:
        """Mean success of the written prompts on the batch that follows each."""
        return measured(trace)["fresh"]

    @vf.metric
    async def unusable_replies(self, trace: vf.Trace) -> float:
        """Share of the turns without a usable reply."""
        return measured(trace)["unusable_replies"]


class LoopTasksetConfig(vf.TasksetConfig):
    """The loops, and how they are played."""

    suite: str = "minihack-v1"
    """Name or YAML file of the suite."""
    families: str = "meta-train"
    """Families by name, or meta-train, held-out, all; separate several by commas."""
    loops: int = Field(default=8, ge=1)
    """Loops of each family, from index 0."""
    actor: str = "rules"
    """The actor, as in `ictbench run --actor`."""
    reflector: str = "rewrite"
    """The reflector whose question the model answers: lessons, one-action, one-rule or rewrite."""
    experience: str | None = None
    """Format of the experience in the question: full, events or tally; None for the reflector's own."""
    start_prompt: str | None = None
    """File with prompt[0], or folder of a run; None for the suite's prompt."""
    turns: int | None = None
    """Turns of a loop (N); None for the suite's."""
    batch_size: int | None = None
    """Episodes of a turn (k); None for the suite's."""
    selection_size: int | None = None
    """Tasks that choose the best prompt; None for the suite's."""
    test_size: int | None = None
    """Tasks for the rewards gain and best; None for the suite's."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """Further options of `ictbench.MetaEnv`, e.g. actor_base_url, max_cost, executor, workers."""


class LoopTaskset(vf.Taskset[LoopTask, LoopTasksetConfig]):
    """The loops of a suite's families."""

    def open_player(self) -> LoopPlayer:
        """Return a new player of the loops.

        Raises:
            ictbench.errors.UsageError: An option is unknown or invalid, or the actor cannot be used on this machine.
        """
        config = self.config
        sizes = ("turns", "batch_size", "selection_size", "test_size")
        chosen: dict[str, Any] = {name: getattr(config, name) for name in sizes if getattr(config, name) is not None}
        return LoopPlayer(
            config.suite,
            config.families,
            actor=config.actor,
            reflector=config.reflector,
            experience=config.experience,
            start_prompt=config.start_prompt,
            **{**config.options, **chosen},
        )

    def load(self) -> Iterator[LoopTask]:
        """Yield one task per loop and family."""
        with self.open_player() as player:
            suite, families = player.plan.suite.name, player.families
        for loop in range(self.config.loops):
            for family in families:
                data = LoopData(name=f"{suite}/{family}/{loop}", family=family, loop=loop)
                yield LoopTask(data, self.config.task)


def measured(trace: vf.Trace) -> dict[str, float]:
    """Return the measures of the loop in a trace."""
    measures: dict[str, float] = trace.info["measures"]
    return measures

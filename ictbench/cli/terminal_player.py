"""A person at the terminal as the actor of an episode."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ictbench.actors import Actor
from ictbench.records import Decision, EpisodeSpec, PluginSpec
from ictbench.rollout.env_pool import EnvPool
from ictbench.rollout.episode import play_episode
from ictbench.visible_text import visible

if TYPE_CHECKING:
    from ictbench.actors import History
    from ictbench.records import Episode, Task
    from ictbench.suites import Suite

QUIT = "quit"


class Quit(BaseException):
    """The player stops; no error, so that nothing between here and the command takes it for one."""


class TerminalActor(Actor):
    """A person at the terminal."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Show what an agent is shown, and ask for an action."""
        left = history.max_steps - len(history.steps)
        actions = ", ".join(history.actions)
        print(f"\n{visible(history.observation.rstrip())}\n\nAvailable: {visible(actions)}   ({left} decisions left)")
        while True:
            try:
                typed = input("> ").strip()  # noqa: ASYNC250 - nothing else runs
            except EOFError:
                raise Quit from None
            if typed == QUIT and QUIT not in history.actions:
                raise Quit
            if typed:
                return Decision(action=typed)


def play_in_terminal(suite: Suite, task: Task, prompt: str) -> Episode:
    """Play one episode with the person at the terminal, in this thread.

    Raises:
        Quit: The person stops.
        EnvError: The environment fails.
        PluginError: The environment's code fails.
    """

    async def call(function: Any, *arguments: Any) -> Any:
        return function(*arguments)

    spec = EpisodeSpec(
        task=task,
        prompt=prompt,
        actor=PluginSpec(label="human", name=f"{__name__}:{TerminalActor.__name__}"),
        max_steps=suite.limits.max_steps,
        seed=0,
    )
    pool = EnvPool()
    try:
        with pool.lend(task) as env:
            return asyncio.run(play_episode(spec, env, TerminalActor(), call))
    finally:
        pool.close()

"""A program in the place of the person who plays a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.actors.random_actor import RandomActor
from ictbench.rollout.env_pool import EnvPool
from ictbench.rollout.episode import play_episode
from ictbench.rollout.worker import run_without_loop

if TYPE_CHECKING:
    from ictbench.records import Episode, EpisodeSpec
    from ictbench.runs.person_run import Place


class Stopped(BaseException):
    """The player stops."""


class Player:
    """Plays at random, and stops after some episodes."""

    def __init__(self, stop_after: int = 1000) -> None:
        self.places: list[Place] = []
        self.paused: list[str] = []
        self._stop_after = stop_after
        self._envs = EnvPool()

    def play(self, spec: EpisodeSpec, place: Place) -> Episode:
        if len(self.places) == self._stop_after:
            raise Stopped
        self.places.append(place)

        async def call(function: Any, *arguments: Any) -> Any:
            return function(*arguments)

        with self._envs.lend(spec.task) as env:
            return run_without_loop(play_episode(spec, env, RandomActor(), call), spec.actor)

    def pause(self, problem: str) -> None:
        self.paused.append(problem)

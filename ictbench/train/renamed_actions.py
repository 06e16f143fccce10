"""Questions in which the actions have each other's names, so that a model cannot learn which action goes with a game.

With few meta-train families, what lies in the room tells which action solves it, and a model that is trained on them
can learn that instead of reading outcomes. In a question with exchanged names only the outcomes tell it. The reply is
given the actions' own names again before it is played.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.reflectors.llm.one_action import known_actions
from ictbench.rules_text.rules import action_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.records import Trajectory
    from ictbench.train.states import ReflectionState

_CHOSEN = re.compile(r'(?:(?<=choose ")|(?<=Do "))[^"\n]+(?=")')


@dataclass(frozen=True, slots=True)
class Renaming:
    """Which names kinds of actions have in the questions of a training."""

    seed: int
    kept: frozenset[str]
    """Kinds with their own names: those that the first prompt quotes."""

    @classmethod
    def of_training(cls, seed: int, start_prompt: str) -> Renaming:
        """Return the renaming of a training whose loops begin with a prompt."""
        return cls(seed, known_actions(start_prompt))

    def names(self, state: ReflectionState) -> dict[str, str]:
        """Return the name of each kind of action in the question about a state: a random permutation, of each state's
        own.
        """
        steps = (step for trajectory in state.experience for step in trajectory.steps)
        own = sorted({action_kind(action) for step in steps for action in step.actions} - self.kept)
        rng = random.Random(f"{self.seed}:{state.family}:{state.loop}:{state.turn}")
        return dict(zip(own, rng.sample(own, len(own)), strict=True))


def rename_rules(prompt: str, names: Mapping[str, str]) -> str:
    """Return a prompt whose rules choose, or order first, kinds of actions with other names."""
    return _CHOSEN.sub(lambda match: names.get(match[0], match[0]), prompt)


def rename_trajectories(trajectories: Sequence[Trajectory], names: Mapping[str, str]) -> list[Trajectory]:
    """Return episodes whose kinds of actions have other names; observations stay as they are."""

    def renamed(action: str) -> str:
        kind = action_kind(action)
        return names.get(kind, kind) + action.removeprefix(kind)

    return [
        trajectory.model_copy(
            update={
                "steps": tuple(
                    step.model_copy(
                        update={
                            "actions": tuple(map(renamed, step.actions)),
                            "proposed": step.proposed and renamed(step.proposed),
                            "executed": step.executed and renamed(step.executed),
                        }
                    )
                    for step in trajectory.steps
                )
            }
        )
        for trajectory in trajectories
    ]

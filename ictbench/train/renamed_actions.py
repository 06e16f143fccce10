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

from ictbench.rules_text.rules import Choose, action_kind, parse_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.records import Trajectory
    from ictbench.train.states import ReflectionState

_CHOSEN = re.compile(r'(?<=choose ")[^"\n]+(?=")')


@dataclass(frozen=True, slots=True)
class Renaming:
    """Which names actions have in the questions of a training."""

    seed: int
    kept: frozenset[str]
    """Actions with their own names: those that rules of the first prompt choose."""

    @classmethod
    def of_training(cls, seed: int, start_prompt: str) -> Renaming:
        """Return the renaming of a training whose loops begin with a prompt."""
        rules = (rule for rule in parse_rules(start_prompt) if isinstance(rule, Choose))
        return cls(seed, frozenset(rule.action for rule in rules))

    def names(self, state: ReflectionState) -> dict[str, str]:
        """Return the name of each action in the question about a state: a random permutation, of each state's own.

        Actions of several words keep their names.
        """
        offered = {action for trajectory in state.experience for step in trajectory.steps for action in step.actions}
        own = sorted(action for action in offered - self.kept if action_kind(action) == action)
        rng = random.Random(f"{self.seed}:{state.family}:{state.loop}:{state.turn}")
        return dict(zip(own, rng.sample(own, len(own)), strict=True))


def rename_rules(prompt: str, names: Mapping[str, str]) -> str:
    """Return a prompt whose rules choose the actions with other names."""
    return _CHOSEN.sub(lambda match: names.get(match[0], match[0]), prompt)


def rename_trajectories(trajectories: Sequence[Trajectory], names: Mapping[str, str]) -> list[Trajectory]:
    """Return episodes whose actions have other names; observations stay as they are."""
    return [
        trajectory.model_copy(
            update={
                "steps": tuple(
                    step.model_copy(
                        update={
                            "actions": tuple(names.get(action, action) for action in step.actions),
                            "proposed": step.proposed and names.get(step.proposed, step.proposed),
                            "executed": step.executed and names.get(step.executed, step.executed),
                        }
                    )
                    for step in trajectory.steps
                )
            }
        )
        for trajectory in trajectories
    ]

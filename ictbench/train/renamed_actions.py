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

from ictbench.rules_text.rules import Act, Choose, Walk, action_kind, parse_rules

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
    """Kinds with their own names: those that rules of the first prompt name."""
    moves: bool
    """Whether actions of several words, like `step n`, are moves, which keep their names. The first prompt says so by
    rules for walking."""

    @classmethod
    def of_training(cls, seed: int, start_prompt: str) -> Renaming:
        """Return the renaming of a training whose loops begin with a prompt."""
        rules = parse_rules(start_prompt)
        chosen = {rule.action for rule in rules if isinstance(rule, Choose)}
        patterns = {rule.pattern for rule in rules if isinstance(rule, Act)}
        return cls(seed, frozenset(map(action_kind, chosen | patterns)), any(isinstance(rule, Walk) for rule in rules))

    def names(self, state: ReflectionState) -> dict[str, str]:
        """Return the name of each kind of action in the question about a state: a random permutation, of each state's
        own.
        """
        offered = {action for trajectory in state.experience for step in trajectory.steps for action in step.actions}
        kinds = {action_kind(action) for action in offered if not self.moves or action_kind(action) == action}
        own = sorted(kinds - self.kept)
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

"""Goal conditions of a game, as ALFRED counts them: how much of the goal holds now.

| goal | conditions |
|---|---|
| place a thing | it is in its receptacle |
| place two things | each of the two, where most of them lie together |
| place a clean, hot or cool thing | such a thing is in place; one is clean; one in place is clean |
| look at a thing under a lamp | it is held; a lamp that is on is here |
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from ictbench.envs.alfworld.game_state import GameState
    from ictbench.envs.alfworld.pddl import Atom, Expression

TREATED = ("isclean", "ishot", "iscool")
LOOK = ["atlocation", "holds", "inreceptacle", "istoggled"]
"""Predicates of the goal to look at a thing under a lamp that change during a game, sorted."""

CHANGING = {*TREATED, *LOOK}


@dataclass(frozen=True, slots=True)
class GoalConditions:
    """Conditions of one goal, with the objects of the game that can meet them."""

    things: frozenset[str]
    receptacles: frozenset[str] = frozenset()
    count: int = 1
    """Number of things to place."""
    treated: str = ""
    """Predicate of the treatment; empty if there is none."""
    lamps: frozenset[str] | None = None
    """None unless the goal is to look at a thing."""

    @classmethod
    def of(cls, goal: Expression, facts: Iterable[Sequence[str]]) -> GoalConditions | None:
        """Return the conditions of a goal, None if ALFRED has no such goal without slices and movable receptacles.

        Args:
            goal: Goal of the problem.
            facts: Facts at the start of the game.
        """
        atoms = [*_atoms(goal)]
        changing = [atom for atom in atoms if atom[0] in CHANGING]
        static = [atom for atom in atoms if atom[0] not in CHANGING]
        known = {tuple(fact) for fact in facts}
        objects = {fact[1] for fact in known}

        def fitting(variable: str) -> frozenset[str]:
            """Return the objects of which all static atoms about one variable and constants hold."""
            needed = [atom for atom in static if atom[1] == variable and not any(w.startswith("?") for w in atom[2:])]
            return frozenset(name for name in objects if all((a[0], name, *a[2:]) in known for a in needed))

        match sorted(changing):
            case [("inreceptacle", thing, place)]:
                return cls(fitting(thing), fitting(place))
            case [("inreceptacle", thing, place), ("inreceptacle", other, same)] if same == place and fitting(
                thing
            ) == fitting(other):
                return cls(fitting(thing), fitting(place), count=2)
            case [("inreceptacle", thing, place), (treated, same)] if same == thing and treated in TREATED:
                return cls(fitting(thing), fitting(place), treated=treated)
            case [("atlocation", _, _), ("holds", _, thing), ("inreceptacle", lamp, _), ("istoggled", same)] if (
                same == lamp
            ):
                return cls(fitting(thing), lamps=fitting(lamp))
        return None

    def share_met(self, state: GameState) -> float:
        """Return the share of the conditions that hold."""
        if self.lamps is not None:
            held = any(thing in self.things for _, thing in state.facts("holds"))
            return (held + _is_on_here(self.lamps, state)) / 2
        places = [place for place in state.facts("inreceptacle") if place[0] in self.things]
        placed = Counter(receptacle for _, receptacle in places if receptacle in self.receptacles)
        if not self.treated:
            return min(max(placed.values(), default=0), self.count) / self.count
        treated = {thing for (thing,) in state.facts(self.treated) if thing in self.things}
        both = any(thing in treated for thing, receptacle in places if receptacle in self.receptacles)
        return (bool(placed) + bool(treated) + both) / 3


def _is_on_here(lamps: Collection[str], state: GameState) -> bool:
    """Return whether one of the lamps is on and in a receptacle where the agent is."""
    here = {location for _, location in state.facts("atlocation")}
    near = {receptacle for receptacle, location in state.facts("receptacleatlocation") if location in here}
    on = {lamp for (lamp,) in state.facts("istoggled") if lamp in lamps}
    return any(lamp in on and place in near for lamp, place in state.facts("inreceptacle"))


def _atoms(expression: Expression) -> Iterator[Atom]:
    """Yield the atoms of a goal, without equalities."""
    if isinstance(expression, tuple) and expression:
        head, *rest = expression
        if head == "exists":
            yield from _atoms(rest[-1])
        elif head == "and":
            for part in rest:
                yield from _atoms(part)
        elif head != "not":
            yield tuple(map(str, expression))

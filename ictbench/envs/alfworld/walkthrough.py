"""Commands that win a game, worked out from its own facts and goal.

The goal says what must hold of which kinds of things; every choice of things is tried, the shortest plan
is taken. It knows where everything is, so it is a ceiling for actors, never their equal.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

from ictbench.envs.alfworld.pddl import show, typed
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ictbench.envs.alfworld.pddl import Atom, Expression, Problem

TREATMENTS = {
    "isclean": ("clean", "cleanable", "sinkbasintype"),
    "ishot": ("heat", "heatable", "microwavetype"),
    "iscool": ("cool", "coolable", "fridgetype"),
}
"""State of an object → the verb that brings it about, what the object must be, where it is done."""

CHANGING = {*TREATMENTS, "inreceptacle", "holds", "istoggled", "atlocation"}
"""Predicates that the solver's commands change; all others hold from start to end, or never."""


class Unmet(Exception):  # noqa: N818 - a part of the goal that a choice of things cannot meet, not an error yet
    """One choice of things cannot meet a part of the goal."""


def solve(problem: Problem, names: Mapping[str, str]) -> list[str]:
    """Commands that win the game from its start; none where its goal already holds.

    `names` maps the problem's ids to the names shown in the game (`fridge 1`).

    Raises:
        EnvError: no commands of this solver meet the goal; the message names the part that stays unmet
            under the choice of things that got furthest.
    """
    house = House(problem)
    goal = Goal(problem.goal)
    best: list[str] | None = None
    unmet, furthest = "", -1
    for needs in goal.choices(house):
        visit = Visit(house, names)
        try:
            visit.meet(needs)
        except Unmet as reason:
            if len(visit.commands) > furthest:
                unmet, furthest = str(reason), len(visit.commands)
            continue
        if best is None or len(visit.commands) < len(best):
            best = visit.commands
    if best is None:
        raise EnvError(f"unsolvable: {unmet or goal.never_matched}")
    return best


class House:
    """A problem's facts, arranged for look-up."""

    def __init__(self, problem: Problem) -> None:
        self.facts: dict[str, set[Atom]] = defaultdict(set)
        for predicate, *arguments in problem.facts:
            self.facts[predicate].add(tuple(arguments))
        for name, kind in problem.objects.items():
            self.facts[f"is-a {kind}"].add((name,))
        self.sorted = {predicate: sorted(found) for predicate, found in self.facts.items()}
        self.location = self._table("receptacleatlocation")
        self.kind = self._table("objecttype") | self._table("receptacletype")
        self.start = {fact for fact in problem.facts if fact[0] in CHANGING or fact[0] == "opened"}
        agents = self.sorted.get("is-a agent", [])
        if len(agents) != 1:
            raise EnvError(f"unsolvable: the game has {len(agents)} agents, wanted one")
        self.agent = agents[0][0]

    def has(self, predicate: str, *arguments: str) -> bool:
        """Whether a fact held at the start."""
        return arguments in self.facts.get(predicate, ())

    def _table(self, predicate: str) -> dict[str, str]:
        return {arguments[0]: arguments[1] for arguments in self.sorted.get(predicate, ())}


class Goal:
    """A goal as one list of atoms over variables: what must be so anyway, and what must be brought about."""

    def __init__(self, expression: Expression) -> None:
        """Flatten the goal.

        Raises:
            EnvError: the goal uses something besides `exists`, `and`, atoms and `not (= …)`.
        """
        self._fresh = itertools.count()
        self._given: list[Atom] = []
        self._typed: list[Atom] = []
        self._wanted: list[Atom] = []
        self._different: list[tuple[str, str]] = []
        self._deepest = 0
        self._flatten(expression, {})
        self._given += self._typed

    def choices(self, house: House) -> Iterator[list[Atom]]:
        """The wanted atoms under every choice of things for the variables that fits the given atoms."""
        for things in self._match(house, 0, {}):
            if all(things.get(one, one) != things.get(other, other) for one, other in self._different):
                yield [tuple(things.get(word, word) for word in atom) for atom in self._wanted]

    @property
    def never_matched(self) -> str:
        """Why there was no choice at all: the first given atom that nothing fits, beside those before it."""
        if self._deepest < len(self._given):
            predicate, *arguments = self._given[self._deepest]
            return f"nothing in the game fits ({' '.join((predicate, *(a.split('#')[0] for a in arguments)))})"
        return "there are not enough different things"

    def _flatten(self, part: Expression, scope: Mapping[str, str]) -> None:
        head = part[0] if isinstance(part, tuple) and part else None
        if head == "and":
            for inner in part[1:]:
                self._flatten(inner, scope)
        elif head == "exists" and len(part) == 3 and isinstance(part[1], tuple):
            # Two quantifiers may use one name for different things.
            variables = {name: (f"{name}#{next(self._fresh)}", kind) for name, kind in typed(part[1])}
            self._typed += [(f"is-a {kind}", name) for name, kind in variables.values()]
            self._flatten(part[2], {**scope, **{name: fresh for name, (fresh, _) in variables.items()}})
        elif head == "not" and len(part) == 2 and isinstance(part[1], tuple) and part[1][0] == "=":
            one, other = self._words(part[1][1:], scope)
            self._different.append((one, other))
        elif isinstance(head, str) and head not in {"not", "or", "forall", "imply", "when", "=", "exists"}:
            wanted = head in CHANGING
            (self._wanted if wanted else self._given).append((head, *self._words(part[1:], scope)))
        else:
            raise EnvError(f"unsolvable: the solver does not understand {show(part)}")

    @staticmethod
    def _words(words: Expression, scope: Mapping[str, str]) -> Iterator[str]:
        for word in words:
            if not isinstance(word, str):
                raise EnvError(f"unsolvable: the solver does not understand {show(word)} inside an atom")
            yield scope.get(word, word)

    def _match(self, house: House, index: int, things: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
        """Extend `things` to every choice that fits the given atoms from `index` on."""
        self._deepest = max(self._deepest, index)
        if index == len(self._given):
            yield things
            return
        predicate, *words = self._given[index]
        pattern = [things.get(word, word) for word in words]
        if not any(word.startswith("?") for word in pattern):
            if house.has(predicate, *pattern):
                yield from self._match(house, index + 1, things)
            return
        for arguments in house.sorted.get(predicate, ()):
            fit = {word: value for word, value in zip(pattern, arguments, strict=True) if word.startswith("?")}
            if all(fit.get(word, word) == value for word, value in zip(pattern, arguments, strict=True)):
                yield from self._match(house, index + 1, {**things, **fit})


class Visit:
    """One walk through the house: the commands so far, and what holds after them."""

    def __init__(self, house: House, names: Mapping[str, str]) -> None:
        self.commands: list[str] = []
        self._house = house
        self._names = names
        self._true = set(house.start)

    def meet(self, needs: list[Atom]) -> None:
        """Bring `needs` about.

        Raises:
            Unmet: they cannot be met, or not together.
        """
        if self._missing(needs) is None:
            return
        places = [need for need in needs if need[0] == "inreceptacle"]
        carried = [need for need in needs if need[0] == "holds"]
        states = [need for need in needs if need[0] in TREATMENTS]
        for _, thing, receptacle in places:
            if ("inreceptacle", thing, receptacle) not in self._true or self._treatable(thing, states):
                self._put(thing, receptacle, self._treatable(thing, states))
        for _, _, thing in carried:
            self._take(thing)
            self._treat(self._treatable(thing, states))
        for need in needs:
            if need[0] == "istoggled" and need not in self._true:
                self._use(need)
        for _, _, location in (need for need in needs if need[0] == "atlocation"):
            self._go_to_location(location)
        missing = self._missing(needs)
        if missing is not None:
            raise Unmet(f"{show(missing)} cannot hold together with the rest of the goal")

    def _missing(self, needs: list[Atom]) -> Atom | None:
        return next((need for need in needs if need not in self._true), None)

    def _treatable(self, thing: str, states: list[Atom]) -> list[Atom]:
        return [state for state in states if state[1] == thing and state not in self._true]

    def _put(self, thing: str, receptacle: str, states: list[Atom]) -> None:
        kinds = (self._house.kind.get(receptacle, ""), self._house.kind.get(thing, ""))
        if not self._house.has("cancontain", *kinds):
            raise Unmet(f"{show(('inreceptacle', thing, receptacle))}: it cannot hold such a thing")
        self._take(thing)
        self._treat(states)
        if ("inreceptacle", thing, receptacle) in self._true:
            return  # Some official games have a thing in two receptacles; taking it from one leaves it in the other.
        self._reach(receptacle)
        self._say("move {} to {}", thing, receptacle)
        self._true.remove(("holds", self._house.agent, thing))
        self._true.add(("inreceptacle", thing, receptacle))

    def _take(self, thing: str) -> None:
        agent = self._house.agent
        if ("holds", agent, thing) in self._true:
            return
        if not self._house.has("pickupable", thing):
            raise Unmet(f"{thing} must be moved, and cannot be picked up")
        if any(fact[0] == "holds" for fact in self._true):
            raise Unmet(f"{show(('holds', agent, thing))}: the hands are full")
        source = min((fact[2] for fact in self._true if fact[0] == "inreceptacle" and fact[1] == thing), default=None)
        if source is None:
            raise Unmet(f"{thing} must be moved, and is in no receptacle")
        self._reach(source)
        self._say("take {} from {}", thing, source)
        self._true.remove(("inreceptacle", thing, source))
        self._true.add(("holds", agent, thing))

    def _treat(self, states: list[Atom]) -> None:
        for state in states:
            predicate, thing = state
            verb, needed, appliance_kind = TREATMENTS[predicate]
            if not self._house.has(needed, thing):
                raise Unmet(f"{show(state)}: it is not {needed}")
            appliances = [name for name, kind in self._house.sorted.get("receptacletype", ()) if kind == appliance_kind]
            if not appliances:
                raise Unmet(f"{show(state)}: there is no {appliance_kind.removesuffix('type')}")
            self._go_to(appliances[0])
            self._say(f"{verb} {{}} with {{}}", thing, appliances[0])
            self._true -= {("ishot", thing), ("iscool", thing)} if predicate != "isclean" else set()
            self._true.add(state)

    def _use(self, need: Atom) -> None:
        thing = need[1]
        place = min((fact[2] for fact in self._true if fact[0] == "inreceptacle" and fact[1] == thing), default=None)
        if place is None or not self._house.has("toggleable", thing):
            raise Unmet(f"{show(need)}: it cannot be used where it is")
        self._go_to(place)
        self._say("use {}", thing)
        self._true.add(need)

    def _reach(self, receptacle: str) -> None:
        """Go to a receptacle and open it if it is closed."""
        self._go_to(receptacle)
        if self._house.has("openable", receptacle) and ("opened", receptacle) not in self._true:
            self._say("open {}", receptacle)
            self._true.add(("opened", receptacle))

    def _go_to(self, receptacle: str) -> None:
        location = self._house.location.get(receptacle)
        if location is None:
            raise Unmet(f"{receptacle} is nowhere")
        if ("atlocation", self._house.agent, location) not in self._true:
            self._say("go to {}", receptacle)
            self._true = {fact for fact in self._true if fact[0] != "atlocation"}
            self._true.add(("atlocation", self._house.agent, location))

    def _go_to_location(self, location: str) -> None:
        there = min((name for name, at in self._house.location.items() if at == location), default=None)
        if there is None:
            raise Unmet(f"{show(('atlocation', self._house.agent, location))}: no receptacle to go to")
        self._go_to(there)

    def _say(self, template: str, *things: str) -> None:
        self.commands.append(template.format(*(self._names[thing] for thing in things)))

"""Solver: commands that win a game, computed from its facts and its goal.

The goal says what must hold of objects of certain types. The solver tries every choice of objects and returns the
shortest walkthrough. It knows where everything is, so it is an upper bound for actors that have to search.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

from ictbench.envs.alfworld.pddl import format_expression, parse_typed_list
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ictbench.envs.alfworld.pddl import Atom, Expression, Problem

TREATMENTS = {
    "isclean": ("clean", "cleanable", "sinkbasintype"),
    "ishot": ("heat", "heatable", "microwavetype"),
    "iscool": ("cool", "coolable", "fridgetype"),
}
"""Predicate → command that makes it true, predicate that the object must have, type of the receptacle for it."""

CHANGEABLE = {*TREATMENTS, "inreceptacle", "holds", "istoggled", "atlocation"}
"""Predicates that the solver's commands change. All others hold from start to end, or never."""


class UnmetGoalError(Exception):
    """A part of the goal cannot be met under one choice of objects."""


def solve(problem: Problem, names: Mapping[str, str]) -> list[str]:
    """Return commands that win the game from its start; none if the goal already holds.

    Args:
        problem: The game's problem.
        names: Object in the problem → its name in the game, such as `fridge 1`.

    Raises:
        EnvError: The solver cannot meet the goal. The message names the unmet part, under the choice of objects with
            the longest partial walkthrough.
    """
    facts = ProblemFacts(problem)
    goal = Goal(problem.goal)
    best: list[str] | None = None
    unmet, longest = "", -1
    for atoms in goal.choices(facts):
        walkthrough = Walkthrough(facts, names)
        try:
            walkthrough.achieve(atoms)
        except UnmetGoalError as reason:
            if len(walkthrough.commands) > longest:
                unmet, longest = str(reason), len(walkthrough.commands)
            continue
        if best is None or len(walkthrough.commands) < len(best):
            best = walkthrough.commands
    if best is None:
        raise EnvError(f"unsolvable: {unmet or goal.no_choice_reason}")
    return best


class ProblemFacts:
    """Facts of a problem, indexed."""

    def __init__(self, problem: Problem) -> None:
        """Index the facts.

        Raises:
            EnvError: The problem does not have exactly one agent.
        """
        self.facts: dict[str, set[Atom]] = defaultdict(set)
        for predicate, *arguments in problem.facts:
            self.facts[predicate].add(tuple(arguments))
        for name, kind in problem.objects.items():
            self.facts[f"is-a {kind}"].add((name,))
        self.sorted = {predicate: sorted(arguments) for predicate, arguments in self.facts.items()}
        self.location = self._table("receptacleatlocation")
        self.type = self._table("objecttype") | self._table("receptacletype")
        self.start = {fact for fact in problem.facts if fact[0] in CHANGEABLE or fact[0] == "opened"}
        agents = self.sorted.get("is-a agent", [])
        if len(agents) != 1:
            raise EnvError(f"unsolvable: the game has {len(agents)} agents, expected one")
        self.agent = agents[0][0]

    def has(self, predicate: str, *arguments: str) -> bool:
        """Check whether a fact holds at the start."""
        return arguments in self.facts.get(predicate, ())

    def _table(self, predicate: str) -> dict[str, str]:
        return {arguments[0]: arguments[1] for arguments in self.sorted.get(predicate, ())}


class Goal:
    """A goal as lists of atoms over variables: static atoms, which must hold anyway, and atoms to achieve."""

    def __init__(self, expression: Expression) -> None:
        """Flatten the goal.

        Raises:
            EnvError: The goal uses something else than `exists`, `and`, atoms and `not (= …)`.
        """
        self._fresh = itertools.count()
        self._static: list[Atom] = []
        self._types: list[Atom] = []
        self._to_achieve: list[Atom] = []
        self._different: list[tuple[str, str]] = []
        self._deepest = 0
        self._flatten(expression, {})
        self._static += self._types

    def choices(self, facts: ProblemFacts) -> Iterator[list[Atom]]:
        """Yield the atoms to achieve for every choice of objects for the variables that fits the static atoms."""
        for objects in self._match(facts, 0, {}):
            if all(objects.get(a, a) != objects.get(b, b) for a, b in self._different):
                yield [tuple(objects.get(word, word) for word in atom) for atom in self._to_achieve]

    @property
    def no_choice_reason(self) -> str:
        """Why there was no choice: the first static atom that no object fits together with the atoms before it."""
        if self._deepest < len(self._static):
            predicate, *arguments = self._static[self._deepest]
            return f"nothing in the game fits ({' '.join((predicate, *(a.split('#')[0] for a in arguments)))})"
        return "there are not enough different things"

    def _flatten(self, part: Expression, scope: Mapping[str, str]) -> None:
        head = part[0] if isinstance(part, tuple) and part else None
        if head == "and":
            for inner in part[1:]:
                self._flatten(inner, scope)
        elif head == "exists" and len(part) == 3 and isinstance(part[1], tuple):
            # Two quantifiers may use the same name for different variables.
            variables = {name: (f"{name}#{next(self._fresh)}", kind) for name, kind in parse_typed_list(part[1])}
            self._types += [(f"is-a {kind}", name) for name, kind in variables.values()]
            self._flatten(part[2], {**scope, **{name: fresh for name, (fresh, _) in variables.items()}})
        elif head == "not" and len(part) == 2 and isinstance(part[1], tuple) and part[1][0] == "=":
            a, b = self._words(part[1][1:], scope)
            self._different.append((a, b))
        elif isinstance(head, str) and head not in {"not", "or", "forall", "imply", "when", "=", "exists"}:
            atoms = self._to_achieve if head in CHANGEABLE else self._static
            atoms.append((head, *self._words(part[1:], scope)))
        else:
            raise EnvError(f"unsolvable: the solver does not understand {format_expression(part)}")

    @staticmethod
    def _words(words: Expression, scope: Mapping[str, str]) -> Iterator[str]:
        for word in words:
            if not isinstance(word, str):
                raise EnvError(f"unsolvable: the solver does not understand {format_expression(word)} inside an atom")
            yield scope.get(word, word)

    def _match(self, facts: ProblemFacts, index: int, objects: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
        """Yield every extension of `objects` that fits the static atoms from `index` on."""
        self._deepest = max(self._deepest, index)
        if index == len(self._static):
            yield objects
            return
        predicate, *words = self._static[index]
        pattern = [objects.get(word, word) for word in words]
        if not any(word.startswith("?") for word in pattern):
            if facts.has(predicate, *pattern):
                yield from self._match(facts, index + 1, objects)
            return
        for arguments in facts.sorted.get(predicate, ()):
            fit = {word: value for word, value in zip(pattern, arguments, strict=True) if word.startswith("?")}
            if all(fit.get(word, word) == value for word, value in zip(pattern, arguments, strict=True)):
                yield from self._match(facts, index + 1, {**objects, **fit})


class Walkthrough:
    """Commands under construction, with the facts that hold after them."""

    def __init__(self, facts: ProblemFacts, names: Mapping[str, str]) -> None:
        self.commands: list[str] = []
        self._facts = facts
        self._names = names
        self._true = set(facts.start)

    def achieve(self, atoms: list[Atom]) -> None:
        """Append the commands after which all of `atoms` hold.

        Raises:
            UnmetGoalError: An atom cannot be achieved, or not together with the others.
        """
        if self._first_unmet(atoms) is None:
            return
        states = [atom for atom in atoms if atom[0] in TREATMENTS]
        for _, thing, receptacle in (atom for atom in atoms if atom[0] == "inreceptacle"):
            needed = self._unmet_states(thing, states)
            if ("inreceptacle", thing, receptacle) not in self._true or needed:
                self._put(thing, receptacle, needed)
        for _, _, thing in (atom for atom in atoms if atom[0] == "holds"):
            self._take(thing)
            self._treat(self._unmet_states(thing, states))
        for atom in atoms:
            if atom[0] == "istoggled" and atom not in self._true:
                self._use(atom)
        for _, _, location in (atom for atom in atoms if atom[0] == "atlocation"):
            self._go_to_location(location)
        unmet = self._first_unmet(atoms)
        if unmet is not None:
            raise UnmetGoalError(f"{format_expression(unmet)} cannot hold together with the rest of the goal")

    def _first_unmet(self, atoms: list[Atom]) -> Atom | None:
        return next((atom for atom in atoms if atom not in self._true), None)

    def _unmet_states(self, thing: str, states: list[Atom]) -> list[Atom]:
        return [state for state in states if state[1] == thing and state not in self._true]

    def _put(self, thing: str, receptacle: str, states: list[Atom]) -> None:
        """Take a thing, bring it into `states`, and put it into a receptacle."""
        types = (self._facts.type.get(receptacle, ""), self._facts.type.get(thing, ""))
        if not self._facts.has("cancontain", *types):
            atom = format_expression(("inreceptacle", thing, receptacle))
            raise UnmetGoalError(f"{atom}: the receptacle cannot hold such a thing")
        self._take(thing)
        self._treat(states)
        if ("inreceptacle", thing, receptacle) in self._true:
            return  # In some official games a thing is in two receptacles: taken from one, it stays in the other.
        self._reach(receptacle)
        self._add_command("move {} to {}", thing, receptacle)
        self._true.remove(("holds", self._facts.agent, thing))
        self._true.add(("inreceptacle", thing, receptacle))

    def _take(self, thing: str) -> None:
        agent = self._facts.agent
        if ("holds", agent, thing) in self._true:
            return
        if not self._facts.has("pickupable", thing):
            raise UnmetGoalError(f"{thing} must be moved, but cannot be picked up")
        if any(fact[0] == "holds" for fact in self._true):
            raise UnmetGoalError(f"{format_expression(('holds', agent, thing))}: the agent holds another thing")
        source = self._receptacle_of(thing)
        if source is None:
            raise UnmetGoalError(f"{thing} must be moved, but is not in a receptacle")
        self._reach(source)
        self._add_command("take {} from {}", thing, source)
        self._true.remove(("inreceptacle", thing, source))
        self._true.add(("holds", agent, thing))

    def _treat(self, states: list[Atom]) -> None:
        """Bring the held thing into `states`, such as clean or hot."""
        for state in states:
            predicate, thing = state
            verb, required, receptacle_type = TREATMENTS[predicate]
            if not self._facts.has(required, thing):
                raise UnmetGoalError(f"{format_expression(state)}: {thing} is not {required}")
            appliances = [
                name for name, kind in self._facts.sorted.get("receptacletype", ()) if kind == receptacle_type
            ]
            if not appliances:
                appliance = receptacle_type.removesuffix("type")
                raise UnmetGoalError(f"{format_expression(state)}: the game has no {appliance}")
            self._go_to(appliances[0])
            self._add_command(f"{verb} {{}} with {{}}", thing, appliances[0])
            self._true -= {("ishot", thing), ("iscool", thing)} if predicate != "isclean" else set()
            self._true.add(state)

    def _use(self, toggled: Atom) -> None:
        thing = toggled[1]
        place = self._receptacle_of(thing)
        if place is None or not self._facts.has("toggleable", thing):
            raise UnmetGoalError(f"{format_expression(toggled)}: {thing} cannot be used where it is")
        self._go_to(place)
        self._add_command("use {}", thing)
        self._true.add(toggled)

    def _receptacle_of(self, thing: str) -> str | None:
        """Return the first receptacle that holds a thing, None if none does."""
        return min((fact[2] for fact in self._true if fact[0] == "inreceptacle" and fact[1] == thing), default=None)

    def _reach(self, receptacle: str) -> None:
        """Go to a receptacle, and open it if it is closed."""
        self._go_to(receptacle)
        if self._facts.has("openable", receptacle) and ("opened", receptacle) not in self._true:
            self._add_command("open {}", receptacle)
            self._true.add(("opened", receptacle))

    def _go_to(self, receptacle: str) -> None:
        location = self._facts.location.get(receptacle)
        if location is None:
            raise UnmetGoalError(f"{receptacle} has no location")
        if ("atlocation", self._facts.agent, location) not in self._true:
            self._add_command("go to {}", receptacle)
            self._true = {fact for fact in self._true if fact[0] != "atlocation"}
            self._true.add(("atlocation", self._facts.agent, location))

    def _go_to_location(self, location: str) -> None:
        receptacle = min((name for name, at in self._facts.location.items() if at == location), default=None)
        if receptacle is None:
            atom = format_expression(("atlocation", self._facts.agent, location))
            raise UnmetGoalError(f"{atom}: no receptacle is at this location")
        self._go_to(receptacle)

    def _add_command(self, template: str, *things: str) -> None:
        self.commands.append(template.format(*(self._names[thing] for thing in things)))

"""Plays a PDDL game on Fast Downward's engine, as TextWorld does, and tells it by TextWorld's grammar."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ictbench.envs.alfworld.game_state import State
from ictbench.envs.alfworld.grammar import Grammar, Scene
from ictbench.envs.alfworld.pddl_translation import Translation, translate
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from ictbench.envs.alfworld.game_state import Placeholder
    from ictbench.envs.alfworld.grammar import Action

NOTHING = "Nothing happens."

_IDLE: list[Any] = []
"""Native libraries without an engine. They are never unloaded: a process that has unloaded two of them crashes."""


@dataclass(frozen=True, slots=True)
class Game:
    """What a game file holds."""

    domain: str
    problem: str
    grammar: str


@dataclass(frozen=True, slots=True)
class View:
    """What the engine shows."""

    text: str
    commands: tuple[str, ...]
    """Sorted, each once."""
    won: bool


@dataclass(frozen=True, slots=True)
class Operator:
    """A ground action that is applicable now."""

    number: int
    effects: int
    action: Action
    mapping: dict[Placeholder, str]


class PddlEngine:
    """One game at a time. Each instance has a copy of the native library, whose state is the library's own."""

    def __init__(self) -> None:
        import fast_downward

        self._native = fast_downward
        self._library: Any = _IDLE.pop() if _IDLE else fast_downward.load_lib()

    def reset(self, game: Game) -> View:
        """Start a game.

        Raises:
            EnvError: the game cannot be read, or cannot be solved.
        """
        self._grammar = Grammar.parse(game.grammar)
        self._translation = translation = translate(game.domain, game.problem)
        self._library.load_sas(translation.sas.encode())
        self._state = State(translation.types, translation.supertypes, _descriptions(translation))
        for name, *rest in translation.facts:
            self._state.add(name, tuple(rest))
        for predicate, arguments in self._atoms(self._library.get_state_size(), self._library.get_state):
            if not predicate.startswith("not_"):
                self._state.add(predicate, arguments)
        return self._view(self._grammar.intro(Scene(self._state, {}, {})))

    def step(self, command: str) -> View:
        """Carry a command out; one that is not among those shown does nothing."""
        operator = self._operators.get(command.strip())
        if operator is None:
            return self._view(NOTHING)
        for predicate, arguments in self._atoms(
            operator.effects, lambda atoms: self._library.apply_operator(operator.number, atoms)
        ):
            opposite = predicate.removeprefix("not_") if predicate.startswith("not_") else f"not_{predicate}"
            self._state.remove(opposite, arguments)
            self._state.add(predicate, arguments)
        return self._view(self._grammar.derive(operator.action.feedback, self._scene(operator.mapping)))

    @property
    def translation(self) -> Translation:
        """Of the current game."""
        return self._translation

    def close(self) -> None:
        """Leave the library to the next instance."""
        if self._library is not None:
            _IDLE.append(self._library)
        self._library = None

    def _view(self, text: str) -> View:
        self._operators: dict[str, Operator] = {}
        count = self._library.get_applicable_operators_count()
        found = (self._native.Operator * count)()
        self._library.get_applicable_operators(found)
        # The library's own order depends on the hash seed of the process that translated the game.
        for native in sorted(found, key=lambda one: one.name):
            operator = self._operator(native)
            command = self._grammar.derive(operator.action.command, self._scene(operator.mapping))
            # Of actions that read alike the first one is meant.
            self._operators.setdefault(command, operator)
        return View(text, tuple(sorted(self._operators)), bool(self._library.check_goal()))

    def _operator(self, native: Any) -> Operator:
        name, *arguments = native.name.split()
        parameters = self._translation.parameters[name]
        mapping = {(hole, kind): value for (hole, kind), value in zip(parameters, arguments, strict=False)}
        try:
            action = self._grammar.actions[name]
        except KeyError:
            raise EnvError(f"the game's grammar does not tell the action {name!r}") from None
        return Operator(native.id, native.nb_effect_atoms, action, mapping)

    def _scene(self, mapping: dict[Placeholder, str]) -> Scene:
        described = {hole: self._state.descriptions[value] for (hole, _), value in mapping.items()}
        return Scene(self._state, mapping, described)

    def _atoms(self, count: int, fill: Any) -> list[tuple[str, tuple[str, ...]]]:
        """Predicates, `not_…` where negated, with their arguments, as the library writes them."""
        atoms = (self._native.Atom * count)()
        fill(atoms)
        return [_parse_atom(ctypes.string_at(ctypes.addressof(atom)).decode("cp1252")) for atom in atoms]


def _parse_atom(text: str) -> tuple[str, tuple[str, ...]]:
    kind, rest = text.split(" ", 1)
    name, arguments = rest.split("(", 1)
    predicate = f"not_{name}" if kind == "NegatedAtom" else name
    return predicate, tuple(argument for argument in arguments[:-1].split(", ") if argument)


def _descriptions(translation: Translation) -> dict[str, SimpleNamespace]:
    """What grammars can say of each object."""
    return {
        name: _Description(id=name, name=shown, definite="the", indefinite="a", type=translation.types[name])
        for name, shown in translation.names.items()
    }


class _Description(SimpleNamespace):
    def __str__(self) -> str:
        return str(self.name)

"""Game engine: plays a PDDL game on Fast Downward's native library, as TextWorld does, with TextWorld's grammar."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ictbench.envs.alfworld.game_state import GameState
from ictbench.envs.alfworld.goal_conditions import GoalConditions
from ictbench.envs.alfworld.grammar import Grammar, Scope
from ictbench.envs.alfworld.pddl import parse_goal
from ictbench.envs.alfworld.pddl_translation import Translation, translate
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.envs.alfworld.game_state import Placeholder
    from ictbench.envs.alfworld.grammar import ActionTexts

NOTHING = "Nothing happens."

_IDLE: list[Any] = []
"""Native libraries that no engine uses. A process that has unloaded two of them crashes, so they stay loaded."""


@dataclass(frozen=True, slots=True)
class Game:
    """Content of a game: the PDDL domain, the PDDL problem and the text grammar."""

    domain: str
    problem: str
    grammar: str


@dataclass(frozen=True, slots=True)
class View:
    """Output of the engine after a reset or a step."""

    text: str
    commands: tuple[str, ...]
    """Admissible commands, sorted, each once."""
    won: bool
    progress: float | None
    """Share of the goal conditions that hold; None if the goal is of no known kind."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Ground action that is applicable now."""

    id: int
    effect_count: int
    texts: ActionTexts
    mapping: dict[Placeholder, str]


class PddlEngine:
    """Engine for one game at a time.

    The native library keeps the state of a game in global variables, so each engine loads a copy of the library.
    """

    def __init__(self) -> None:
        import fast_downward

        self._native = fast_downward
        self._library: Any = _IDLE.pop() if _IDLE else fast_downward.load_lib()

    def reset(self, game: Game) -> View:
        """Start a game.

        Raises:
            EnvError: The game cannot be read, or cannot be solved.
        """
        self._grammar = Grammar.parse(game.grammar)
        self._translation = translation = translate(game.domain, game.problem)
        self._conditions = GoalConditions.of(parse_goal(game.problem), translation.facts)
        self._library.load_sas(translation.sas.encode())
        self._state = GameState(translation.types, translation.supertypes, _descriptions(translation))
        for predicate, *arguments in translation.facts:
            self._state.add(predicate, tuple(arguments))
        for predicate, atom_arguments in self._atoms(self._library.get_state_size(), self._library.get_state):
            if not predicate.startswith("not_"):
                self._state.add(predicate, atom_arguments)
        return self._view(self._grammar.intro(Scope(self._state, {}, {})))

    def step(self, command: str) -> View:
        """Carry out a command. A command that is not admissible changes nothing."""
        operator = self._operators.get(command.strip())
        if operator is None:
            return self._view(NOTHING)
        for predicate, arguments in self._atoms(
            operator.effect_count, lambda atoms: self._library.apply_operator(operator.id, atoms)
        ):
            opposite = predicate.removeprefix("not_") if predicate.startswith("not_") else f"not_{predicate}"
            self._state.remove(opposite, arguments)
            self._state.add(predicate, arguments)
        return self._view(self._grammar.derive(operator.texts.feedback, self._scope(operator.mapping)))

    @property
    def translation(self) -> Translation:
        """Translation of the current game."""
        return self._translation

    def close(self) -> None:
        """Give the native library back for the next engine."""
        if self._library is not None:
            _IDLE.append(self._library)
        self._library = None

    def _view(self, text: str) -> View:
        self._operators: dict[str, Operator] = {}
        count = self._library.get_applicable_operators_count()
        applicable = (self._native.Operator * count)()
        self._library.get_applicable_operators(applicable)
        # The library's own order depends on the hash seed of the process that translated the game.
        for native in sorted(applicable, key=lambda operator: operator.name):
            operator = self._operator(native)
            command = self._grammar.derive(operator.texts.command, self._scope(operator.mapping))
            # Of several operators with the same command, the first one is carried out.
            self._operators.setdefault(command, operator)
        progress = self._conditions.share_met(self._state) if self._conditions else None
        return View(text, tuple(sorted(self._operators)), bool(self._library.check_goal()), progress)

    def _operator(self, native: Any) -> Operator:
        name, *arguments = native.name.split()
        parameters = self._translation.parameters[name]
        mapping = {(parameter, kind): value for (parameter, kind), value in zip(parameters, arguments, strict=False)}
        try:
            texts = self._grammar.actions[name]
        except KeyError:
            raise EnvError(f"the game's grammar has no texts for the action {name!r}") from None
        return Operator(native.id, native.nb_effect_atoms, texts, mapping)

    def _scope(self, mapping: dict[Placeholder, str]) -> Scope:
        described = {name: self._state.descriptions[value] for (name, _), value in mapping.items()}
        return Scope(self._state, mapping, described)

    def _atoms(self, count: int, fill: Callable[[Any], Any]) -> list[tuple[str, tuple[str, ...]]]:
        """Return predicates with their arguments, `not_…` where negated, from an array that the library fills."""
        atoms = (self._native.Atom * count)()
        fill(atoms)
        return [_parse_atom(ctypes.string_at(ctypes.addressof(atom)).decode("cp1252")) for atom in atoms]


def _parse_atom(text: str) -> tuple[str, tuple[str, ...]]:
    kind, rest = text.split(" ", 1)
    name, arguments = rest.split("(", 1)
    predicate = f"not_{name}" if kind == "NegatedAtom" else name
    return predicate, tuple(argument for argument in arguments[:-1].split(", ") if argument)


def _descriptions(translation: Translation) -> dict[str, SimpleNamespace]:
    """Return for each object what expressions of a grammar can read."""
    return {
        name: _Description(id=name, name=shown, definite="the", indefinite="a", type=translation.types[name])
        for name, shown in translation.names.items()
    }


class _Description(SimpleNamespace):
    def __str__(self) -> str:
        return str(self.name)

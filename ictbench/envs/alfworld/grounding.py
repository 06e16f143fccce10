"""Grounding of a planning task, as Fast Downward's translator does it.

The translator makes objects of all ground literals, and treats all variables and effects as if they had many values and
conditions. That takes most of the time of a translation. Here variables are binary, one for each fact that can change,
and literals are numbers. Axioms, the goal and actions with conditional effects are few; the translator does them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from ictbench.envs.alfworld.datalog_model import Arguments, Model, derive_facts, getter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    OperatorsOf = Callable[[Arguments], list["GroundOperator"]]

TRUE, FALSE = 0, 1
"""Values of a variable."""

Condition = tuple[tuple[int, int], ...]
"""Variables and the values that they must have, sorted."""


class GroundOperator(NamedTuple):
    """Ground action; replaces the translator's `SASOperator`."""

    name: str
    prevail: Condition
    """Condition on variables that do not change."""
    effects: tuple[tuple[int, int, int, Condition], ...]
    """Variables that change, their values before, -1 for any, and after, and the condition of the change."""

    def output(self, stream: Any) -> None:
        """Write it in Fast Downward's format, with the cost 1."""
        lines = ["begin_operator", self.name[1:-1], str(len(self.prevail))]
        lines += [f"{variable} {value}" for variable, value in self.prevail]
        lines.append(str(len(self.effects)))
        for variable, before, after, condition in self.effects:
            words = "".join([f"{other} {value} " for other, value in condition])
            lines.append(f"{len(condition)} {words}{variable} {before} {after}")
        stream.write("\n".join([*lines, "1", "end_operator", ""]))


class Literal(NamedTuple):
    """Literal of an action that is not ground."""

    value: int
    predicate: str
    pick: Callable[[Arguments], Arguments]
    """Returns its arguments from those of the ground action."""


def can_ground(task: Any) -> bool:
    """Check whether a normalized task is as `ground` assumes: all costs are 1, and only the goal depends on axioms."""
    derived = {axiom.name for axiom in task.axioms}
    conditions = [action.precondition for action in task.actions]
    conditions += [effect.condition for action in task.actions for effect in action.effects]
    return not task.use_min_cost_metric and not any(
        literal.predicate in derived for condition in conditions for literal in _literals(condition)
    )


def ground(translator: Any, task: Any) -> Any:
    """Return the ground task, None if its goal cannot be reached; replaces the translator's `pddl_to_sas`."""
    model = derive_facts(translator.prolog.translate(task))
    if "@goal-reachable" not in model:
        return None
    return _Grounding(translator, task, model).task()


class _Grounding:
    """Grounding of one task from the facts that can become true."""

    def __init__(self, translator: Any, task: Any, model: Model) -> None:
        self._task, self._model = task, model
        self._pddl, self._translate = translator.pddl, translator.translate
        changing = {axiom.name for axiom in task.axioms}
        changing |= {effect.literal.predicate for action in task.actions for effect in action.effects}
        facts = sorted((predicate, arguments) for predicate in changing for arguments in model.get(predicate, ()))
        self._variables = {fact: number for number, fact in enumerate(facts)}
        self._atoms = {self._pddl.Atom(*fact): [(number, TRUE)] for number, fact in enumerate(facts)}
        self._ranges = [2] * len(facts)
        self._start_atoms = {atom for atom in task.init if isinstance(atom, self._pddl.Atom)}
        self._start = {(atom.predicate, atom.args) for atom in self._start_atoms}

    def task(self) -> Any:
        goal = self._task.goal
        goals = goal.parts if isinstance(goal, self._pddl.Conjunction) else [goal]
        names = [[str(atom), str(atom.negate())] for atom in self._atoms]
        encoding: tuple[Any, ...] = self._atoms, self._ranges, names, self._atoms, self._ranges, []
        task = self._translate.translate_task(*encoding, self._task.init, goals, [], self._axioms(), False, {})
        if task.variables.value_names is not names:  # the goal needs no action
            return None
        task.operators = sorted(self._operators())
        return task

    def _axioms(self) -> list[Any]:
        axioms = (
            axiom.instantiate(_values(axiom, arguments), self._start_atoms, self._atoms)
            for axiom in self._task.axioms
            for arguments in self._model.get(axiom, ())
        )
        return sorted(filter(None, axioms))

    def _operators(self) -> Iterator[GroundOperator]:
        for action in self._task.actions:
            is_simple = not any(effect.parameters or _literals(effect.condition) for effect in action.effects)
            operators = self._compile(action) if is_simple else self._delegate(action)
            for arguments in self._model.get(action, ()):
                yield from operators(arguments)

    def _compile(self, action: Any) -> OperatorsOf:
        """Return a function from arguments of an action to its ground operators, for one with unconditional effects."""
        variables, start = self._variables, self._start
        places = {parameter.name: place for place, parameter in enumerate(action.parameters)}
        conditions = [_place(literal, places) for literal in _literals(action.precondition)]
        effects = [_place(effect.literal, places) for effect in action.effects]
        # A fact that is both deleted and added is added.
        effects.sort(key=lambda literal: literal.value, reverse=True)
        name, shown = action.name, action.num_external_parameters

        def operators(arguments: Arguments) -> list[GroundOperator]:
            before: dict[int, int] = {}
            for value, predicate, pick in conditions:
                fact = predicate, pick(arguments)
                variable = variables.get(fact)
                if variable is None:
                    if (value == TRUE) != (fact in start):
                        return []
                elif before.setdefault(variable, value) != value:
                    return []
            after: dict[int, int] = {}
            for value, predicate, pick in effects:
                variable = variables.get((predicate, pick(arguments)))
                if variable is not None:
                    after[variable] = value
            changes = [
                (var, before.get(var, -1), value, ()) for var, value in after.items() if before.get(var) != value
            ]
            if not changes:
                return []
            for variable, *_ in changes:
                before.pop(variable, None)
            text = f"({name} {' '.join(arguments[:shown])})"
            return [GroundOperator(text, tuple(sorted(before.items())), tuple(sorted(changes)))]

        return operators

    def _delegate(self, action: Any) -> OperatorsOf:
        """Return a function from arguments of an action to its ground operators, which the translator makes."""
        objects: defaultdict[str, list[str]] = defaultdict(list)
        supertypes = {kind.name: kind.supertype_names for kind in self._task.types}
        for entry in self._task.objects:
            for kind in (entry.type_name, *supertypes[entry.type_name]):
                objects[kind].append(entry.name)

        def operators(arguments: Arguments) -> list[GroundOperator]:
            values = _values(action, arguments)
            instance = action.instantiate(values, self._start_atoms, {}, self._atoms, objects, False)
            encoding: tuple[Any, ...] = self._atoms, self._ranges, self._atoms, self._ranges, {}
            made = self._translate.translate_strips_operator(instance, *encoding) if instance else []
            return [
                GroundOperator(
                    operator.name,
                    tuple(operator.prevail),
                    tuple((*change, tuple(condition)) for *change, condition in operator.pre_post),
                )
                for operator in made
            ]

        return operators


def _values(schema: Any, arguments: Arguments) -> dict[str, str]:
    """Return the values of the parameters of an action or axiom."""
    return dict(zip((parameter.name for parameter in schema.parameters), arguments, strict=False))


def _literals(condition: Any) -> list[Any]:
    """Return the literals of a normalized condition: one, a conjunction, or none."""
    return list(condition.parts) if condition.parts else [condition] if hasattr(condition, "predicate") else []


def _place(literal: Any, places: Mapping[str, int]) -> Literal:
    """Return a literal of an action, with the places of its arguments among those of the action."""
    constants = tuple(argument for argument in literal.args if argument not in places)
    names = [*places, *constants]
    pick, count = getter([names.index(argument) for argument in literal.args]), len(places)
    value = FALSE if literal.negated else TRUE
    if not constants:
        return Literal(value, literal.predicate, pick)
    return Literal(value, literal.predicate, lambda arguments: pick(arguments[:count] + constants))

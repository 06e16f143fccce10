"""Table of the built-in players, by which boards judge a result without importing anything that it names.

Whether a reflector is a control, its division and experience, and whether a player has a model or wraps another follow
from this table and never from the result. `tests/submissions/test_known_players.py` compares it with the classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from ictbench.actors.person import HUMAN, is_person
from ictbench.plugins import installed
from ictbench.records import PluginSpec
from ictbench.submissions.known_models import model_problems
from ictbench.submissions.own_classes import own_class_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ictbench.records import Division
    from ictbench.reflectors import Experience
    from ictbench.results import Result

PlayerRole = Literal["actor", "reflector"]

MAX_WRAPPERS = 8


@dataclass(frozen=True, slots=True)
class KnownPlayer:
    """What is known of a built-in player."""

    control: str = ""
    """Why a reflector is a control; empty if it may be ranked."""
    experience: Experience = "fresh"
    division: Division = "reflector"
    """Division of a reflector; a wrapper is in that of the reflector inside it."""
    has_model: bool = False
    wraps: bool = False
    """Whether its option `reflector` holds another reflector."""
    sees_solution: bool = False
    """Whether an actor is told the solutions."""
    options: tuple[str, ...] = ()
    keeps_prompt: bool = False
    """Whether a reflector never changes the prompt."""
    asks_once: bool = True
    """Whether a player with a model asks it exactly once for each decision or reflection."""


_ON_MODEL = KnownPlayer(has_model=True, options=("experience",))
_ON_MODEL_AS_TOLD = KnownPlayer(has_model=True, options=("experience", "instruction"))
_WITH_MEMORY = KnownPlayer(division="memory", has_model=True, options=("experience", "instruction"))
_COPY = KnownPlayer("it copies from its text and ignores how the episodes ended", options=("experience",))

REFLECTORS: Mapping[str, KnownPlayer] = {
    "ace": replace(_WITH_MEMORY, asks_once=False),
    "blind": KnownPlayer("it is shown no trajectory", wraps=True, options=("reflector",)),
    "cheatsheet": _WITH_MEMORY,
    "copy": _COPY,
    "copy-commonest": _COPY,
    "copy-last": _COPY,
    "expel": _WITH_MEMORY,
    "file": KnownPlayer("its prompt was written by a person", options=("text",)),
    "flipped": KnownPlayer("it is told the opposite of how each episode ended", wraps=True, options=("reflector",)),
    "gepa": KnownPlayer(
        "it plays tasks of its batches again, to try its prompts out",
        experience="halved",
        has_model=True,
        options=("experience", "instruction"),
        asks_once=False,
    ),
    "gepa-loop": KnownPlayer(
        experience="pooled",
        division="optimiser",
        has_model=True,
        options=("experience", "instruction"),
        asks_once=False,
    ),
    "icl": KnownPlayer("its prompts may hold 64,000 bytes, of raw trajectories"),
    "lessons": _ON_MODEL,
    "losses": KnownPlayer("it is shown no solved episode", wraps=True, options=("reflector",), asks_once=False),
    "none": KnownPlayer(keeps_prompt=True),
    "one-action": _ON_MODEL,
    "one-rule": _ON_MODEL,
    "reasoningbank": _WITH_MEMORY,
    "reflexion": KnownPlayer(
        "it tries the same tasks in every turn, which is another protocol",
        experience="retried",
        wraps=True,
        options=("reflector",),
    ),
    "retrieval": KnownPlayer("its prompts may hold 64,000 bytes, of raw trajectories"),
    "rewrite": _ON_MODEL_AS_TOLD,
    "rules": KnownPlayer(),
    "shuffled": KnownPlayer(
        "it learns from another family's episodes", experience="foreign", wraps=True, options=("reflector",)
    ),
    "transferred": KnownPlayer("its prompts were learned with another actor", options=("learned", "prompts", "source")),
    "unlabelled": KnownPlayer("it is not shown how episodes ended", wraps=True, options=("reflector",)),
    "workflows": replace(_WITH_MEMORY, asks_once=False),
}
"""Built-in reflectors by name. Other bare names are not accepted, so a new control cannot be ranked by mistake."""

ACTORS: Mapping[str, KnownPlayer] = {
    HUMAN: KnownPlayer(options=("player",)),
    "random": KnownPlayer(),
    "react": KnownPlayer(has_model=True, options=("action_format", "decoding", "history", "past_actions")),
    "rules": KnownPlayer(),
    "solver": KnownPlayer(sees_solution=True),
}
"""Built-in actors by name, and a person."""

KNOWN: Mapping[PlayerRole, Mapping[str, KnownPlayer]] = {"actor": ACTORS, "reflector": REFLECTORS}


def known_control(reflector: PluginSpec) -> str | None:
    """Return why a reflector is a control, empty if it may be ranked; None if part of it is not built in."""
    known = [REFLECTORS.get(spec.name) for spec in layers_of(reflector)]
    if None in known:
        return None
    return "; ".join(player.control for player in known if player and player.control)


def control_of(result: Result) -> str:
    """Return why the arm of a result is a control; empty if it is not one.

    For built-in reflectors the table decides. A class of the submitter's own is a control if the result says so.
    """
    known = known_control(result.reflector)
    if known is not None:
        return known
    wrappers = [REFLECTORS[spec.name].control for spec in layers_of(result.reflector) if spec.name in REFLECTORS]
    return result.control or "; ".join(filter(None, wrappers))


def keeps_prompt(reflector: PluginSpec) -> bool:
    """Return whether a reflector is a built-in one that never changes the prompt, or wraps one."""
    known = [REFLECTORS.get(spec.name) for spec in layers_of(reflector)]
    return all(known) and (last := known[-1]) is not None and last.keeps_prompt


def known_experience(reflector: PluginSpec) -> Experience | None:
    """Return which episodes a reflector learns from; None if it is not built in."""
    known = REFLECTORS.get(reflector.name)
    return known.experience if known else None


def division_of(result: Result) -> Division:
    """Return the division of a result: that of its innermost reflector.

    For built-in reflectors the table decides. A class of the submitter's own is of the division that the result says.
    """
    known = REFLECTORS.get([*layers_of(result.reflector)][-1].name)
    return known.division if known else result.division


def sees_solution(actor: PluginSpec) -> bool:
    """Return whether an actor is a built-in one that is told the solutions."""
    known = ACTORS.get(actor.name)
    return known is not None and known.sees_solution


def is_program(actor: PluginSpec) -> bool:
    """Return whether an actor is a built-in program that plays without a model and chooses available actions only."""
    known = ACTORS.get(actor.name)
    return known is not None and not (known.has_model or known.sees_solution or is_person(actor))


def is_known_program(role: PlayerRole, player: PluginSpec) -> bool:
    """Return whether a player is built in and has no model, so that it was trained on nothing; a person is none."""
    if role == "actor" and is_person(player):
        return False
    known = [KNOWN[role].get(layer.name) for layer in layers_of(player)]
    return player.model is None and all(layer is not None and not layer.has_model for layer in known)


def player_problems(role: PlayerRole, player: PluginSpec) -> Iterator[str]:
    """Yield why a board does not accept a player, each with its remedy. Nothing is imported."""
    layers = list(layers_of(player))
    if len(layers) > MAX_WRAPPERS:
        yield f"its {role} wraps more than {MAX_WRAPPERS} reflectors; run with fewer"
        return
    for depth, layer in enumerate(layers):
        yield from _name_problems(role, layer.name)
        known = KNOWN[role].get(layer.name)
        if known is None:
            continue
        if unknown := sorted(layer.options.keys() - {*known.options}):
            yield f"its {role} {layer.name!r} has no option {unknown[0]!r:.80}; run it as it ships with ictbench"
        if known.wraps and layer is layers[-1]:
            yield f"its {role} {layer.name!r} lacks the reflector that it wraps; run it again"
        if depth and known.experience != "fresh":
            why = known.control or "it plays its episodes itself"
            yield f"its reflector {layer.name!r} cannot be wrapped, because {why}"
        if layer is layers[-1] and not known.wraps and known.has_model != (player.model is not None):
            yield f"its {role} {layer.name!r} {'needs a' if known.has_model else 'has no'} model; run it again"
    if player.model is not None:
        yield from (f"its {role}: {problem}" for problem in model_problems(player.model))


def unlisted_player(role: PlayerRole, player: PluginSpec) -> str | None:
    """Return why a rerun does not create a player that a result names without the verifier's word; None if it does.

    A rerun creates built-in players and those that the verifier has installed as plug-ins, with the options that
    ictbench itself gives them.
    """
    allowed = {name for known in KNOWN[role].values() for name in known.options}
    for layer in (layers := list(layers_of(player))):
        known = KNOWN[role].get(layer.name)
        if known is None and (":" in layer.name or layer.name not in installed(role)):
            return f"would import {layer.name!r:.120}"
        if unknown := sorted(layer.options.keys() - {*(known.options if known else allowed)}):
            return f"has the option {unknown[0]!r:.80}, which ictbench does not give it"
    if len(layers) > MAX_WRAPPERS:
        return f"wraps more than {MAX_WRAPPERS} reflectors"
    return None


def _name_problems(role: PlayerRole, name: str) -> Iterator[str]:
    if name not in KNOWN[role] and (problem := own_class_problem(name, KNOWN[role])):
        yield f"its {role} {name!a:.80} {problem}"


def layers_of(player: PluginSpec) -> Iterator[PluginSpec]:
    """Yield a player and the reflectors that it wraps, outermost first, at most `MAX_WRAPPERS` + 1 of them.

    What does not describe a reflector ends the chain.
    """
    for _ in range(MAX_WRAPPERS + 1):
        yield player
        inside = player.options.get("reflector")
        if not isinstance(inside, dict):
            return
        try:
            player = PluginSpec.model_validate(inside)
        except ValidationError:
            return

"""Games generated offline, in the form of the official ones, from what the alfworld package ships."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ictbench.envs.alfworld.pddl import parse_problem
from ictbench.envs.alfworld.rooms import LAMP, load_rooms, load_rules
from ictbench.envs.alfworld.walkthrough import solve
from ictbench.errors import EnvError, UsageError

if TYPE_CHECKING:
    from ictbench.envs.alfworld.rooms import Receptacle, Room, Split

GOALS = {
    "pick": "pick_and_place_simple",
    "look": "look_at_obj_in_light",
    "clean": "pick_clean_then_place_in_recep",
    "heat": "pick_heat_then_place_in_recep",
    "cool": "pick_cool_then_place_in_recep",
    "pick-two": "pick_two_obj_and_place",
}
"""Family → the package's name for its goal."""

TREATMENTS = {"clean": ("Cleanable", "SinkBasin"), "heat": ("Heatable", "Microwave"), "cool": ("Coolable", "Fridge")}
"""Family → what its thing must be, and the receptacle that makes it so, which is then no target."""

NO_TARGETS = {"SinkBasin", "BathtubBasin", "Toaster", "TowelHolder", "TVStand", "LaundryHamper", "HandTowelHolder"}
"""Receptacles that no official game has as its target."""

LAMP_STANDS = ("Desk", "Dresser", "SideTable", "Shelf", "CoffeeTable", "DiningTable")
"""Where a desk lamp stands: on one of the first of these that the room has."""

COUNTS, COUNT_WEIGHTS = (1, 2, 3), (4, 3, 3)
"""How many things of a kind there are, about as often as in the official validation games (2,082 : 1,731 : 1,316)."""

OTHER_KINDS = 8
"""How many kinds of things there are besides the goal's and the lamp, at most. Starting a game takes time with each."""

MAX_ALIKE = 6
"""Of a kind of receptacle that the room has more of, a game has so many."""

DOMAIN_TYPES = {
    "KnifeType - otype",
    "ButterKnifeType - otype",
    "SinkBasinType - rtype",
    "MicrowaveType - rtype",
    "FridgeType - rtype",
}
"""Types that the domain's actions name, so that every problem declares them."""

START = "loc|0|0|0|15"
"""Where the agent begins: the middle of the room. No layout has a view at 15 degrees, so no receptacle is there."""

MAX_COMMANDS = 25
"""A game must be solvable in so many decisions, the limit of an episode."""

MAX_DRAWS = 200


@dataclass(frozen=True)
class GeneratedGame:
    """One game."""

    problem: str
    """PDDL."""
    goal: str
    """The sentence after "Your task is to: ", without its full stop."""


@dataclass(frozen=True)
class _Draw:
    """What was drawn: where, what to do with what, and which thing (id, kind) lies in which receptacle."""

    room: Room
    thing: str
    target: str
    places: tuple[tuple[str, str, Receptacle], ...]


def generate(family: str, seed: int, rooms: Split) -> GeneratedGame:
    """The game of a family, a seed and a set of rooms; the same one everywhere.

    It is not won at the start, and the solver wins it within 25 commands.

    Raises:
        UsageError: there is no such family or set of rooms.
        MissingExtraError: the alfworld package is not installed.
        EnvError: the package's layouts allow no such game.
    """
    if family not in GOALS:
        raise UsageError(f"no games of family {family!r} can be generated; known: {', '.join(GOALS)}")
    if rooms not in ("train", "test"):
        raise UsageError(f"no rooms are called {rooms!r}; known: train, test")
    rng = random.Random(f"alfworld-procgen/{family}/{seed}/{rooms}")
    for _ in range(MAX_DRAWS):
        draw = _draw(rng, family, rooms)
        text = _problem(draw, family)
        if _fits(text):
            return GeneratedGame(text, _sentence(rng, draw, family))
    raise EnvError(f"no solvable {family} game in {MAX_DRAWS} draws; is the alfworld package complete?")


def _fits(text: str) -> bool:
    """Whether the game is neither won at its start nor too long."""
    problem = parse_problem(text)
    try:
        return 0 < len(solve(problem, {name: name for name in problem.objects})) <= MAX_COMMANDS
    except EnvError:
        return False


def _draw(rng: random.Random, family: str, rooms: Split) -> _Draw:
    """A room, a goal for it, and where everything lies."""
    whole_room = rng.choice(_rooms(family, rooms))
    options = _goal_options(whole_room, family)
    thing = rng.choice(sorted(options))
    target = rng.choice(options[thing])
    room = _thin_out(rng, whole_room, {thing, LAMP})
    places: dict[str, tuple[str, Receptacle]] = {}
    for kind in room.things:
        stands = dict(_stands(room, kind))
        if kind == thing and family in ("pick", "pick-two"):
            stands.pop(target, None)
        count = 1 if kind == LAMP else rng.choices(COUNTS, COUNT_WEIGHTS)[0]
        count = max(count, 2) if kind == thing and family == "pick-two" else count
        for _ in range(count if stands else 0):
            # Kind first: otherwise most things would lie in cabinets and drawers, of which there are many.
            where = rng.choice(stands[rng.choice(sorted(stands))])
            while (name := _thing_id(rng, kind, where)) in places:
                pass
            places[name] = kind, where
    return _Draw(room, thing, target, tuple((name, *place) for name, place in places.items()))


def _thin_out(rng: random.Random, room: Room, keep: set[str]) -> Room:
    """The room with a few of its kinds of things, and a few receptacles of each kind."""
    others = [kind for kind in room.things if kind not in keep]
    kinds = keep | set(rng.sample(others, min(OTHER_KINDS, len(others))))
    kept: list[Receptacle] = []
    for fixture in sorted({receptacle.kind for receptacle in room.receptacles}):
        alike = [receptacle for receptacle in room.receptacles if receptacle.kind == fixture]
        kept += rng.sample(alike, min(MAX_ALIKE, len(alike)))
    return replace(
        room,
        receptacles=tuple(sorted(kept, key=lambda receptacle: receptacle.id)),
        things=tuple(kind for kind in room.things if kind in kinds),
    )


@functools.cache
def _rooms(family: str, rooms: Split) -> tuple[Room, ...]:
    """The rooms that allow a goal of the family."""
    types = load_rules().room_types[GOALS[family]]
    return tuple(room for room in load_rooms(rooms) if room.type in types and _goal_options(room, family))


@functools.cache
def _goal_options(room: Room, family: str) -> dict[str, tuple[str, ...]]:
    """Kind of thing → kinds of target, or the lamp, for all goals of the family that make sense in the room."""
    rules = load_rules()
    action, excluded = TREATMENTS.get(family, ("", ""))
    fixtures = {receptacle.kind for receptacle in room.receptacles}
    if family == "look" and not (LAMP in room.things and _stands(room, LAMP)):
        return {}
    if excluded and excluded not in fixtures:
        return {}
    options: dict[str, tuple[str, ...]] = {}
    for thing in room.things:
        stands = _stands(room, thing)
        if thing == LAMP or (action and thing not in rules.actions[action]):
            continue
        # A thing that fits nowhere else would be where it belongs from the start.
        targets = (LAMP,) if family == "look" else tuple(sorted(stands.keys() - NO_TARGETS - {excluded}))
        if targets and (family == "look" or len(stands) > 1):
            options[thing] = targets
    return options


def _stands(room: Room, thing: str) -> dict[str, tuple[Receptacle, ...]]:
    """Kind of receptacle → those of the room, for all kinds that can hold the thing."""
    holds = load_rules().holds
    kinds = sorted({receptacle.kind for receptacle in room.receptacles})
    if thing == LAMP:
        kinds = [kind for kind in LAMP_STANDS if kind in kinds][:1]
    else:
        kinds = [kind for kind in kinds if thing in holds[kind]]
    return {kind: tuple(place for place in room.receptacles if place.kind == kind) for kind in kinds}


def _thing_id(rng: random.Random, kind: str, where: Receptacle) -> str:
    """An id in the official style: the kind, and a position on or in the receptacle."""
    x, y, z = where.position
    return f"{kind}|{x + rng.uniform(-0.4, 0.4):+06.2f}|{y + 0.05:+06.2f}|{z + rng.uniform(-0.4, 0.4):+06.2f}"


def _sentence(rng: random.Random, draw: _Draw, family: str) -> str:
    """One of the package's templates, filled in as the package does."""
    template = rng.choice(load_rules().goals[GOALS[family]]["templates"])
    target = draw.target.lower()
    return str(template.format(obj=draw.thing.lower(), recep=target, toggle=target))


def _problem(draw: _Draw, family: str) -> str:
    """The draw as PDDL; only what occurs is declared."""
    receptacles = draw.room.receptacles
    kinds = sorted({kind for _, kind, _ in draw.places})
    fixtures = sorted({receptacle.kind for receptacle in receptacles})
    locations = {receptacle.location for receptacle in receptacles} | {START}
    objects = {
        "agent1 - agent",
        *DOMAIN_TYPES,
        *(f"{kind}Type - otype" for kind in kinds),
        *(f"{kind}Type - rtype" for kind in fixtures),
        *(f"{_mangle(name)} - object" for name, _, _ in draw.places),
        *(f"{_mangle(receptacle.id)} - receptacle" for receptacle in receptacles),
        *(f"{_mangle(location)} - location" for location in locations),
    }
    facts = [f"atLocation agent1 {_mangle(START)}", *_fixture_facts(draw, kinds, fixtures), *_thing_facts(draw)]
    goal = load_rules().goals[GOALS[family]]["pddl"].replace("#", "-")
    lines = [
        "(define (problem generated)",
        "(:domain alfred)",
        "(:objects",
        *sorted(objects),
        ")",
        "(:init",
        *(f"({fact})" for fact in facts),
        ")",
        # The package's goals close the definition, too.
        *(line.strip() for line in goal.format(obj=draw.thing, recep=draw.target, toggle=draw.target).splitlines()),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _fixture_facts(draw: _Draw, kinds: list[str], fixtures: list[str]) -> list[str]:
    rules, facts = load_rules(), []
    for receptacle in draw.room.receptacles:
        name = _mangle(receptacle.id)
        facts += [f"receptacleType {name} {receptacle.kind}Type"]
        facts += [f"receptacleAtLocation {name} {_mangle(receptacle.location)}"]
        facts += [f"openable {name}"] if receptacle.kind in rules.openable else []
    return facts + [
        f"canContain {fix}Type {kind}Type" for fix in fixtures for kind in kinds if kind in rules.holds[fix]
    ]


def _thing_facts(draw: _Draw) -> list[str]:
    rules, facts = load_rules(), []
    for thing, kind, where in draw.places:
        name = _mangle(thing)
        facts += [f"objectType {name} {kind}Type", f"inReceptacle {name} {_mangle(where.id)}"]
        facts += [f"objectAtLocation {name} {_mangle(where.location)}"]
        facts += [f"pickupable {name}"] if kind != LAMP else []
        facts += [f"{action.lower()} {name}" for action, able in sorted(rules.actions.items()) if kind in able]
        facts += [f"isReceptacleObject {name}"] if kind in rules.movable else []
    return facts


def _mangle(name: str) -> str:
    """A simulator's id as official problems spell it."""
    for sign, word in (("|", "_bar_"), ("+", "_plus_"), ("-", "_minus_"), (".", "_dot_")):
        name = name.replace(sign, word)
    return name

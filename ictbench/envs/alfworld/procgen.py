"""Generator of games in the form of the official ones, from the files of the alfworld package."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ictbench.envs.alfworld.pddl import parse_problem
from ictbench.envs.alfworld.rooms import LAMP, load_object_rules, load_rooms
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
"""Family → the package's name of its goal."""

TREATMENTS = {"clean": ("Cleanable", "SinkBasin"), "heat": ("Heatable", "Microwave"), "cool": ("Coolable", "Fridge")}
"""Family → what its thing must be, and the receptacle that makes it so and is not used as a target."""

EXCLUDED_TARGETS = {
    "SinkBasin",
    "BathtubBasin",
    "Toaster",
    "TowelHolder",
    "TVStand",
    "LaundryHamper",
    "HandTowelHolder",
}
"""Receptacles that are not the target of any official game."""

LAMP_STANDS = ("Desk", "Dresser", "SideTable", "Shelf", "CoffeeTable", "DiningTable")
"""Receptacles for the desk lamp: it is on one of the first kind that the room has."""

COUNTS, COUNT_WEIGHTS = (1, 2, 3), (4, 3, 3)
"""Distribution of the number of things of a kind, close to the official validation games (2,082 : 1,731 : 1,316)."""

OTHER_KINDS = 8
"""Most kinds of things besides the goal's and the lamp. Each makes the start of a game slower."""

MAX_PER_KIND = 6
"""Most receptacles of a kind."""

DOMAIN_TYPES = {
    "KnifeType - otype",
    "ButterKnifeType - otype",
    "SinkBasinType - rtype",
    "MicrowaveType - rtype",
    "FridgeType - rtype",
}
"""Types that every problem must declare, as the actions of the domain name them."""

START = "loc|0|0|0|15"
"""The agent's first location, in the middle of the room. No layout has a view at 15 degrees: no receptacle is there."""

MAX_COMMANDS = 25
"""Most commands of a solution: the decision limit of an episode."""

MAX_DRAWS = 200
"""Most attempts to draw a solvable game."""


@dataclass(frozen=True)
class GeneratedGame:
    """A generated game."""

    problem: str
    """PDDL."""
    goal: str
    """The sentence after "Your task is to: ", without its full stop."""


@dataclass(frozen=True)
class _Draw:
    """A drawn game: its room, the kinds of its thing and target, and things (id, kind) with their receptacles."""

    room: Room
    thing: str
    target: str
    places: tuple[tuple[str, str, Receptacle], ...]


def generate(family: str, seed: int, rooms: Split) -> GeneratedGame:
    """Return the game of a family, a seed and a set of rooms. It is the same on every machine.

    It is not won at its start, and the solver wins it within 25 commands.

    Raises:
        UsageError: The family or the set of rooms is unknown.
        MissingExtraError: The alfworld package is not installed.
        EnvError: No solvable game was drawn.
    """
    if family not in GOALS:
        raise UsageError(f"{family!r} is not a family of generated games; known: {', '.join(GOALS)}")
    if rooms not in ("train", "test"):
        raise UsageError(f"{rooms!r} is not a set of rooms; known: train, test")
    rng = random.Random(f"alfworld-procgen/{family}/{seed}/{rooms}")
    for _ in range(MAX_DRAWS):
        draw = _draw(rng, family, rooms)
        text = _problem(draw, family)
        if _is_playable(text):
            return GeneratedGame(text, _goal_sentence(rng, draw, family))
    raise EnvError(f"no solvable {family} game in {MAX_DRAWS} draws; is the alfworld package complete?")


def _is_playable(text: str) -> bool:
    """Check that a game is not won at its start and can be won within `MAX_COMMANDS`."""
    problem = parse_problem(text)
    try:
        return 0 < len(solve(problem, {name: name for name in problem.objects})) <= MAX_COMMANDS
    except EnvError:
        return False


def _draw(rng: random.Random, family: str, rooms: Split) -> _Draw:
    """Draw a room, a goal for it, and the place of each thing."""
    whole_room = rng.choice(_rooms(family, rooms))
    options = _goal_options(whole_room, family)
    thing = rng.choice(sorted(options))
    target = rng.choice(options[thing])
    room = _sample_contents(rng, whole_room, {thing, LAMP})
    places: dict[str, tuple[str, Receptacle]] = {}
    for kind in room.things:
        holders = dict(_receptacles_for(room, kind))
        if kind == thing and family in ("pick", "pick-two"):
            holders.pop(target, None)
        count = 1 if kind == LAMP else rng.choices(COUNTS, COUNT_WEIGHTS)[0]
        count = max(count, 2) if kind == thing and family == "pick-two" else count
        for _ in range(count if holders else 0):
            # The kind is drawn first: otherwise most things would be in cabinets and drawers, which are numerous.
            receptacle = rng.choice(holders[rng.choice(sorted(holders))])
            while (name := _thing_id(rng, kind, receptacle)) in places:
                pass
            places[name] = kind, receptacle
    return _Draw(room, thing, target, tuple((name, *place) for name, place in places.items()))


def _sample_contents(rng: random.Random, room: Room, keep: set[str]) -> Room:
    """Return the room with some of its kinds of things and some receptacles of each kind."""
    others = [kind for kind in room.things if kind not in keep]
    kinds = keep | set(rng.sample(others, min(OTHER_KINDS, len(others))))
    kept: list[Receptacle] = []
    for fixture in sorted({receptacle.kind for receptacle in room.receptacles}):
        alike = [receptacle for receptacle in room.receptacles if receptacle.kind == fixture]
        kept += rng.sample(alike, min(MAX_PER_KIND, len(alike)))
    return replace(
        room,
        receptacles=tuple(sorted(kept, key=lambda receptacle: receptacle.id)),
        things=tuple(kind for kind in room.things if kind in kinds),
    )


@functools.cache
def _rooms(family: str, rooms: Split) -> tuple[Room, ...]:
    """Return the rooms that allow a goal of the family."""
    types = load_object_rules().room_types[GOALS[family]]
    return tuple(room for room in load_rooms(rooms) if room.type in types and _goal_options(room, family))


@functools.cache
def _goal_options(room: Room, family: str) -> dict[str, tuple[str, ...]]:
    """Return the goals of the family that make sense in the room: kind of thing → kinds of targets, or the lamp."""
    rules = load_object_rules()
    action, excluded = TREATMENTS.get(family, ("", ""))
    fixtures = {receptacle.kind for receptacle in room.receptacles}
    if family == "look" and not (LAMP in room.things and _receptacles_for(room, LAMP)):
        return {}
    if excluded and excluded not in fixtures:
        return {}
    options: dict[str, tuple[str, ...]] = {}
    for thing in room.things:
        holders = _receptacles_for(room, thing)
        if thing == LAMP or (action and thing not in rules.actions[action]):
            continue
        # A thing that fits only one kind of receptacle would be at its target from the start.
        targets = (LAMP,) if family == "look" else tuple(sorted(holders.keys() - EXCLUDED_TARGETS - {excluded}))
        if targets and (family == "look" or len(holders) > 1):
            options[thing] = targets
    return options


def _receptacles_for(room: Room, thing: str) -> dict[str, tuple[Receptacle, ...]]:
    """Return the receptacles of the room that can hold a thing, by their kind."""
    holds = load_object_rules().holds
    kinds = sorted({receptacle.kind for receptacle in room.receptacles})
    if thing == LAMP:
        kinds = [kind for kind in LAMP_STANDS if kind in kinds][:1]
    else:
        kinds = [kind for kind in kinds if thing in holds[kind]]
    return {kind: tuple(place for place in room.receptacles if place.kind == kind) for kind in kinds}


def _thing_id(rng: random.Random, kind: str, receptacle: Receptacle) -> str:
    """Return an id in the official style: the kind, and a position in the receptacle."""
    x, y, z = receptacle.position
    return f"{kind}|{x + rng.uniform(-0.4, 0.4):+06.2f}|{y + 0.05:+06.2f}|{z + rng.uniform(-0.4, 0.4):+06.2f}"


def _goal_sentence(rng: random.Random, draw: _Draw, family: str) -> str:
    """Return the sentence of the goal: a template of the package, filled in as the package does."""
    template = rng.choice(load_object_rules().goals[GOALS[family]]["templates"])
    target = draw.target.lower()
    return str(template.format(obj=draw.thing.lower(), recep=target, toggle=target))


def _problem(draw: _Draw, family: str) -> str:
    """Return the draw as PDDL. Only objects and types that occur are declared."""
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
    goal = load_object_rules().goals[GOALS[family]]["pddl"].replace("#", "-")
    lines = [
        "(define (problem generated)",
        "(:domain alfred)",
        "(:objects",
        *sorted(objects),
        ")",
        "(:init",
        *(f"({fact})" for fact in facts),
        ")",
        # The package's goals include the bracket that closes the definition.
        *(line.strip() for line in goal.format(obj=draw.thing, recep=draw.target, toggle=draw.target).splitlines()),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _fixture_facts(draw: _Draw, kinds: list[str], fixtures: list[str]) -> list[str]:
    rules, facts = load_object_rules(), []
    for receptacle in draw.room.receptacles:
        name = _mangle(receptacle.id)
        facts += [f"receptacleType {name} {receptacle.kind}Type"]
        facts += [f"receptacleAtLocation {name} {_mangle(receptacle.location)}"]
        facts += [f"openable {name}"] if receptacle.kind in rules.openable else []
    return facts + [
        f"canContain {fix}Type {kind}Type" for fix in fixtures for kind in kinds if kind in rules.holds[fix]
    ]


def _thing_facts(draw: _Draw) -> list[str]:
    rules, facts = load_object_rules(), []
    for thing, kind, receptacle in draw.places:
        name = _mangle(thing)
        facts += [f"objectType {name} {kind}Type", f"inReceptacle {name} {_mangle(receptacle.id)}"]
        facts += [f"objectAtLocation {name} {_mangle(receptacle.location)}"]
        facts += [f"pickupable {name}"] if kind != LAMP else []
        facts += [f"{action.lower()} {name}" for action, able in sorted(rules.actions.items()) if kind in able]
        facts += [f"isReceptacleObject {name}"] if kind in rules.movable else []
    return facts


def _mangle(name: str) -> str:
    """Return a simulator's id as official problems spell it."""
    for sign, word in (("|", "_bar_"), ("+", "_plus_"), ("-", "_minus_"), (".", "_dot_")):
        name = name.replace(sign, word)
    return name

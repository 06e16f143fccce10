"""Rooms of generated games, read from the floor plans of the alfworld package.

A floor plan whose number is divisible by three is a test room, every other one a train room. There are 30 kitchens, 30
living rooms, 30 bedrooms and 30 bathrooms; ten of each are test rooms.
"""

from __future__ import annotations

import functools
import json
import runpy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ictbench.envs.alfworld.alfworld_package import package_file

if TYPE_CHECKING:
    from collections.abc import Mapping

Split = Literal["train", "test"]

TEST_EVERY = 3
"""One floor plan in this many is a test room."""

BURNERS = 4
"""Burners of a stove. Of every other kind without a position in the layout, a room gets one."""

LAMP = "DeskLamp"
"""The only lamp in generated games: a thing can be used only in a receptacle, and no receptacle holds a floor lamp."""


@dataclass(frozen=True)
class Receptacle:
    """Place that holds things. `id` and `location` have the simulator's form, such as `Fridge|-02.10|+00.00|+01.09`."""

    id: str
    kind: str
    location: str

    @property
    def position(self) -> tuple[float, float, float]:
        """Coordinates in metres along x, y (up) and z."""
        x, y, z = (float(part) for part in self.id.split("|")[1:4])
        return x, y, z


@dataclass(frozen=True)
class Room:
    """Floor plan with its receptacles and the kinds of things that may be in it."""

    plan: int
    type: str
    """`Kitchen`, `LivingRoom`, `Bedroom` or `Bathroom`."""
    receptacles: tuple[Receptacle, ...]
    things: tuple[str, ...]


@dataclass(frozen=True)
class ObjectRules:
    """The package's tables about kinds of things, receptacles and goals."""

    holds: Mapping[str, frozenset[str]]
    """Kind of receptacle → the kinds of things that it can hold."""
    actions: Mapping[str, frozenset[str]]
    """`Cleanable`, `Heatable`, `Coolable`, `Toggleable` or `Sliceable` → the kinds of things that are so."""
    openable: frozenset[str]
    movable: frozenset[str]
    """Kinds of receptacles that can be carried, such as a mug. In generated games they are things."""
    room_types: Mapping[str, frozenset[str]]
    """Name of a goal → the types of rooms in which it makes sense."""
    goals: Mapping[str, Mapping[str, Any]]
    """Name of a goal → its PDDL and the templates of its sentence."""


@functools.cache
def load_rooms(split: Split) -> tuple[Room, ...]:
    """Return all rooms of a split, in the order of their numbers.

    Raises:
        MissingExtraError: The alfworld package is not installed.
    """
    plans = [(plan, name) for name, numbers in _constants()["SCENE_TYPE"].items() for plan in numbers]
    return tuple(_load_room(plan, name) for plan, name in plans if (plan % TEST_EVERY == 0) == (split == "test"))


@functools.cache
def load_object_rules() -> ObjectRules:
    """Return the package's tables.

    Raises:
        MissingExtraError: The alfworld package is not installed.
    """
    constants = _constants()
    return ObjectRules(
        holds={kind: frozenset(things) for kind, things in constants["VAL_RECEPTACLE_OBJECTS"].items()},
        actions={action: frozenset(things) for action, things in constants["VAL_ACTION_OBJECTS"].items()},
        openable=frozenset(constants["OPENABLE_CLASS_LIST"]),
        movable=frozenset(constants["MOVABLE_RECEPTACLES"]),
        room_types={goal: frozenset(types) for goal, types in constants["GOALS_VALID"].items()},
        goals=runpy.run_path(str(package_file("gen/goal_library.py")))["gdict"],
    )


def _load_room(plan: int, room_type: str) -> Room:
    rules = load_object_rules()
    listed = sorted(json.loads(package_file(f"gen/layouts/FloorPlan{plan}-objects.json").read_bytes()))
    views: dict[str, list[float]] = json.loads(package_file(f"gen/layouts/FloorPlan{plan}-openable.json").read_bytes())
    placed = [Receptacle(name, _kind(name), _location(*view)) for name, view in sorted(views.items())]
    fixed = rules.holds.keys() - rules.movable
    missing = [kind for kind in listed if kind in fixed - {receptacle.kind for receptacle in placed}]
    return Room(
        plan=plan,
        type=room_type,
        receptacles=(*placed, *_place_missing(placed, views, missing)),
        things=tuple(kind for kind in listed if kind == LAMP or any(kind in rules.holds[fix] for fix in fixed)),
    )


def _place_missing(placed: list[Receptacle], views: Mapping[str, list[float]], kinds: list[str]) -> list[Receptacle]:
    """Return the receptacles that the room has but its layout does not place, in a row beyond all others.

    Args:
        placed: Receptacles that the layout places.
        views: Receptacle → the agent's x, z, rotation and horizon in front of it.
        kinds: Kinds to place.
    """
    left = min(receptacle.position[0] for receptacle in placed)
    beyond = max(receptacle.position[2] for receptacle in placed) + 0.5
    stand = max(view[1] for view in views.values()) + 0.25
    repeated = [kind for kind in kinds for _ in range(BURNERS if kind == "StoveBurner" else 1)]
    row = []
    for index, kind in enumerate(repeated):
        basin = f"|{kind}" if kind.endswith("Basin") else ""
        name = f"{kind.removesuffix('Basin')}|{left + 0.25 * index:+06.2f}|+00.90|{beyond:+06.2f}{basin}"
        # Each has its own location, from where no other receptacle is within reach.
        row.append(Receptacle(name, kind, _location(0.25 * index, stand, 0, 30)))
    return row


def _kind(name: str) -> str:
    """Return the kind: `Fridge|-02.10|+00.00|+01.09` → Fridge, `Sink|-01.90|+00.97|-01.50|SinkBasin` → SinkBasin."""
    parts = name.split("|")
    return parts[4] if len(parts) == 5 else parts[0]


def _location(x: float, z: float, rotation: float, horizon: float) -> str:
    """Return the agent's position and view as official games write it: in quarter metres, quarter turns and degrees."""
    return f"loc|{round(4 * x)}|{round(4 * z)}|{round(rotation / 90)}|{round(horizon)}"


@functools.cache
def _constants() -> dict[str, Any]:
    """Return the package's constants by running their file: importing the package creates the folder of the games."""
    return runpy.run_path(str(package_file("gen/constants.py")))

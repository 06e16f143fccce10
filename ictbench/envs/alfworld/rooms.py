"""The rooms that generated games are set in, read from the floor plans of the alfworld package.

A floor plan whose number is divisible by three is a test room, every other one a train room: of 30 kitchens,
living rooms, bedrooms and bathrooms each, ten are test rooms.
"""

from __future__ import annotations

import functools
import json
import runpy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ictbench.envs.alfworld.alfworld_package import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

Split = Literal["train", "test"]

TEST_EVERY = 3
"""Every so many floor plans, one is a test room."""

BURNERS = 4
"""A stove has four burners; of every other thing without a position, the room gets one."""

LAMP = "DeskLamp"
"""The one lamp of generated games; nothing holds a floor lamp, and what nothing holds cannot be used."""


@dataclass(frozen=True)
class Receptacle:
    """A place that holds things. `id` and `location` are in the simulator's form (`Fridge|-02.10|+00.00|+01.09`)."""

    id: str
    kind: str
    location: str

    @property
    def position(self) -> tuple[float, float, float]:
        """Metres along x, y (up) and z."""
        x, y, z = (float(part) for part in self.id.split("|")[1:4])
        return x, y, z


@dataclass(frozen=True)
class Room:
    """One floor plan: its receptacles, and the kinds of things that lie about in it."""

    plan: int
    type: str
    """`Kitchen`, `LivingRoom`, `Bedroom` or `Bathroom`."""
    receptacles: tuple[Receptacle, ...]
    things: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """What the package says about kinds of things."""

    holds: Mapping[str, frozenset[str]]
    """Kind of receptacle → the kinds it can hold."""
    actions: Mapping[str, frozenset[str]]
    """`Cleanable`, `Heatable`, `Coolable`, `Toggleable`, `Sliceable` → kinds."""
    openable: frozenset[str]
    movable: frozenset[str]
    """Receptacles that can be carried, such as a mug; in games they are things."""
    room_types: Mapping[str, frozenset[str]]
    """Name of a goal → the types of room it makes sense in."""
    goals: Mapping[str, Mapping[str, Any]]
    """Name of a goal → its PDDL and the templates of its sentence."""


@functools.cache
def load_rooms(split: Split) -> tuple[Room, ...]:
    """All rooms of a split, in the order of their numbers.

    Raises:
        MissingExtraError: the alfworld package is not installed.
    """
    plans = [(plan, name) for name, numbers in _constants()["SCENE_TYPE"].items() for plan in numbers]
    return tuple(_load_room(plan, name) for plan, name in plans if (plan % TEST_EVERY == 0) == (split == "test"))


@functools.cache
def load_rules() -> Rules:
    """The package's rules.

    Raises:
        MissingExtraError: the alfworld package is not installed.
    """
    constants = _constants()
    return Rules(
        holds={kind: frozenset(things) for kind, things in constants["VAL_RECEPTACLE_OBJECTS"].items()},
        actions={action: frozenset(things) for action, things in constants["VAL_ACTION_OBJECTS"].items()},
        openable=frozenset(constants["OPENABLE_CLASS_LIST"]),
        movable=frozenset(constants["MOVABLE_RECEPTACLES"]),
        room_types={goal: frozenset(types) for goal, types in constants["GOALS_VALID"].items()},
        goals=runpy.run_path(str(shipped("gen/goal_library.py")))["gdict"],
    )


def _load_room(plan: int, room_type: str) -> Room:
    rules = load_rules()
    listed = sorted(json.loads(shipped(f"gen/layouts/FloorPlan{plan}-objects.json").read_bytes()))
    views: dict[str, list[float]] = json.loads(shipped(f"gen/layouts/FloorPlan{plan}-openable.json").read_bytes())
    placed = [Receptacle(name, _kind(name), _location(*view)) for name, view in sorted(views.items())]
    fixed = rules.holds.keys() - rules.movable
    missing = [kind for kind in listed if kind in fixed - {receptacle.kind for receptacle in placed}]
    return Room(
        plan=plan,
        type=room_type,
        receptacles=(*placed, *_beside(placed, views, missing)),
        things=tuple(kind for kind in listed if kind == LAMP or any(kind in rules.holds[fix] for fix in fixed)),
    )


def _beside(placed: list[Receptacle], views: Mapping[str, list[float]], kinds: list[str]) -> list[Receptacle]:
    """Receptacles that the room has but its layout does not place, in a row beyond all others."""
    left = min(receptacle.position[0] for receptacle in placed)
    beyond = max(receptacle.position[2] for receptacle in placed) + 0.5
    stand = max(view[1] for view in views.values()) + 0.25
    names = [kind for kind in kinds for _ in range(BURNERS if kind == "StoveBurner" else 1)]
    row = []
    for index, kind in enumerate(names):
        basin = f"|{kind}" if kind.endswith("Basin") else ""
        place = f"{kind.removesuffix('Basin')}|{left + 0.25 * index:+06.2f}|+00.90|{beyond:+06.2f}{basin}"
        # Each has its own location: standing there, no other receptacle is within reach.
        row.append(Receptacle(place, kind, _location(0.25 * index, stand, 0, 30)))
    return row


def _kind(name: str) -> str:
    """`Fridge|-02.10|+00.00|+01.09` → Fridge; `Sink|-01.90|+00.97|-01.50|SinkBasin` → SinkBasin."""
    parts = name.split("|")
    return parts[4] if len(parts) == 5 else parts[0]


def _location(x: float, z: float, rotation: float, horizon: float) -> str:
    """Where the agent stands, and which way, as official games write it: quarter metres, quarter turns, degrees."""
    return f"loc|{round(4 * x)}|{round(4 * z)}|{round(rotation / 90)}|{round(horizon)}"


@functools.cache
def _constants() -> dict[str, Any]:
    """The package's tables, run from their file: importing the package creates the folder of the games."""
    return runpy.run_path(str(shipped("gen/constants.py")))

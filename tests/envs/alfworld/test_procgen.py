from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ictbench.envs.alfworld import procgen
from ictbench.envs.alfworld.pddl import Problem, parse_problem
from ictbench.envs.alfworld.procgen import GOALS, START, generate
from ictbench.envs.alfworld.rooms import LAMP, Split, load_rooms, load_rules
from ictbench.envs.alfworld.walkthrough import solve
from ictbench.errors import EnvError, UsageError
from ictbench.records import Task

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.envs.alfworld.pddl import Expression

pytestmark = pytest.mark.skipif(find_spec("alfworld") is None, reason="the alfworld package is not installed")

SPLITS = get_args(Split)
some_game = given(st.sampled_from(sorted(GOALS)), st.integers(0, 10**6), st.sampled_from(SPLITS))
unhurried = settings(max_examples=60)

DIGEST_OF_GAMES = f"""
import hashlib, sys
from ictbench.envs.alfworld.procgen import generate
games = [generate(family, seed, rooms) for family in {sorted(GOALS)} for seed in range(3) for rooms in {SPLITS}]
print("alfworld" in sys.modules, hashlib.sha256(repr(games).encode()).hexdigest())
"""


def read(family: str, seed: int, rooms: Split) -> Problem:
    return parse_problem(generate(family, seed, rooms).problem)


def plan(problem: Problem) -> list[str]:
    return solve(problem, {name: name for name in problem.objects})


def of(problem: Problem, predicate: str) -> list[tuple[str, ...]]:
    return [fact[1:] for fact in problem.facts if fact[0] == predicate]


def kinds(problem: Problem) -> dict[str, str]:
    """Thing or receptacle → its type."""
    return {fact[1]: fact[2] for fact in problem.facts if fact[0] in {"objecttype", "receptacletype"}}


def locations(problem: Problem) -> dict[str, str]:
    return {fact[1]: fact[2] for fact in problem.facts if fact[0] == "receptacleatlocation"}


def wanted(goal: Expression) -> set[str]:
    """The types that a goal names."""
    if isinstance(goal, str):
        return {goal} if goal.endswith("type") else set()
    return {word for part in goal[isinstance(goal[0], str) :] for word in wanted(part)}


def test_a_game_is_the_same_in_every_process_and_alfworld_is_never_imported(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", DIGEST_OF_GAMES],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "ALFWORLD_DATA": str(absent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert outputs.pop().startswith("False ")
    assert not absent.exists()


@unhurried
@some_game
def test_a_game_depends_on_family_seed_and_rooms_alone(family: str, seed: int, rooms: Split) -> None:
    before = random.getstate()
    game = generate(family, seed, rooms)
    generate(family, seed + 1, rooms)
    assert generate(family, seed, rooms) == game
    assert random.getstate() == before


@unhurried
@some_game
def test_a_game_is_not_won_at_its_start_and_can_be_won_in_an_episode(family: str, seed: int, rooms: Split) -> None:
    assert 0 < len(plan(read(family, seed, rooms))) <= 25


@unhurried
@some_game
def test_everything_lies_where_it_can_lie(family: str, seed: int, rooms: Split) -> None:
    problem = read(family, seed, rooms)
    kind, can_contain, at = kinds(problem), set(of(problem, "cancontain")), locations(problem)
    places = of(problem, "inreceptacle")
    lamps = {thing for thing, _ in places if kind[thing] == "desklamptype"}
    things = {name for name, type_ in problem.objects.items() if type_ == "object"}
    assert all((kind[place], kind[thing]) in can_contain for thing, place in places if thing not in lamps)
    assert sorted(thing for thing, _ in places) == sorted(things)
    assert sorted(of(problem, "objectatlocation")) == sorted((thing, at[place]) for thing, place in places)
    assert {thing for (thing,) in of(problem, "pickupable")} == things - lamps
    assert len(lamps) <= 1


@unhurried
@some_game
def test_a_game_starts_in_the_middle_of_the_room_with_all_doors_shut(family: str, seed: int, rooms: Split) -> None:
    problem = read(family, seed, rooms)
    changed = {"opened", "holds", "holdsany", "isclean", "ishot", "iscool", "ison", "istoggled", "issliced", "checked"}
    assert changed.isdisjoint(fact[0] for fact in problem.facts)
    ((_, start),) = of(problem, "atlocation")
    assert start not in locations(problem).values()
    shut = {"cabinettype", "drawertype", "fridgetype", "microwavetype", "safetype"}
    assert {name for (name,) in of(problem, "openable")} == {
        name for name, kind in kinds(problem).items() if kind in shut
    }


@unhurried
@some_game
def test_only_what_occurs_is_declared_besides_the_types_that_the_domain_names(
    family: str, seed: int, rooms: Split
) -> None:
    problem = read(family, seed, rooms)
    domain = {"knifetype", "butterknifetype", "sinkbasintype", "microwavetype", "fridgetype"}
    used = {word for fact in problem.facts for word in fact[1:]} | domain
    assert used == set(problem.objects)
    assert wanted(problem.goal) <= used


@unhurried
@given(st.sampled_from(["pick", "pick-two"]), st.integers(0, 10**6), st.sampled_from(SPLITS))
def test_what_must_be_moved_is_nowhere_where_it_must_go(family: str, seed: int, rooms: Split) -> None:
    problem = read(family, seed, rooms)
    kind, named = kinds(problem), wanted(problem.goal)
    places = [place for thing, place in of(problem, "inreceptacle") if kind[thing] in named]
    assert len(places) >= (2 if family == "pick-two" else 1)
    assert all(kind[place] not in named for place in places)


@unhurried
@some_game
def test_the_sentence_says_the_goal(family: str, seed: int, rooms: Split) -> None:
    game = generate(family, seed, rooms)
    said = game.goal.split()
    assert {kind.removesuffix("type") for kind in wanted(parse_problem(game.problem).goal)} <= set(said)
    assert ("clean" in said, "two" in said) == (family == "clean", family == "pick-two")
    assert bool({"hot", "heat"} & set(said)) == (family == "heat")
    assert "cool" in said if family == "cool" else "cool" not in said
    assert ("desklamp" in said) == (family == "look")


def test_test_games_are_in_rooms_that_no_training_game_has() -> None:
    plans = {rooms: {room.plan for room in load_rooms(rooms)} for rooms in SPLITS}
    assert plans["train"].isdisjoint(plans["test"])
    assert (len(plans["train"]), len(plans["test"])) == (80, 40)
    assert all(plan % 3 == 0 for plan in plans["test"])
    for rooms in SPLITS:
        for family, goal in GOALS.items():
            played = procgen._rooms(family, rooms)
            assert {room.type for room in played} == load_rules().room_types[goal]
            assert {room.plan for room in played} <= plans[rooms]


def test_every_receptacle_has_a_place_and_none_is_in_the_middle_of_the_room() -> None:
    for room in (*load_rooms("train"), *load_rooms("test")):
        assert len({receptacle.id for receptacle in room.receptacles}) == len(room.receptacles)
        assert START not in {receptacle.location for receptacle in room.receptacles}
        assert {receptacle.kind for receptacle in room.receptacles} <= load_rules().holds.keys()


def test_a_kitchen_has_what_its_layout_gives_no_position_for() -> None:
    kitchens = [room for room in load_rooms("test") if room.type == "Kitchen"]
    assert len(kitchens) == 10
    for room in kitchens:
        count = Counter(receptacle.kind for receptacle in room.receptacles)
        assert [count[kind] for kind in ("StoveBurner", "CoffeeMachine", "Toaster", "SinkBasin")] == [4, 1, 1, 1]
        burners = {receptacle.location for receptacle in room.receptacles if receptacle.kind == "StoveBurner"}
        others = {receptacle.location for receptacle in room.receptacles if receptacle.kind != "StoveBurner"}
        assert len(burners - others) == 4


def test_light_games_have_a_desk_lamp_to_use() -> None:
    for rooms in SPLITS:
        assert all(LAMP in room.things for room in procgen._rooms("look", rooms))
        assert plan(read("look", 7, rooms))[-1].startswith("use desklamp_bar_")


def test_seeds_give_different_games() -> None:
    assert len({generate("pick-two", seed, "test") for seed in range(50)}) == 50


@pytest.mark.parametrize(("family", "rooms"), [("slice", "train"), ("Pick", "train"), ("pick", "valid"), ("pick", "")])
def test_unknown_families_and_rooms_are_refused(family: str, rooms: Split) -> None:
    with pytest.raises(UsageError, match="known: "):
        generate(family, 0, rooms)


def test_drawing_ends_where_no_game_is_short_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procgen, "MAX_COMMANDS", 2)
    with pytest.raises(EnvError, match="no solvable heat game in 200 draws"):
        generate("heat", 0, "train")


def test_a_draw_that_the_solver_cannot_solve_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Problem] = []

    def fail_once(problem: Problem, names: dict[str, str]) -> list[str]:
        asked.append(problem)
        if len(asked) == 1:
            raise EnvError("unsolvable: for once")
        return solve(problem, names)

    first = read("clean", 3, "train")
    monkeypatch.setattr(procgen, "solve", fail_once)
    assert read("clean", 3, "train") == asked[1] != asked[0] == first


@pytest.mark.parametrize("rooms", SPLITS)
@pytest.mark.parametrize("family", GOALS)
def test_the_engine_agrees_that_the_solver_wins(family: str, rooms: Split) -> None:
    pytest.importorskip("textworld")
    pytest.importorskip("fast_downward")
    from ictbench.envs.alfworld.alfworld_env import AlfworldEnv

    env = AlfworldEnv()
    task = Task(id="generated", family=family, env="alfworld", params={"family": family, "seed": 11, "rooms": rooms})
    observation = env.reset(task)
    assert observation.text.endswith(f"Your task is to: {generate(family, 11, rooms).goal}.")
    assert "You are in the middle of a room." in observation.text
    assert "_bar_" not in observation.text
    for command in env.solve():
        assert observation.end is None
        assert command in observation.actions
        observation = env.step(command)
    assert (observation.end, observation.reward) == ("solved", 1.0)
    env.close()

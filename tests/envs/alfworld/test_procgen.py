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
from ictbench.envs.alfworld.rooms import LAMP, Split, load_object_rules, load_rooms
from ictbench.envs.alfworld.walkthrough import solve
from ictbench.errors import EnvError, UsageError
from ictbench.records import Task

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.envs.alfworld.pddl import Expression

pytestmark = pytest.mark.skipif(find_spec("alfworld") is None, reason="the alfworld package is not installed")

SPLITS = get_args(Split)
given_game = given(st.sampled_from(sorted(GOALS)), st.integers(0, 10**6), st.sampled_from(SPLITS))
few_examples = settings(max_examples=60)

PRINT_DIGEST = f"""
import hashlib, sys
from ictbench.envs.alfworld.procgen import generate
games = [generate(family, seed, rooms) for family in {sorted(GOALS)} for seed in range(3) for rooms in {SPLITS}]
text = "".join(game.problem + game.goal for game in games)
print("alfworld" in sys.modules, hashlib.sha256(text.encode()).hexdigest())
"""
SHA256_OF_GAMES = "5b5ae751b48895fa00af1b2916f0435e2c9b2b368ce83a3ff8414f8b60b157dc"


def generate_problem(family: str, seed: int, rooms: Split) -> Problem:
    return parse_problem(generate(family, seed, rooms).problem)


def solution(problem: Problem) -> list[str]:
    return solve(problem, {name: name for name in problem.objects})


def arguments_of(problem: Problem, predicate: str) -> list[tuple[str, ...]]:
    """Return the arguments of all facts with a predicate."""
    return [fact[1:] for fact in problem.facts if fact[0] == predicate]


def kinds(problem: Problem) -> dict[str, str]:
    """Return the type of each thing and receptacle."""
    return {fact[1]: fact[2] for fact in problem.facts if fact[0] in {"objecttype", "receptacletype"}}


def locations(problem: Problem) -> dict[str, str]:
    return {fact[1]: fact[2] for fact in problem.facts if fact[0] == "receptacleatlocation"}


def types_in(goal: Expression) -> set[str]:
    """Return the types that a goal names."""
    if isinstance(goal, str):
        return {goal} if goal.endswith("type") else set()
    return {word for part in goal[isinstance(goal[0], str) :] for word in types_in(part)}


def test_games_are_the_published_ones_in_every_process_and_alfworld_is_not_imported(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "ALFWORLD_DATA": str(absent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    # Another digest is another suite: it needs a new version.
    assert outputs == {f"False {SHA256_OF_GAMES}\n"}
    assert not absent.exists()


@few_examples
@given_game
def test_a_game_depends_on_family_seed_and_rooms_only(family: str, seed: int, rooms: Split) -> None:
    before = random.getstate()
    game = generate(family, seed, rooms)
    generate(family, seed + 1, rooms)
    assert generate(family, seed, rooms) == game
    assert random.getstate() == before


@few_examples
@given_game
def test_a_game_is_not_won_at_its_start_and_can_be_won_within_25_commands(family: str, seed: int, rooms: Split) -> None:
    assert 0 < len(solution(generate_problem(family, seed, rooms))) <= 25


@few_examples
@given_game
def test_every_thing_is_in_a_receptacle_that_can_hold_it(family: str, seed: int, rooms: Split) -> None:
    problem = generate_problem(family, seed, rooms)
    kind, can_contain, at = kinds(problem), set(arguments_of(problem, "cancontain")), locations(problem)
    places = arguments_of(problem, "inreceptacle")
    lamps = {thing for thing, _ in places if kind[thing] == "desklamptype"}
    things = {name for name, type_ in problem.objects.items() if type_ == "object"}
    assert all((kind[place], kind[thing]) in can_contain for thing, place in places if thing not in lamps)
    assert sorted(thing for thing, _ in places) == sorted(things)
    assert sorted(arguments_of(problem, "objectatlocation")) == sorted((thing, at[place]) for thing, place in places)
    assert {thing for (thing,) in arguments_of(problem, "pickupable")} == things - lamps
    assert len(lamps) <= 1


@few_examples
@given_game
def test_a_game_starts_in_the_middle_of_the_room_with_everything_closed(family: str, seed: int, rooms: Split) -> None:
    problem = generate_problem(family, seed, rooms)
    changed = {"opened", "holds", "holdsany", "isclean", "ishot", "iscool", "ison", "istoggled", "issliced", "checked"}
    assert changed.isdisjoint(fact[0] for fact in problem.facts)
    ((_, start),) = arguments_of(problem, "atlocation")
    assert start not in locations(problem).values()
    shut = {"cabinettype", "drawertype", "fridgetype", "microwavetype", "safetype"}
    assert {name for (name,) in arguments_of(problem, "openable")} == {
        name for name, kind in kinds(problem).items() if kind in shut
    }


@few_examples
@given_game
def test_all_declared_objects_occur_in_facts_or_in_the_domain(family: str, seed: int, rooms: Split) -> None:
    problem = generate_problem(family, seed, rooms)
    domain = {"knifetype", "butterknifetype", "sinkbasintype", "microwavetype", "fridgetype"}
    used = {word for fact in problem.facts for word in fact[1:]} | domain
    assert used == set(problem.objects)
    assert types_in(problem.goal) <= used


@few_examples
@given(st.sampled_from(["pick", "pick-two"]), st.integers(0, 10**6), st.sampled_from(SPLITS))
def test_a_thing_to_be_moved_is_not_at_its_target(family: str, seed: int, rooms: Split) -> None:
    problem = generate_problem(family, seed, rooms)
    kind, named = kinds(problem), types_in(problem.goal)
    places = [place for thing, place in arguments_of(problem, "inreceptacle") if kind[thing] in named]
    assert len(places) >= (2 if family == "pick-two" else 1)
    assert all(kind[place] not in named for place in places)


@few_examples
@given_game
def test_the_sentence_states_the_goal(family: str, seed: int, rooms: Split) -> None:
    game = generate(family, seed, rooms)
    words = game.goal.split()
    assert {kind.removesuffix("type") for kind in types_in(parse_problem(game.problem).goal)} <= set(words)
    assert ("clean" in words, "two" in words) == (family == "clean", family == "pick-two")
    assert bool({"hot", "heat"} & set(words)) == (family == "heat")
    assert ("cool" in words) == (family == "cool")
    assert ("desklamp" in words) == (family == "look")


def test_test_games_and_training_games_have_different_rooms() -> None:
    plans = {rooms: {room.plan for room in load_rooms(rooms)} for rooms in SPLITS}
    assert plans["train"].isdisjoint(plans["test"])
    assert (len(plans["train"]), len(plans["test"])) == (80, 40)
    assert all(plan % 3 == 0 for plan in plans["test"])
    for rooms in SPLITS:
        for family, goal in GOALS.items():
            played = procgen._rooms(family, rooms)
            assert {room.type for room in played} == load_object_rules().room_types[goal]
            assert {room.plan for room in played} <= plans[rooms]


def test_every_receptacle_has_a_location_outside_the_middle_of_the_room() -> None:
    for room in (*load_rooms("train"), *load_rooms("test")):
        assert len({receptacle.id for receptacle in room.receptacles}) == len(room.receptacles)
        assert START not in {receptacle.location for receptacle in room.receptacles}
        assert {receptacle.kind for receptacle in room.receptacles} <= load_object_rules().holds.keys()


def test_a_kitchen_has_the_receptacles_that_its_layout_does_not_place() -> None:
    kitchens = [room for room in load_rooms("test") if room.type == "Kitchen"]
    assert len(kitchens) == 10
    for room in kitchens:
        count = Counter(receptacle.kind for receptacle in room.receptacles)
        assert [count[kind] for kind in ("StoveBurner", "CoffeeMachine", "Toaster", "SinkBasin")] == [4, 1, 1, 1]
        burners = {receptacle.location for receptacle in room.receptacles if receptacle.kind == "StoveBurner"}
        others = {receptacle.location for receptacle in room.receptacles if receptacle.kind != "StoveBurner"}
        assert len(burners - others) == 4


def test_look_games_have_a_usable_desk_lamp() -> None:
    for rooms in SPLITS:
        assert all(LAMP in room.things for room in procgen._rooms("look", rooms))
        assert solution(generate_problem("look", 7, rooms))[-1].startswith("use desklamp_bar_")


def test_seeds_give_different_games() -> None:
    assert len({generate("pick-two", seed, "test") for seed in range(50)}) == 50


@pytest.mark.parametrize(("family", "rooms"), [("slice", "train"), ("Pick", "train"), ("pick", "valid"), ("pick", "")])
def test_unknown_families_and_rooms_are_errors(family: str, rooms: Split) -> None:
    with pytest.raises(UsageError, match="known: "):
        generate(family, 0, rooms)


def test_generation_fails_after_200_draws_without_a_solvable_game(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procgen, "MAX_COMMANDS", 2)
    with pytest.raises(EnvError, match="no solvable heat game in 200 draws"):
        generate("heat", 0, "train")


def test_an_unsolvable_draw_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    problems: list[Problem] = []

    def fail_once(problem: Problem, names: dict[str, str]) -> list[str]:
        problems.append(problem)
        if len(problems) == 1:
            raise EnvError("unsolvable: first draw")
        return solve(problem, names)

    first = generate_problem("clean", 3, "train")
    monkeypatch.setattr(procgen, "solve", fail_once)
    assert generate_problem("clean", 3, "train") == problems[1] != problems[0] == first


@pytest.mark.parametrize("rooms", SPLITS)
@pytest.mark.parametrize("family", GOALS)
def test_the_solver_wins_in_the_engine(family: str, rooms: Split) -> None:
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

"""The suite `textworld-v1`: roles, pools and whole games."""

from __future__ import annotations

import pytest

from ictbench.envs.textworld_games.generator import LOCK, make_game
from ictbench.envs.textworld_games.settings import settings_of
from ictbench.protocol import loop_plan
from ictbench.records import Task, digest_of
from ictbench.suites import load_suite

SUITE = load_suite("textworld-v1")
SIZES = SUITE.profiles["quick"]


def content(task: Task) -> str:
    """Return the digest of a whole game: its task, its solution, and all that is in it."""
    with LOCK:
        game = make_game(settings_of(task))
    infos = sorted((info.name or id_, str(info.desc)) for id_, info in game.infos.items())
    return digest_of([game.objective, game.metadata["walkthrough"], infos, sorted(map(str, game.world.facts))])


def test_four_families_are_held_out() -> None:
    assert SUITE.select_families(["held-out"]) == ("maze", "keys", "cook", "house")
    assert SUITE.select_families(["meta-train"]) == ("coin", "treasure", "ingredients", "cut")


@pytest.mark.parametrize("family", SUITE.families)
def test_no_game_of_a_loop_is_another_one(family: str) -> None:
    tasks = loop_plan(SUITE, family, 0, SIZES).tasks
    assert len({content(task) for task in tasks}) == len(tasks) == 3 * 2 + 4 + 6


def test_two_families_have_different_games_for_the_same_seed() -> None:
    cook, house = (SUITE.scoring_tasks("test", family, 0, 10) for family in ("cook", "house"))
    with LOCK:
        recipes = [[make_game(settings_of(task)).metadata["recipe"] for task in tasks] for tasks in (cook, house)]
    assert sum(one == other for one, other in zip(*recipes, strict=True)) <= 2


def test_test_games_have_foods_that_no_other_pool_has() -> None:
    foods = {}
    for pool, tasks in (
        ("experience", SUITE.first_tasks("ingredients", 15)),
        ("selection", SUITE.scoring_tasks("selection", "ingredients", 0, 15)),
        ("test", SUITE.scoring_tasks("test", "ingredients", 0, 15)),
    ):
        with LOCK:
            made = [make_game(settings_of(task)).metadata["ingredients"] for task in tasks]
        foods[pool] = {name for ingredients in made for name, _, _ in ingredients}
    assert foods["test"] - foods["experience"] - foods["selection"]
    assert foods["selection"] - foods["experience"] - foods["test"]

"""The ALFWorld suites against the protocol. A change of what is tested here needs a new version of the suite."""

from __future__ import annotations

import pytest

from ictbench import load_suite
from ictbench.errors import PoolTooSmallError

OFFICIAL, GENERATED = load_suite("alfworld-v1"), load_suite("alfworld-procgen-v1")
GAMES = {
    "pick": (790, 35, 24),
    "look": (308, 13, 18),
    "clean": (650, 27, 31),
    "heat": (459, 16, 23),
    "cool": (533, 25, 21),
    "pick-two": (813, 24, 17),
}
"""Games in train, valid_seen and valid_unseen."""


def test_suites_have_the_protocols_roles_and_limits() -> None:
    for suite in (OFFICIAL, GENERATED):
        assert suite.select_families(["meta-train"]) == ("pick", "look", "clean", "heat")
        assert suite.select_families(["held-out"]) == ("cool", "pick-two")
        assert (suite.limits.max_steps, suite.limits.prompt_bytes) == (25, 8000)
        assert set(suite.profiles) == {"quick", "lite", "standard"}
    assert OFFICIAL.prompt == GENERATED.prompt


def test_digests_are_those_of_published_results() -> None:
    assert OFFICIAL.digest[:12] == "a23de0e66d43"
    assert GENERATED.digest[:12] == "b8997a23e9f7"


@pytest.mark.parametrize("family", GAMES)
def test_official_pools_are_complete_disjoint_and_shared(family: str) -> None:
    train, seen, unseen = GAMES[family]
    experience = OFFICIAL.experience_order(family, 0, train)
    selection = OFFICIAL.scoring_tasks("selection", family, 0, None)
    test = OFFICIAL.scoring_tasks("test", family, 0, None)
    assert (len(experience), len(selection), len(test)) == (train, seen, unseen)
    assert len({task.id for task in (*experience, *selection, *test)}) == train + seen + unseen
    assert OFFICIAL.scoring_tasks("test", family, 7, None) == test
    assert OFFICIAL.scoring_tasks("test", family, 7, 5) == test[:5]
    assert OFFICIAL.experience_order(family, 1, 30) != experience[:30]
    with pytest.raises(PoolTooSmallError, match=rf"{train + 1} tasks requested, there are {train}"):
        OFFICIAL.experience_order(family, 0, train + 1)
    with pytest.raises(PoolTooSmallError, match=f"{unseen + 1} games requested, there are {unseen}; ask for fewer"):
        OFFICIAL.scoring_tasks("test", family, 0, unseen + 1)


def test_ranked_profiles_score_on_all_official_games() -> None:
    for sizes in (OFFICIAL.profiles["lite"], OFFICIAL.profiles["standard"]):
        assert (sizes.selection_size, sizes.test_size) == (None, None)
    assert OFFICIAL.scoring_size("test", "cool", None) == 21


def test_families_whose_test_games_are_in_one_room_have_a_note() -> None:
    for family in GAMES:
        rooms = {task.id.split("/")[1].rsplit("-", 1)[1] for task in OFFICIAL.scoring_tasks("test", family, 0, None)}
        assert ("in one room" in OFFICIAL.families[family].note) == (len(rooms) == 1)


def test_generated_test_games_have_other_rooms_than_the_rest() -> None:
    assert GENERATED.scoring_tasks("selection", "heat", 0, 1)[0].params["rooms"] == "train"
    assert GENERATED.scoring_tasks("test", "heat", 0, 1)[0].params["rooms"] == "test"
    task = GENERATED.experience_order("heat", 0, 1)[0]
    assert (task.params["rooms"], task.params["family"]) == ("train", "heat")

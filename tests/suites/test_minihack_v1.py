"""The suite minihack-v1 against the protocol. A change of what is tested here needs a new version of the suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench import load_suite
from ictbench.suites.pools import SeedPools

if TYPE_CHECKING:
    from ictbench.choices import ProfileName

META_TRAIN = {
    "room-random": "MiniHack-Room-Random-5x5-v0",
    "eat": "MiniHack-Eat-v0",
    "wear": "MiniHack-Wear-v0",
    "wield": "MiniHack-Wield-v0",
}
HELD_OUT = {
    "room-dark": "MiniHack-Room-Dark-5x5-v0",
    "read": "MiniHack-Read-v0",
    "puton": "MiniHack-PutOn-v0",
    "zap": "MiniHack-Zap-v0",
}
SUITE = load_suite("minihack-v1")


def test_the_eight_families_have_their_roles_and_environments() -> None:
    all_families = {(name, family.role, family.params["env_id"]) for name, family in SUITE.families.items()}
    expected = {(name, "meta-train", env_id) for name, env_id in META_TRAIN.items()}
    expected |= {(name, "held-out", env_id) for name, env_id in HELD_OUT.items()}
    assert all_families == expected
    assert (SUITE.name, SUITE.env) == ("minihack-v1", "minihack")


def test_limits_are_25_decisions_and_8000_bytes_of_prompt() -> None:
    assert (SUITE.limits.max_steps, SUITE.limits.prompt_bytes) == (25, 8000)


@pytest.mark.parametrize(
    ("profile", "sizes"),
    [("lite", (5, 3, 5, 10, 20)), ("standard", (10, 3, 10, 20, 50))],
)
def test_the_ranked_profiles_have_the_protocols_sizes(profile: ProfileName, sizes: tuple[int, ...]) -> None:
    actual = SUITE.profiles[profile]
    assert (actual.turns, actual.batch_size, actual.loops, actual.selection_size, actual.test_size) == sizes


def test_the_quick_profile_has_enough_loops_for_intervals() -> None:
    assert set(SUITE.profiles) == {"quick", "lite", "standard"}
    assert SUITE.profiles["quick"].loops >= 3


def test_pools_have_the_protocols_seeds() -> None:
    experience = SUITE.experience_order("read", 0, 10000)
    assert sorted(seed for task in experience if isinstance(seed := task.params["seed"], int)) == list(range(10000))
    assert SUITE.scoring_tasks("selection", "read", 0, 1)[0].params["seed"] == 10000
    assert SUITE.scoring_tasks("test", "read", 0, 1)[0].params["seed"] == 20000
    assert isinstance(SUITE.pools, SeedPools)
    scoring_pools = [SUITE.pools.selection, SUITE.pools.test]
    assert all(pool.first % 10000 == 0 and pool.first >= 10000 for pool in scoring_pools)
    assert SUITE.pools.selection.last < 20000


def test_a_task_is_an_environment_id_and_a_seed() -> None:
    task = SUITE.scoring_tasks("test", "zap", 0, 1)[0]
    assert (task.id, task.family, task.env) == ("zap-20000", "zap", "minihack")
    assert task.params == {"env_id": "MiniHack-Zap-v0", "seed": 20000}


@pytest.mark.parametrize("profile", ["quick", "lite", "standard"])
def test_every_profile_fits_into_the_pools(profile: ProfileName) -> None:
    sizes = SUITE.profiles[profile]
    ids: list[str] = []
    for loop in range(sizes.loops):
        ids += [task.id for task in SUITE.scoring_tasks("selection", "eat", loop, sizes.selection_size)]
        ids += [task.id for task in SUITE.scoring_tasks("test", "eat", loop, sizes.test_size)]
        assert (
            len(SUITE.experience_order("eat", loop, sizes.turns * sizes.batch_size)) == sizes.turns * sizes.batch_size
        )
    assert len(set(ids)) == len(ids)


def test_the_prompt_reveals_no_task() -> None:
    shown = SUITE.prompt.casefold()
    assert "minihack" not in shown
    assert "seed" not in shown
    assert not any(word in shown for word in ("read", "zap", "wear", "wield", "ring", "wand", "scroll", "food"))
    assert SUITE.prompt == SUITE.prompt.strip()
    assert len(SUITE.prompt.encode()) < SUITE.limits.prompt_bytes


def test_the_digest_is_that_of_published_results() -> None:
    # Another digest is another benchmark and needs a new version.
    assert SUITE.digest == "5f6f8281774f70588d7ad0e59a9ebde1aa3af2256395f6059ddb3ad4f727d819"

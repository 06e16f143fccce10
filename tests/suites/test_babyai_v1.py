"""The suite `babyai-v1`: roles, pools and whole levels."""

from __future__ import annotations

from contextlib import closing

import pytest

from ictbench.envs.babyai.babyai_env import BabyAIEnv
from ictbench.suites import load_suite
from ictbench.suites.pools import SeedPools

SUITE = load_suite("babyai-v1")


def test_four_families_are_held_out() -> None:
    assert SUITE.select_families(["held-out"]) == ("put-next", "maze", "two-doors", "corridor")
    assert SUITE.select_families(["meta-train"]) == ("go-to", "pick-up", "act", "unlock")


@pytest.mark.parametrize("family", SUITE.families)
def test_pools_share_no_level(family: str) -> None:
    """All seeds that a loop of the standard profile meets, and more: corridor has about 650 levels."""
    assert isinstance(SUITE.pools, SeedPools)
    pools = (SUITE.pools.experience, SUITE.pools.selection, SUITE.pools.test)
    with closing(BabyAIEnv()) as env:

        def level(seed: int) -> str:
            env.reset(SUITE.task(family, f"{family}-{seed}"))
            return env.content_key()

        experience, selection, test = ({*map(level, pool.seeds[:300])} for pool in pools)
    assert not experience & selection
    assert not experience & test
    assert not selection & test
    fewest = 100 if family == "corridor" else 299
    assert min(map(len, (experience, selection, test))) >= fewest

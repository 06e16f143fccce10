"""The suites with the paper's sizes. A change of what is tested here needs a new version of the suite."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from ictbench import load_suite
from ictbench.errors import PoolTooSmallError
from ictbench.protocol import loop_plan
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.suites.load import suites_of_env

if TYPE_CHECKING:
    from ictbench.choices import ProfileName
    from ictbench.suites import Suite

MINIHACK, ALFWORLD = load_suite("minihack-paper-v1"), load_suite("alfworld-paper-v1")
VALIDATION_GAMES = {"pick": 35, "look": 13, "clean": 27, "heat": 16, "cool": 25, "pick-two": 24}
"""The paper's validation set of ALFWorld: all games of valid_seen."""
FAMILIES = [(suite, family) for suite in (MINIHACK, ALFWORLD) for family in suite.families]
CELLS = pytest.mark.parametrize(("suite", "family"), FAMILIES, ids=[f"{s.env}-{family}" for s, family in FAMILIES])


@pytest.mark.parametrize("suite", [MINIHACK, ALFWORLD], ids=["minihack", "alfworld"])
@pytest.mark.parametrize(("profile", "batch_size"), [("standard", 3), ("standard-k5", 5)])
def test_sizes_are_the_papers(suite: Suite, profile: ProfileName, batch_size: int) -> None:
    sizes = suite.profiles[profile]
    assert (sizes.turns, sizes.batch_size, sizes.loops) == (10, batch_size, 10)
    assert (suite.limits.max_steps, suite.actor.max_tokens, suite.actor.temperature) == (25, 500, 0)
    assert (suite.reflector.max_tokens, suite.reflector.temperature, suite.actor.history) == (2000, 0, None)


@pytest.mark.parametrize("name", ["minihack", "alfworld"])
def test_tasks_are_shown_as_in_the_suites_with_own_blocks(name: str) -> None:
    paper, own = load_suite(f"{name}-paper-v1"), load_suite(f"{name}-v1")
    for part in ("families", "prompt", "presentation", "limits", "actor", "reflector", "env"):
        shown = [getattr(suite, part) for suite in (paper, own)]
        if part == "families":
            shown = [{n: (family.role, family.params) for n, family in families.items()} for families in shown]
        assert shown[0] == shown[1], part
    # The suite of an environment that is played by default is the last one.
    assert suites_of_env(name)[-1] == f"{name}-v1"


@CELLS
def test_the_selection_pool_is_the_papers_validation_and_the_same_for_all_loops(suite: Suite, family: str) -> None:
    sizes = suite.profiles["standard-k5"]
    pools = [
        [task.id for task in suite.scoring_tasks("selection", family, loop, sizes.selection_size)] for loop in (0, 9)
    ]
    assert pools[0] == pools[1]
    if suite is MINIHACK:
        assert pools[0] == [f"{family}-{seed}" for seed in range(10_000, 10_100)]
    else:
        assert len(pools[0]) == VALIDATION_GAMES[family]
        assert {name.split("/")[0] for name in pools[0]} == {"valid_seen"}


@CELLS
@pytest.mark.parametrize("profile", ["standard", "standard-k5"])
def test_test_tasks_are_in_no_other_pool(suite: Suite, family: str, profile: ProfileName) -> None:
    sizes = suite.profiles[profile]
    plans = [loop_plan(suite, family, index, sizes) for index in range(sizes.loops)]
    other = {task.id for plan in plans for task in (*itertools.chain(*plan.batches), *plan.selection)}
    test = [[task.id for task in plan.test] for plan in plans]
    assert not other & {name for names in test for name in names}
    for plan in plans:
        batches = [task.id for task in itertools.chain(*plan.batches)]
        assert len(set(batches)) == len(batches) == sizes.turns * sizes.batch_size
        assert not set(batches) & {task.id for task in plan.selection}
    blocks = {tuple(names) for names in test}
    # Generated test tasks are each loop's own, so that loops are independent; the games of valid_unseen are few.
    assert len(blocks) == (10 if suite is MINIHACK else 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"selection_size": 101}, "selection pool of 'room-dark': 101 tasks requested, there are 100; ask for fewer"),
        ({"test_size": 1001}, "test pool of 'room-dark': 1001 tasks requested, each loop has 1000"),
        ({"loops": 81}, "test pool of 'room-dark': loop 80 requested, there are blocks for 80 loops"),
        (
            {"turns": 2001},
            "experience pool of 'room-dark': turns x batch size = 10005 tasks requested, there are 10000",
        ),
    ],
)
def test_a_pool_that_is_too_small_is_refused_before_anything_is_played(options: dict[str, int], message: str) -> None:
    plan = make_plan(
        Options.parse({"suite": "minihack-paper-v1", "profile": "standard-k5", "families": "held-out", **options})
    )
    with pytest.raises(PoolTooSmallError, match=message):
        list(plan.loops())


@pytest.mark.parametrize(("size", "available"), [({"selection_size": 26}, 25), ({"test_size": 22}, 21)])
def test_a_held_out_pool_of_games_that_is_too_small_is_refused(size: dict[str, int], available: int) -> None:
    options = {"suite": "alfworld-paper-v1", "profile": "standard", "families": "cool", **size}
    with pytest.raises(PoolTooSmallError, match=f"games requested, there are {available}; ask for fewer"):
        list(make_plan(Options.parse(options)).loops())


def test_another_batch_size_than_the_profiles_is_a_deviation() -> None:
    options = {"suite": "alfworld-paper-v1", "reflector": "rules", "actor": "rules"}
    assert make_plan(Options.parse({**options, "profile": "standard-k5"})).deviations() == ()
    plan = make_plan(Options.parse({**options, "profile": "standard", "batch_size": 5}))
    assert plan.deviations() == ("batch_size 5 instead of 3",)


def test_both_sizes_have_the_same_selection_and_test_tasks() -> None:
    for suite, family in FAMILIES:
        plans = [loop_plan(suite, family, 2, suite.profiles[profile]) for profile in ("standard", "standard-k5")]
        assert plans[0].selection == plans[1].selection
        assert plans[0].test == plans[1].test


def test_digests_are_those_of_published_results() -> None:
    # Another digest is another benchmark and needs a new version.
    assert MINIHACK.digest[:12] == "65cf6baa0e1b"
    assert ALFWORLD.digest[:12] == "b98a2e04a651"

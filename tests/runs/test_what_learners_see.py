"""What reaches a learner: the rows of the table in docs/what-a-learner-sees.md, and nothing else."""

from __future__ import annotations

import re
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import spying
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import EXPERIENCE, FAMILIES, PASSWORD, TEST, World, vault_suite

import ictbench
from ictbench import Context, Trajectory
from ictbench.records import Step

LEARNERS = ("spying:Spy", "spying:SpyWithMemory")
PLAYERS = ("spying:SpyThatPlays", "spying:SpyThatOptimises")
"""Learners that play episodes themselves, which no control can wrap."""
WRAPPERS = ("", "blind:", "flipped:", "losses:", "reflexion:", "shuffled:", "unlabelled:")

SIZES: dict[str, Any] = {"families": [FAMILIES[0]], "turns": 2, "batch_size": 2, "loops": 2}
SIZES |= {"selection_size": 2, "test_size": 2}

PAGE = Path(__file__).parents[2] / "docs" / "what-a-learner-sees.md"


def seen_in(world: World, reflector: str, **options: Any) -> tuple[list[dict[str, object]], ictbench.Run]:
    """Return all that a learner was given during a run in this world, and the run."""
    spying.world, spying.given = world, []
    with tempfile.TemporaryDirectory(prefix="ictbench-seen-") as folder:
        run = ictbench.run(
            suite=vault_suite(Path(folder)),
            out=Path(folder) / "run",
            actor="random",
            reflector=reflector,
            executor="inline",
            quiet=True,
            **SIZES | options,
        )
        assert run.result.complete
        return sorted(spying.given, key=repr), run


@given(
    reflector=st.sampled_from([*(wrapper + learner for wrapper in WRAPPERS for learner in LEARNERS), *PLAYERS]),
    turns=st.integers(1, 3),
    salt=st.integers(1, 1000),
    test_every_turn=st.booleans(),
    repeats=st.integers(1, 2),
)
@settings(max_examples=8, deadline=None)
def test_nothing_of_selection_and_test_tasks_reaches_a_learner(
    reflector: str, turns: int, salt: int, test_every_turn: bool, repeats: int
) -> None:
    """Other texts and outcomes there give the same inputs: whatever they say, the learner does not know."""
    options = {"turns": turns, "test_every_turn": test_every_turn, "repeats": repeats}
    one, run = seen_in(World(), reflector, **options)
    other, changed = seen_in(World(scored=salt), reflector, **options)
    assert one == other
    assert len(one) == 2 * turns or reflector.startswith("losses:")
    outcomes = [
        [(loop.selection, loop.test) for family in one.families for loop in family.loops]
        for one in (run.result, changed.result)
    ]
    assert outcomes[0] != outcomes[1], "the worlds do not differ"


@given(learner=st.sampled_from(LEARNERS), ends=st.integers(1, 1000))
@settings(max_examples=4, deadline=None)
def test_no_outcome_reaches_a_learner_that_is_not_to_see_any(learner: str, ends: int) -> None:
    one, _ = seen_in(World(), f"unlabelled:{learner}")
    other, _ = seen_in(World(ends=ends), f"unlabelled:{learner}")
    assert one == other
    labelled, _ = seen_in(World(), learner)
    changed, _ = seen_in(World(ends=ends), learner)
    assert labelled != changed, "the worlds do not differ"


@pytest.mark.parametrize("reflector", [*(f"{wrapper}{LEARNERS[1]}" for wrapper in WRAPPERS), LEARNERS[0], *PLAYERS])
def test_no_name_seed_or_parameter_of_a_task_reaches_a_learner(reflector: str) -> None:
    inputs, run = seen_in(World(), reflector)
    seeds = {seed for first in (EXPERIENCE, spying.SELECTION, TEST) for seed in range(first, first + 100)}
    secrets = {*map(str, seeds), *FAMILIES, PASSWORD, "vault", "secret", "spying", run.result.suite.digest[:12]}
    secrets |= {str(run.folder), "ictbench-seen"}
    for call in inputs:
        for path, value in call.items():
            assert value not in seeds, path
            for secret in secrets:
                assert secret not in str(value).lower(), path
                assert secret not in path, path


def test_the_table_names_every_field_that_a_learner_is_given() -> None:
    given = {*Trajectory.model_fields, *Step.model_fields, *(field.name for field in fields(Context))}
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    named = {name for line in table for name in re.findall(r"`(?:context\.)?(\w+)`", line.split("|")[1])}
    assert given - named == set()
    assert named - given == {"prompt", "trajectories", "state"}


@pytest.mark.parametrize("learner", [*LEARNERS, *PLAYERS])
def test_a_learner_is_given_no_other_fields(learner: str) -> None:
    inputs, _ = seen_in(World(), learner)
    names = {part for call in inputs for path in call for part in re.findall(r"[a-z_]+", path)}
    own = {"key", "seen", "value", "digest", "model"}
    assert names <= {*Trajectory.model_fields, *Step.model_fields, *(field.name for field in fields(Context))} | own

"""What is played again and comes out otherwise is told: no altered record stands before data and game both."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from small_run import SUITE, Place, change, places, small_run

from ictbench.audit.playback import play_back
from ictbench.audit.record_checks import faults
from ictbench.envs.minihack.minihack_env import MiniHackEnv
from ictbench.submissions.episode_records import RUN_DIGITS, EpisodeRecord, evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.submissions.episode_records import Evidence

Plain = dict[str, Any]


@pytest.fixture(scope="module")
def env() -> Iterator[MiniHackEnv]:
    made = MiniHackEnv()
    yield made
    made.close()


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return evidence_of_run(small_run())


@pytest.fixture(scope="module")
def solved(evidence: Evidence) -> EpisodeRecord:
    """A solved episode with further keys."""
    return next(
        record
        for record in evidence.episodes()
        if record.trajectory.end == "solved" and any(step.keys for step in record.trajectory.steps)
    )


def test_an_episode_comes_out_as_recorded_however_short_its_hashes(env: MiniHackEnv, solved: EpisodeRecord) -> None:
    assert play_back(env, solved.task, solved, RUN_DIGITS) is None
    plain = solved.model_dump()
    for step in plain["trajectory"]["steps"]:
        step["digest"] = step["digest"][:8]
    plain["trajectory"]["last_digest"] = plain["trajectory"]["last_digest"][:8]
    assert play_back(env, solved.task, EpisodeRecord.model_validate(plain), 8) is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_a_record_is_found(
    env: MiniHackEnv, evidence: Evidence, solved: EpisodeRecord, data: st.DataObject
) -> None:
    plain = solved.model_dump(mode="json")
    place = data.draw(st.sampled_from([place for place in places(plain) if not said_only(place)]))
    change(plain, place)
    try:
        record = EpisodeRecord.model_validate(plain)
    except ValidationError:
        return
    assert [*faults(record, solved.task, evidence, SUITE)] or play_back(env, solved.task, record, RUN_DIGITS)


def said_only(place: Place) -> bool:
    """What no game shows: thoughts; and what a model cost, which the sums of the result are held against."""
    return place[0] == "usage" or place[-1] == "thought"


def wrong_digest(trajectory: Plain) -> None:
    trajectory["steps"][1]["digest"] = "0" * 16


def wrong_last_digest(trajectory: Plain) -> None:
    trajectory["last_digest"] = "0" * 16


def foreign_action(trajectory: Plain) -> None:
    trajectory["steps"][0].update(executed="teleport", proposed="teleport")


def other_action(trajectory: Plain) -> None:
    """One that is available, and leads elsewhere."""
    step = trajectory["steps"][0]
    step["executed"] = step["proposed"] = "wear" if step["executed"] != "wear" else "zap"


def really_available(trajectory: Plain) -> None:
    step = trajectory["steps"][0]
    step.update(executed=None, proposed=f" {step['executed'].upper()} ", keys=[], reward=0.0)


def better_reward(trajectory: Plain) -> None:
    trajectory["steps"][-1]["reward"] = 1.0


def no_keys(trajectory: Plain) -> None:
    next(step for step in trajectory["steps"] if step["keys"])["keys"] = []


def died(trajectory: Plain) -> None:
    trajectory["end"] = "died"


def gave_up(trajectory: Plain) -> None:
    trajectory.update(end="failed", failure="refused")


def went_on(trajectory: Plain) -> None:
    step = copy.deepcopy(trajectory["steps"][-1])
    step["digest"] = trajectory["last_digest"]
    trajectory["steps"].append(step)


def stopped_before(trajectory: Plain) -> None:
    last = trajectory["steps"].pop()
    trajectory["last_digest"] = last["digest"]


@pytest.mark.parametrize(
    ("edit", "aspect", "words"),
    [
        (wrong_digest, "observations", "decision 2 is taken on "),
        (wrong_last_digest, "observations", "the last one is "),
        (foreign_action, "actions", "decision 1: 'teleport' is not available"),
        (other_action, "rewards observations", ""),
        (really_available, "actions", "and None was executed"),
        (better_reward, "rewards", ", gives 0.99 by keys "),
        (no_keys, "rewards", "by keys ('y',), not "),
        (died, "ends", "it ends as solved, not as died"),
        (gave_up, "ends", "it ends as solved, not as failed"),
        (went_on, "ends", "the game is solved before decision "),
        (stopped_before, "ends", "it ends as not over, not as solved"),
    ],
)
def test_the_first_difference_is_told(
    env: MiniHackEnv, solved: EpisodeRecord, edit: Callable[[Plain], None], aspect: str, words: str
) -> None:
    plain = solved.model_dump(mode="json")
    edit(plain["trajectory"])
    found = play_back(env, solved.task, EpisodeRecord.model_validate(plain), RUN_DIGITS)
    assert found is not None
    assert (found.key, found.aspect in aspect.split(), words in found.what) == (solved.key, True, True), found


def test_a_proposal_that_was_cut_is_not_judged(env: MiniHackEnv, evidence: Evidence) -> None:
    record = next(iter(evidence.episodes()))
    plain = record.model_dump(mode="json")
    del plain["trajectory"]["steps"][1:]
    first = plain["trajectory"]["steps"][0]
    first.update(executed=None, keys=[], reward=0.0, proposed="step n" + " " * 194)
    plain["trajectory"].update(last_digest=first["digest"], end="failed", failure="refused")
    assert play_back(env, record.task, EpisodeRecord.model_validate(plain), RUN_DIGITS) is None
    first["proposed"] = "step n"
    assert play_back(env, record.task, EpisodeRecord.model_validate(plain), RUN_DIGITS) is not None

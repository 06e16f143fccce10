"""A replay finds every change of a record that the checks of the data do not find."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from small_run import SUITE, Place, change, places, small_run

from ictbench.audit.record_checks import record_problems
from ictbench.audit.replay_actor import ReplayActor
from ictbench.audit.replay_episode import first_mismatch, replay_spec
from ictbench.envs.minihack.minihack_env import MiniHackEnv
from ictbench.rollout.episode import play_episode
from ictbench.submissions.episode_records import RUN_DIGITS, EpisodeRecord, evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.audit.replay_episode import Mismatch
    from ictbench.submissions.episode_records import Evidence

T = TypeVar("T")
Json = dict[str, Any]


@pytest.fixture(scope="module")
def env() -> Iterator[MiniHackEnv]:
    env = MiniHackEnv()
    yield env
    env.close()


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return evidence_of_run(small_run())


@pytest.fixture(scope="module")
def solved(evidence: Evidence) -> EpisodeRecord:
    """A solved episode in which a decision took further key presses."""
    return next(
        record
        for record in evidence.episodes()
        if record.trajectory.end == "solved" and any(step.keys for step in record.trajectory.steps)
    )


def replay_in(env: MiniHackEnv, record: EpisodeRecord, digits: int = RUN_DIGITS) -> Mismatch | None:
    async def call(function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    spec = replay_spec(record, record.task)
    return first_mismatch(record, asyncio.run(play_episode(spec, env, ReplayActor(), call)), digits)


def test_unchanged_record_matches_whatever_the_length_of_its_hashes(env: MiniHackEnv, solved: EpisodeRecord) -> None:
    assert replay_in(env, solved) is None
    content = solved.model_dump()
    for step in content["trajectory"]["steps"]:
        step["digest"] = step["digest"][:8]
    content["trajectory"]["last_digest"] = content["trajectory"]["last_digest"][:8]
    content["start"] = content["start"][:8]
    assert replay_in(env, EpisodeRecord.model_validate(content), digits=8) is None


@pytest.mark.parametrize(("start", "recorded"), [("", "none, as older versions"), ("0" * 16, f"'{'0' * 16}'")])
def test_replay_finds_another_start(env: MiniHackEnv, solved: EpisodeRecord, start: str, recorded: str) -> None:
    mismatch = replay_in(env, solved.model_copy(update={"start": start}))
    assert mismatch is not None
    assert mismatch.aspect == "observations"
    assert f"its start has the hash '{solved.start}', the record {recorded}" in mismatch.detail


def test_replay_finds_progress_that_the_world_does_not_report(env: MiniHackEnv, solved: EpisodeRecord) -> None:
    mismatch = replay_in(env, solved.model_copy(update={"progress": 1.0}))
    assert mismatch is not None
    assert (mismatch.aspect, mismatch.detail) == ("ends", "its progress is None, not 1.0")


def test_a_solved_record_claims_full_progress_or_none(evidence: Evidence, solved: EpisodeRecord) -> None:
    claims = {1.0: [], None: [], 0.5: ["it is solved, but its progress is 0.5"]}
    for progress, problems in claims.items():
        record = solved.model_copy(update={"progress": progress})
        assert [*record_problems(record, solved.task, evidence, SUITE)] == problems


def test_replay_returns_no_texts(env: MiniHackEnv, solved: EpisodeRecord) -> None:
    spec = replay_spec(solved, solved.task)
    assert not spec.keep_texts
    assert spec.max_steps == len(solved.trajectory.steps)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_change_of_a_record_is_found(
    env: MiniHackEnv, evidence: Evidence, solved: EpisodeRecord, data: st.DataObject
) -> None:
    content = solved.model_dump(mode="json")
    place = data.draw(st.sampled_from([place for place in places(content) if not is_unverifiable(place)]))
    change(content, place)
    try:
        record = EpisodeRecord.model_validate(content)
    except ValidationError:
        return
    assert [*record_problems(record, solved.task, evidence, SUITE)] or replay_in(
        env, record.model_copy(update={"task": solved.task})
    )


def is_unverifiable(place: Place) -> bool:
    """Whether no replay can verify a value: thoughts, and usage, which the sums of the result are compared with."""
    return place[0] == "usage" or place[-1] == "thought"


def change_digest(trajectory: Json) -> None:
    trajectory["steps"][1]["digest"] = "0" * 16


def change_last_digest(trajectory: Json) -> None:
    trajectory["last_digest"] = "0" * 16


def execute_unavailable_action(trajectory: Json) -> None:
    trajectory["steps"][0].update(executed="teleport", proposed="teleport")


def execute_other_action(trajectory: Json) -> None:
    """Replace an action by another one that is available."""
    step = trajectory["steps"][0]
    step["executed"] = step["proposed"] = "wear" if step["executed"] != "wear" else "zap"


def call_valid_action_invalid(trajectory: Json) -> None:
    step = trajectory["steps"][0]
    step.update(executed=None, proposed=f" {step['executed'].upper()} ", keys=[], reward=0.0)


def raise_reward(trajectory: Json) -> None:
    trajectory["steps"][-1]["reward"] = 1.0


def drop_keys(trajectory: Json) -> None:
    next(step for step in trajectory["steps"] if step["keys"])["keys"] = []


def end_as_died(trajectory: Json) -> None:
    trajectory["end"] = "died"


def end_as_failed(trajectory: Json) -> None:
    trajectory.update(end="failed", failure="refused")


def add_step_after_end(trajectory: Json) -> None:
    step = copy.deepcopy(trajectory["steps"][-1])
    step["digest"] = trajectory["last_digest"]
    trajectory["steps"].append(step)


def drop_last_step(trajectory: Json) -> None:
    last = trajectory["steps"].pop()
    trajectory["last_digest"] = last["digest"]


@pytest.mark.parametrize(
    ("edit", "aspects", "detail"),
    [
        (change_digest, "observations", "decision 2 is taken on "),
        (change_last_digest, "observations", "the last one is "),
        (execute_unavailable_action, "actions", "decision 1: 'teleport' is not available"),
        (execute_other_action, "rewards observations", ""),
        (call_valid_action_invalid, "actions", "and None was executed"),
        (raise_reward, "rewards", ", gives 0.99 by keys "),
        (drop_keys, "rewards", "by keys ('y',), not "),
        (end_as_died, "ends", "it ends as solved, not as died"),
        (end_as_failed, "ends", "it ends as solved, not as failed"),
        (add_step_after_end, "ends", "the game is solved before decision "),
        (drop_last_step, "ends", "it ends as not over, not as solved"),
    ],
)
def test_first_mismatch_names_aspect_place_and_values(
    env: MiniHackEnv, solved: EpisodeRecord, edit: Callable[[Json], None], aspects: str, detail: str
) -> None:
    content = solved.model_dump(mode="json")
    edit(content["trajectory"])
    mismatch = replay_in(env, EpisodeRecord.model_validate(content))
    assert mismatch is not None
    assert mismatch.key == solved.key
    assert mismatch.aspect in aspects.split()
    assert detail in mismatch.detail


def test_invalid_proposal_is_replayed_as_the_same_invalid_decision(env: MiniHackEnv, solved: EpisodeRecord) -> None:
    content = solved.model_dump(mode="json")
    first = content["trajectory"]["steps"][0]
    invalid = {**first, "executed": None, "keys": [], "reward": 0.0}
    content["trajectory"]["steps"][:0] = [{**invalid, "proposed": "dance"}, {**invalid, "proposed": None}]
    assert replay_in(env, EpisodeRecord.model_validate(content)) is None


def test_truncated_proposal_is_not_judged(env: MiniHackEnv, evidence: Evidence) -> None:
    record = next(iter(evidence.episodes()))
    content = record.model_dump(mode="json")
    del content["trajectory"]["steps"][1:]
    first = content["trajectory"]["steps"][0]
    first.update(executed=None, keys=[], reward=0.0, proposed="step n" + " " * 194)
    content["trajectory"].update(last_digest=first["digest"], end="failed", failure="refused")
    assert replay_in(env, EpisodeRecord.model_validate(content)) is None
    first["proposed"] = "step n"
    assert replay_in(env, EpisodeRecord.model_validate(content)) is not None

"""Progress beside success: where every test episode has it, with the same intervals, and from the records only."""

from __future__ import annotations

import asyncio
import copy
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pytest
from finished import episodes_of, loop
from hypothesis import given
from hypothesis import strategies as st
from progress_run import OPTIONS, SUITE, progress_run
from small_run import small_run

import ictbench
from ictbench.audit.recompute import recompute
from ictbench.audit.replay_actor import ReplayActor
from ictbench.audit.replay_episode import first_mismatch, replay_spec
from ictbench.envs.babyai.babyai_env import BabyAIEnv
from ictbench.protocol import keys_for
from ictbench.results import Result
from ictbench.results.assemble import family_result, role_measures
from ictbench.results.measures import measure
from ictbench.results.schema_checks import contradictions
from ictbench.results.tables import tables
from ictbench.results.task_progress import progress_of, with_progress
from ictbench.rollout.episode import play_episode
from ictbench.runs import LoopPlayer
from ictbench.submissions.episode_records import RUN_DIGITS, EpisodeRecord, Evidence, evidence_of_run
from ictbench.suites import Family

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.audit.replay_episode import Mismatch
    from ictbench.protocol import LoopResult
    from ictbench.results.schema import ProgressMeasures

Json = dict[str, Any]
T = TypeVar("T")


def measured(base: list[float], best: list[float], *, index: int = 0, family: str = "read") -> LoopResult:
    """Return a loop whose test episodes have this progress under prompt[0] and under prompt[1], the best one."""
    outcomes = {place: "".join("1" if value == 1 else "0" for value in row) for place, row in enumerate((base, best))}
    one = loop(["0", "1"], outcomes, best=1, index=index, family=family)
    episodes = episodes_of(one)
    for place, row in enumerate((base, best)):
        for key, value in zip(keys_for(one, "test", place), row, strict=True):
            episodes[key] = episodes[key].model_copy(update={"progress": value})
    return with_progress(one, lambda key: episodes[key].progress)


def progress(*families: tuple[LoopResult, ...]) -> ProgressMeasures | None:
    return measure(families).progress


def test_progress_of_a_loop_is_the_mean_over_its_test_episodes() -> None:
    one = measured([0.0, 0.5, 0.25, 0.25], [1.0, 0.5, 0.5, 1.0])
    assert one.progress == {0: (0.0, 0.5, 0.25, 0.25), 1: (1.0, 0.5, 0.5, 1.0)}
    assert progress_of(one) == (0.25, 0.75, 0.75)
    measures = progress((one,))
    assert measures is not None
    assert [interval.value for _, interval in measures] == [0.25, 0.75, 0.75, 0.5]
    assert measures.best.low is None  # one loop


VALUES = st.lists(st.lists(st.sampled_from([0.0, 1 / 3, 0.5, 1.0]), min_size=4, max_size=4), min_size=6, max_size=6)


@given(VALUES)
def test_progress_of_0_and_1_has_the_intervals_of_success(rows: list[list[float]]) -> None:
    binary = [[float(value == 1) for value in row] for row in rows]
    loops = tuple(measured(*binary[place : place + 2], index=place // 2) for place in (0, 2, 4))
    measures = measure([loops])
    assert measures.progress is not None
    for name, interval in measures.progress:
        assert interval == getattr(measures, name)


@given(VALUES)
def test_progress_is_at_least_success_and_its_interval_holds_it(rows: list[list[float]]) -> None:
    loops = tuple(measured(*rows[place : place + 2], index=place // 2) for place in (0, 2, 4))
    measures = measure([loops])
    assert measures.progress is not None
    values = np.array(rows).reshape(3, 2, 4)
    assert measures.progress.base.value == pytest.approx(values[:, 0].mean())
    assert measures.progress.best.value == pytest.approx(values[:, 1].mean())
    assert measures.progress.gain.value == pytest.approx((values[:, 1] - values[:, 0]).mean())
    for name in ("base", "best", "last"):
        level = getattr(measures.progress, name)
        assert level.value >= getattr(measures, name).value - 1e-9
        assert 0 <= level.low <= level.value <= level.high <= 1


def test_a_mean_needs_the_progress_of_all_families() -> None:
    known = measured([0.5, 0.0], [1.0, 0.5])
    other = measured([0.0, 0.0], [0.5, 1.0], family="zap")
    unknown = loop(["0", "1"], {0: "00", 1: "01"}, best=1, family="eat")
    measures = progress((known,), (other,))
    assert measures is not None
    assert (measures.base.value, measures.best.value) == (0.125, 0.75)
    assert progress((known,), (unknown,)) is None
    families = [
        family_result(one.prompts[0].text, Family(role="held-out"), [one], episodes_of(one))
        for one in (unknown, unknown)
    ]
    assert role_measures(families)["held-out"].progress is None


def test_one_test_episode_without_progress_leaves_none() -> None:
    one = measured([0.5, 0.0], [1.0, 0.5])
    episodes = episodes_of(one)
    for place in (0, 1):
        for key in keys_for(one, "test", place):
            episodes[key] = episodes[key].model_copy(update={"progress": 0.5})
    assert with_progress(one, lambda key: episodes[key].progress).progress == {0: (0.5, 0.5), 1: (0.5, 0.5)}
    key = keys_for(one, "test", 1)[1]
    episodes[key] = episodes[key].model_copy(update={"progress": None})
    assert with_progress(one, lambda key: episodes[key].progress).progress == {}


def test_repeats_of_a_task_count_as_one_task() -> None:
    run = progress_run()
    (family,) = run.result.families
    assert family.measures is not None
    assert family.measures.progress is not None
    tasks = [np.array(one.progress[0]).reshape(6, 2).mean(axis=-1) for one in family.loops]
    assert family.measures.progress.base.value == pytest.approx(np.mean(tasks))
    assert family.measures.progress.base.value > family.measures.base.value


def test_a_result_keeps_its_progress_in_files_tables_and_exports() -> None:
    run = progress_run()
    again = ictbench.load_run(run.folder)
    assert again.result == run.result
    assert again.result.families[0].measures == run.result.families[0].measures
    rows = tables(run.result)
    measures = run.result.by_role["held-out"].progress
    assert measures is not None
    row = rows["roles"].set_index("role").loc["held-out"]
    assert (row["progress_best"], row["progress_best_high"]) == (measures.best.value, measures.best.high)
    loops = rows["loops"]["progress_base"]
    assert loops.mean() == pytest.approx(measures.base.value)
    curves = rows["curves"]
    assert curves[curves["prompt"] == 0]["test_progress"].tolist() == loops.tolist()
    assert run.results()["progress_base"].tolist() == loops.tolist()
    played = run.episodes()
    assert set(played["progress"]) <= {0.0, 0.5, 1.0}
    assert (played[played["solved"]]["progress"] == 1).all()


def test_a_world_that_does_not_measure_progress_shows_none() -> None:
    result = ictbench.load_run(small_run()).result
    plain = result.to_json()
    assert "progress" not in plain
    assert not [column for table in tables(result).values() for column in table if "progress" in str(column)]


def altered(
    result: Callable[[Json], object] = lambda result: None,
    records: Callable[[list[Json]], object] = lambda records: None,
) -> Evidence:
    evidence = evidence_of_run(progress_run().folder)
    result_json = evidence.result.model_dump(mode="json", by_alias=True)
    records_json = [record.model_dump(mode="json") for record in evidence.episodes()]
    result(result_json)
    records(records_json)
    edited = [EpisodeRecord.model_validate(record) for record in records_json]
    return Evidence(Result.model_validate(result_json), lambda: iter(edited), RUN_DIGITS)


def failed(evidence: Evidence) -> dict[str, str]:
    return {check.name: check.detail for check in recompute(evidence, SUITE) if check.verdict == "failed"}


def first_loop(result: Json) -> Json:
    return result["families"][0]["loops"][0]  # type: ignore[no-any-return]


def raise_progress(result: Json) -> None:
    first_loop(result)["progress"]["0"][0] = 0.75


def raise_mean(result: Json) -> None:
    result["by_role"]["held-out"]["progress"]["best"]["value"] = 0.9


def raise_measure(result: Json) -> None:
    result["families"][0]["measures"]["progress"]["gain"]["high"] = 1.0


def drop_progress(result: Json) -> None:
    for one in result["families"][0]["loops"]:
        del one["progress"]


def drop_one(result: Json) -> None:
    del first_loop(result)["progress"]["1"]


def shorten(result: Json) -> None:
    first_loop(result)["progress"]["0"].pop()


@pytest.mark.parametrize(
    ("forge", "check", "reason"),
    [
        (raise_progress, "outcomes", "two-doors: loops[0].progress.0[0] is 0.75"),
        (raise_mean, "means", "held-out.progress.best.value is 0.9"),
        (raise_measure, "measures", "two-doors: measures.progress.gain.high is 1.0"),
        (drop_progress, "outcomes", "two-doors: loops[0].progress"),
        (drop_one, "agreement", "prompt[1] has either progress or a test, not both"),
        (shorten, "agreement", "progress of 11 test episodes of prompt[0], not of 12"),
    ],
)
def test_forged_progress_in_a_result_is_found(forge: Callable[[Json], None], check: str, reason: str) -> None:
    assert reason in failed(altered(result=forge))[check]


def test_progress_below_1_in_a_solved_episode_is_a_contradiction() -> None:
    result = copy.deepcopy(evidence_of_run(progress_run().folder).result.model_dump(mode="json", by_alias=True))
    one = first_loop(result)
    one["test"]["0"] = "1" + one["test"]["0"][1:]
    assert "progress of prompt[0] is below 1 in a solved episode" in "\n".join(
        contradictions(Result.model_validate(result))
    )


def test_an_honest_run_passes_and_its_progress_is_replayed() -> None:
    verification = ictbench.verify(progress_run().folder, executor="inline")
    assert verification.passed


def test_progress_of_records_is_that_of_the_result() -> None:
    def raise_first(records: list[Json]) -> None:
        test = {task for one in progress_run().result.families[0].loops for task in one.test_tasks}
        next(record for record in records if record["task"]["id"] in test)["progress"] = 0.75

    assert "progress" in failed(altered(records=raise_first))["outcomes"]


def test_a_run_of_a_version_that_recorded_no_progress_is_still_valid() -> None:
    def forget_result(result: Json) -> None:
        drop_progress(result)
        for measures in (result["families"][0]["measures"], *result["by_role"].values()):
            del measures["progress"]

    def forget(records: list[Json]) -> None:
        for record in records:
            del record["progress"]

    assert failed(altered(result=forget_result, records=forget)) == {}


@pytest.mark.parametrize("claimed", [0.5, 1.0])
def test_a_replay_finds_progress_that_was_not_made(claimed: float) -> None:
    """Of an unsolved episode: a solved one must claim 1."""
    (record,) = [*islice((r for r in evidence_of_run(progress_run().folder).episodes() if r.progress == 0), 1)]

    async def call(function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    def mismatch(progress: float | None) -> Mismatch | None:
        forged = record.model_copy(update={"progress": progress})
        with closing(BabyAIEnv()) as env:
            replayed = asyncio.run(play_episode(replay_spec(forged, record.task), env, ReplayActor(), call))
        return first_mismatch(forged, replayed, RUN_DIGITS)

    assert mismatch(0.0) is None
    assert mismatch(None) is None  # recorded by a version that knew no progress
    found = mismatch(claimed)
    assert found is not None
    assert (found.aspect, found.detail) == ("ends", f"its progress is 0.0, not {claimed}")


def test_a_loop_that_another_program_learns_has_the_progress_of_a_run() -> None:
    names = ("turns", "batch_size", "selection_size", "test_size", "max_steps")
    sizes: dict[str, Any] = {name: OPTIONS[name] for name in names}
    with LoopPlayer(OPTIONS["suite"], "two-doors", actor="random", **sizes) as player:
        rollout = player.start("two-doors", 0)
        rollout.stop()
        played = rollout.result()
    # The run plays each task twice, its repeats side by side.
    assert played.progress[0] == progress_run().result.families[0].loops[0].progress[0][::2]
    assert any(played.progress[0])

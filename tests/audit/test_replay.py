"""Recorded episodes replayed on the workers of a run: all families match, and broken environments are reported."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from faulty_plugins import spec
from hypothesis import given
from hypothesis import strategies as st
from small_run import SUITE, altered, evidence_of, small_run, verdicts

import ictbench
from ictbench.audit.replay import MAX_MISMATCHES, draw_sample, replay
from ictbench.audit.result_checks import make_plans
from ictbench.errors import WorkerError
from ictbench.rollout import EpisodeWorker
from ictbench.runs.options import Options
from ictbench.submissions.episode_records import EpisodeRecord, evidence_of_run
from ictbench.submissions.shown_episodes import NOT_RECORDED

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.audit.replay import Replay
    from ictbench.records import Task
    from ictbench.submissions.episode_records import Evidence

ALL_PASS = dict.fromkeys(("played", "observations", "actions", "rewards", "ends", "versions"), "passed")


def replay_all(
    evidence: Evidence, suite: ictbench.Suite = SUITE, options: Options | None = None, **arguments: Any
) -> Replay:
    tasks = {task.id: task for plan in make_plans(evidence.result, suite).values() for task in plan.tasks}
    return replay(evidence, tasks, options or Options(workers=2), **arguments)


def test_all_families_of_minihack_match_their_records(tmp_path: Path) -> None:
    run = ictbench.run(
        suite="minihack-v1", loops=1, turns=2, batch_size=2, selection_size=2, test_size=3, out=tmp_path / "run"
    )
    counts: list[int] = []
    outcome = replay_all(evidence_of_run(run.folder), on_played=counts.append)
    assert verdicts(outcome.checks) == ALL_PASS
    records = list(evidence_of_run(run.folder).episodes())
    assert sum(counts) == outcome.episodes == len(records)
    assert outcome.decisions == sum(len(record.trajectory.steps) for record in records)
    assert len({record.task.family for record in records}) == 8


def test_all_families_of_generated_alfworld_match_their_records(tmp_path: Path) -> None:
    suite = ictbench.load_suite("alfworld-procgen-v1")
    run = ictbench.run(
        suite=suite.name, loops=1, turns=1, batch_size=1, selection_size=1, test_size=1, out=tmp_path / "run"
    )
    outcome = replay_all(evidence_of_run(run.folder), suite)
    assert verdicts(outcome.checks) == ALL_PASS
    assert len({record.task.family for record in evidence_of_run(run.folder).episodes()}) == 6


def test_inline_executor_replays_in_this_process() -> None:
    evidence = evidence_of_run(small_run())
    outcome = replay_all(evidence, options=Options(executor="inline"))
    assert verdicts(outcome.checks) == ALL_PASS
    assert outcome.episodes == len(list(evidence.episodes()))


@pytest.mark.parametrize("executor", ["process", "inline"])
def test_replay_stops_after_enough_mismatches_and_reports_the_first(executor: Any) -> None:
    def edit(records: list[dict[str, Any]]) -> None:
        for record in records:
            record["trajectory"]["last_digest"] = "0" * 16

    evidence = altered(records=edit)
    outcome = replay_all(evidence, options=Options(executor=executor, workers=1))
    (check,) = [check for check in outcome.checks if check.verdict == "failed"]
    assert check.name == "observations"
    assert check.detail.startswith(next(iter(evidence.episodes())).key)
    assert check.detail.endswith(f"(and {MAX_MISMATCHES - 1} more)")
    assert outcome.episodes == MAX_MISMATCHES


def test_only_the_sample_is_replayed() -> None:
    keys = [record.key for record in evidence_of_run(small_run()).episodes()]
    outcome = replay_all(evidence_of_run(small_run()), sample=set(keys[::7]))
    assert outcome.episodes == len(keys[::7])


def test_task_of_the_suite_is_replayed_and_not_the_one_in_the_record() -> None:
    def edit(records: list[dict[str, Any]]) -> None:
        for record in records:
            record["task"].update(env="no.such:Thing", params={})

    assert verdicts(replay_all(altered(records=edit)).checks) == ALL_PASS


def trail(**params: dict[str, Any]) -> tuple[Evidence, dict[str, Task]]:
    """Return honest records of episodes on a trail, by name, with tasks that have these parameters in the replay."""
    worker = EpisodeWorker()

    async def play() -> list[EpisodeRecord]:
        episodes = [await worker.play(spec(name, "ComputedWalker")) for name in params]
        await worker.aclose()
        return [EpisodeRecord.model_validate(episode.model_dump(exclude=NOT_RECORDED)) for episode in episodes]

    records = asyncio.run(play())
    result = evidence_of_run(small_run()).result
    return evidence_of(result, records), {name: spec(name, **params[name]).task for name in params}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("exit", "the environment crashed, or took longer than 2 s"),
        ("segfault", "the environment crashed, or took longer than 2 s"),
        ("sleep", "the environment crashed, or took longer than 2 s"),
        ("sleep without releasing the GIL", "the environment crashed, or took longer than 2 s"),
        ("EnvError", "the environment broke: EnvError: a bear"),
        (
            "bug",
            "the environment broke: environment faulty_plugins:TrailEnv, step of task bad: ZeroDivisionError: a bug",
        ),
    ],
)
def test_environment_that_breaks_is_reported_and_does_not_block_the_replay(fault: str, reason: str) -> None:
    evidence, tasks = trail(good={}, bad={"fault": fault}, better={})
    outcome = replay(evidence, tasks, Options(workers=1, env_timeout=2.0))
    assert verdicts(outcome.checks) == {**ALL_PASS, "played": "failed"}
    (key,) = [record.key for record in evidence.episodes() if record.task.id == "bad"]
    # The file and line of a bug follow in brackets.
    assert outcome.checks[0].detail.partition(" (")[0] == f"{key}: {reason}"


def test_worker_that_dies_once_costs_no_episode(tmp_path: Path) -> None:
    evidence, tasks = trail(good={}, unlucky={"fault": "exit", "once": str(tmp_path / "once")}, better={})
    outcome = replay(evidence, tasks, Options(workers=2, env_timeout=10.0))
    assert verdicts(outcome.checks) == ALL_PASS
    assert outcome.episodes == 3


def test_worker_that_cannot_start_is_an_error_and_not_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence, tasks = trail(good={})
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerError, match="No such file"):
        replay(evidence, tasks, Options(workers=1))


def test_calling_program_needs_no_main_guard(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import ictbench\nprint(ictbench.verify({str(small_run())!r}, sample=4).passed)\n")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


keys = st.sets(st.text("abc@1", min_size=1, max_size=6), max_size=20)


@given(keys, st.integers(1, 8), st.text(max_size=3))
def test_sample_has_the_requested_size_and_depends_only_on_keys_and_seed(
    population: set[str], count: int, seed: str
) -> None:
    drawn = draw_sample(sorted(population), count, seed)
    assert drawn <= population
    assert len(drawn) == min(count, len(population))
    assert drawn == draw_sample(sorted(population, reverse=True), count, seed)


def test_every_key_is_drawn_equally_often() -> None:
    population = [f"key-{number}" for number in range(10)]
    drawn = itertools.chain.from_iterable(draw_sample(population, 3, str(seed)) for seed in range(1000))
    counts = [0] * 10
    for key in drawn:
        counts[int(key[-1])] += 1
    assert min(counts) > 250
    assert max(counts) < 350

"""Recorded episodes are played in worker processes; all families come out as recorded, and broken games are told."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_run import SUITE, altered, evidence_of, small_run, verdicts
from unruly import spec

import ictbench
from ictbench.audit.replay import CHUNK_EPISODES, ENOUGH, draw, replay
from ictbench.audit.result_checks import make_plans
from ictbench.rollout import EpisodeWorker
from ictbench.submissions.episode_records import EpisodeRecord, evidence_of_run

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.audit.replay import Replay
    from ictbench.records import Task
    from ictbench.submissions.episode_records import Evidence

ALL_PASS = dict.fromkeys(("played", "observations", "actions", "rewards", "ends", "versions"), "passed")


def played_again(evidence: Evidence, suite: ictbench.Suite = SUITE, **options: Any) -> Replay:
    tasks = {task.id: task for plan in make_plans(evidence.result, suite).values() for task in plan.tasks}
    return replay(evidence, tasks, **{"chosen": None, "workers": 2, "patience": 60.0, **options})


def test_all_families_of_minihack_come_out_as_recorded(tmp_path: Path) -> None:
    run = ictbench.run(
        suite="minihack-v1", loops=1, turns=2, batch_size=2, selection_size=2, test_size=3, out=tmp_path / "run"
    )
    counted: list[int] = []
    found = played_again(evidence_of_run(run.folder), on_played=counted.append)
    assert verdicts(found.checks) == ALL_PASS
    records = list(evidence_of_run(run.folder).episodes())
    assert sum(counted) == found.episodes == len(records)
    assert found.decisions == sum(len(record.trajectory.steps) for record in records)
    assert len({record.task.family for record in records}) == 8


def test_all_families_of_generated_alfworld_come_out_as_recorded(tmp_path: Path) -> None:
    suite = ictbench.load_suite("alfworld-procgen-v1")
    run = ictbench.run(
        suite=suite.name, loops=1, turns=1, batch_size=1, selection_size=1, test_size=1, out=tmp_path / "run"
    )
    found = played_again(evidence_of_run(run.folder), suite)
    assert verdicts(found.checks) == ALL_PASS
    assert len({record.task.family for record in evidence_of_run(run.folder).episodes()}) == 6


def test_of_many_differences_the_first_are_told_and_the_rest_is_not_played() -> None:
    def edit(records: list[dict[str, Any]]) -> None:
        for record in records:
            record["trajectory"]["last_digest"] = "0" * 16

    found = played_again(altered(records=edit), workers=1)
    (check,) = [check for check in found.checks if check.verdict == "failed"]
    assert check.name == "observations"
    assert check.detail.endswith("more)")
    assert ENOUGH <= found.episodes <= 2 * CHUNK_EPISODES


def test_what_a_record_says_of_its_task_is_not_what_is_played() -> None:
    def edit(records: list[dict[str, Any]]) -> None:
        for record in records:
            record["task"].update(env="no.such:Thing", params={})

    assert verdicts(played_again(altered(records=edit)).checks) == ALL_PASS


def trail(**params: dict[str, Any]) -> tuple[Evidence, dict[str, Task]]:
    """Episodes on a trail, by name, each with what happens when it is played again."""
    worker = EpisodeWorker()

    async def play() -> list[EpisodeRecord]:
        episodes = [await worker.play(spec(name, "Clockwork")) for name in params]
        await worker.aclose()
        dropped: Any = {"trajectory": {"steps": {"__all__": {"observation", "actions"}}, "last_observation": True}}
        return [EpisodeRecord.model_validate(episode.model_dump(exclude=dropped)) for episode in episodes]

    records = asyncio.run(play())
    result = evidence_of_run(small_run()).result
    return evidence_of(result, records), {name: spec(name, **params[name]).task for name in params}


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        ("exit", "the environment crashed, or took longer than 2 s"),
        ("segfault", "the environment crashed, or took longer than 2 s"),
        ("sleep", "the environment crashed, or took longer than 2 s"),
        ("sleep, and no other thread runs", "the environment crashed, or took longer than 2 s"),
        ("EnvError", "the environment broke: EnvError: a bear"),
        ("bug", "the environment broke: ZeroDivisionError: a bug"),
    ],
)
def test_a_game_that_breaks_is_told_and_hangs_nothing(happens: str, words: str) -> None:
    evidence, tasks = trail(good={}, bad={"happens": happens}, better={})
    found = replay(evidence, tasks, chosen=None, workers=1, patience=2.0)
    assert verdicts(found.checks) == {**ALL_PASS, "played": "failed"}
    (key,) = [record.key for record in evidence.episodes() if record.task.id == "bad"]
    assert found.checks[0].detail == f"{key}: {words}"


def test_a_worker_that_dies_once_takes_nobody_down(tmp_path: Path) -> None:
    evidence, tasks = trail(good={}, unlucky={"happens": "exit", "once": str(tmp_path / "once")}, better={})
    found = replay(evidence, tasks, chosen=None, workers=2, patience=10.0)
    assert verdicts(found.checks) == ALL_PASS
    assert found.episodes == 3


def test_a_program_that_calls_needs_no_guard(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import ictbench\nprint(ictbench.verify({str(small_run())!r}, sample=4).passed)\n")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


keys = st.sets(st.text("abc@1", min_size=1, max_size=6), max_size=20)


@given(keys, st.integers(1, 8), st.text(max_size=3))
def test_a_draw_is_of_that_many_and_the_same_again_in_any_order(among: set[str], count: int, seed: str) -> None:
    drawn = draw(sorted(among), count, seed)
    assert drawn <= among
    assert len(drawn) == min(count, len(among))
    assert drawn == draw(sorted(among, reverse=True), count, seed)


def test_every_key_has_its_chance() -> None:
    among = [f"key-{number}" for number in range(10)]
    drawn = itertools.chain.from_iterable(draw(among, 3, str(seed)) for seed in range(1000))
    counts = [0] * 10
    for key in drawn:
        counts[int(key[-1])] += 1
    assert min(counts) > 250
    assert max(counts) < 350

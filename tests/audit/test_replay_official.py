"""Replay of official ALFWorld games of all families; skipped if the games are not installed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from official_games import official_games_folder
from small_run import evidence_of, small_run, verdicts

import ictbench
from ictbench.audit.replay import replay
from ictbench.protocol import sampling_seed
from ictbench.records import EpisodeSpec, PluginSpec
from ictbench.rollout import EpisodeWorker
from ictbench.runs.options import Options
from ictbench.submissions.episode_records import EpisodeRecord, evidence_of_run
from ictbench.submissions.shown_episodes import NOT_RECORDED

if TYPE_CHECKING:
    import pytest

SUITE = ictbench.load_suite("alfworld-v1")


async def play(actor: str) -> list[EpisodeRecord]:
    """Play a selection and a test game of every family."""
    worker, records = EpisodeWorker(), []
    for family in SUITE.families:
        for pool in ("selection", "test"):
            (task,) = SUITE.scoring_tasks(pool, family, 0, 1)
            spec = EpisodeSpec(
                task=task,
                prompt=SUITE.prompt,
                actor=PluginSpec(label=actor, name=actor),
                max_steps=SUITE.limits.max_steps,
                seed=sampling_seed(SUITE.digest, task.id),
            )
            episode = await worker.play(spec)
            records.append(EpisodeRecord.model_validate(episode.model_dump(exclude=NOT_RECORDED)))
    await worker.aclose()
    return records


def test_official_games_match_their_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(official_games_folder()))
    records = [record for actor in ("rules", "solver") for record in asyncio.run(play(actor))]
    evidence = evidence_of(evidence_of_run(small_run()).result, records)
    outcome = replay(evidence, {record.task.id: record.task for record in records}, Options(workers=2))
    assert set(verdicts(outcome.checks).values()) == {"passed"}
    assert outcome.episodes == 2 * 2 * len(SUITE.families) == 24
    assert {record.trajectory.end for record in records} >= {"solved"}
    # The hash of the game file is one of the versions.
    other = records[0].model_copy(update={"versions": {**records[0].versions, "game.tw-pddl": "0" * 64}})
    changed = replay(evidence_of(evidence.result, [other]), {other.task.id: other.task}, Options(workers=1))
    assert [check.name for check in changed.checks if check.verdict == "failed"] == ["versions"]

"""The actor decides as in the episodes that this repository's board of minihack-v1 shows: its records stay valid."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from ictbench.actors import History
from ictbench.records import Episode
from ictbench.scripted.policy import RulesActor

SUBMISSIONS = Path(__file__).parents[2] / "leaderboards/minihack-v1/submissions"


@pytest.mark.parametrize("folder", sorted(SUBMISSIONS.iterdir()), ids=lambda folder: str(folder.name))
def test_recorded_decisions_are_made_again(folder: Path) -> None:
    result = json.loads((folder / "result.json").read_bytes())
    if result["actor"]["name"] != "rules":
        pytest.skip("played by another actor")
    loops = [loop for family in result["families"] for loop in family["loops"]]
    prompts = {prompt["digest"]: prompt["text"] for loop in loops for prompt in loop["prompts"]}
    with gzip.open(folder / "trajectories.jsonl.gz") as lines:
        episodes = [Episode.model_validate_json(line) for line in lines]
    assert episodes
    for episode in episodes:
        steps = episode.trajectory.steps
        for index, step in enumerate(steps):
            history = History(steps[:index], step.observation, step.actions, result["max_steps"])
            decision = asyncio.run(RulesActor().act(prompts[episode.prompt], history, episode.seed))
            assert decision.action == step.executed

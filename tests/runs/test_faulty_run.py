"""Run against an endpoint with faults of every kind."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.errors import EndpointDownError
from ictbench.testing import Faults, Reply, ScriptedServer, react_policy

if TYPE_CHECKING:
    from pathlib import Path

PLAY = react_policy(lambda prompt, observation, actions: random.Random(observation + prompt).choice(actions))


def answer(body: dict[str, Any]) -> str | Reply:
    """Play at random, with equal answers to equal questions; reflect by counting words."""
    last = str(body["messages"][-1]["content"])
    if "IMPROVED PROMPT:" in last:
        return f"ANALYSIS:\nNothing.\nIMPROVED PROMPT:\nWalk about. {len(last.split())}"
    return PLAY(body)


def options(server: ScriptedServer) -> dict[str, Any]:
    return {
        "families": "room-random",
        "turns": 2,
        "batch_size": 3,
        "loops": 3,
        "selection_size": 4,
        "test_size": 6,
        "max_steps": 8,
        "reflector": "openai/scripted",
        "reflector_base_url": server.url,
        "request_timeout": 1.0,
        "outage_pause": 0.05,
    }


def outcomes(run: ictbench.Run) -> list[Any]:
    return [loop.model_dump() for family in run.result.families for loop in family.loops]


def test_a_run_with_all_faults_at_once_finishes_and_loses_nothing(tmp_path: Path) -> None:
    with ScriptedServer(answer, model="scripted") as server:
        clean = ictbench.run(**options(server), out=tmp_path / "clean")
    assert clean.result.complete
    faults = Faults.mixed(transient=0.1, fatal=0.002, seed=3)
    with ScriptedServer(answer, model="scripted", faults=faults) as server:
        faulty = ictbench.run(**options(server), out=tmp_path / "faulty")
        met = server.stats()["faults"]
        assert len(met) >= 8
        assert sum(met.values()) > 0.08 * server.requests
        # Where a retry succeeded, the episode equals that of a run without faults.
        for key in set(faulty.episode_keys()) & set(clean.episode_keys()):
            one, other = faulty.episode(key).trajectory, clean.episode(key).trajectory
            assert one == other or one.end == "failed"
        # Continued, with the failed episodes played again, the run ends in the same result.
        for _ in range(6):
            kinds = ["context_overflow", "empty", "bad_request"]
            faulty = ictbench.run(**options(server), retry_failed=kinds, out=tmp_path / "faulty")
            if faulty.result.complete and outcomes(faulty) == outcomes(clean):
                break
    assert faulty.result.complete
    assert outcomes(faulty) == outcomes(clean)


@pytest.mark.parametrize(("fault", "message"), [("unauthorized", "OPENAI_API_KEY"), ("wrong_model", "model name")])
def test_an_unknown_model_or_a_wrong_key_fails_before_any_episode(tmp_path: Path, fault: str, message: str) -> None:
    with ScriptedServer(answer, faults=Faults({fault: 1.0})) as server:
        with pytest.raises(EndpointDownError, match=message):
            ictbench.run(**options(server), out=tmp_path / "run")
        assert server.requests <= 2
    assert not (tmp_path / "run").exists(), "nothing was played"

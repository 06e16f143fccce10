"""Runs of controls on MiniHack: what is played for them, and how their results are labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rehearsals import REQUESTS

import ictbench
from ictbench.errors import PluginError
from ictbench.reflectors.controls.icl import PROMPT_CAP
from ictbench.results.notes import remarks
from ictbench.results.rows import EpisodeRow
from ictbench.testing import ScriptedServer, react_policy

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS: dict[str, Any] = {
    "env": "minihack",
    "families": "read",
    "loops": 1,
    "turns": 3,
    "batch_size": 2,
    "selection_size": 3,
    "test_size": 4,
    "executor": "inline",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    return ictbench.run(**OPTIONS, out=tmp_path_factory.mktemp("rules") / "run")


def played(run: ictbench.Run) -> list[tuple[str, ...]]:
    (loop,) = run.result.families[0].loops
    return [batch.tasks for batch in loop.batches]


def test_shuffled_reads_another_family_and_is_scored_on_its_own(plain: ictbench.Run, tmp_path: Path) -> None:
    run = ictbench.run(**OPTIONS, reflector="shuffled:rules", out=tmp_path / "run")
    other = ictbench.run(**OPTIONS | {"families": "puton"}, out=tmp_path / "other")
    assert played(run) == played(other)
    (loop,), (own,) = run.result.families[0].loops, plain.result.families[0].loops
    assert (loop.selection_tasks, loop.test_tasks) == (own.selection_tasks, own.test_tasks)
    # Each batch was played under the prompt of its turn.
    assert set(run.episode_keys("puton-")) == {
        f"{task}@{prompt.digest}"
        for prompt, batch in zip(loop.prompts, loop.batches, strict=False)
        for task in batch.tasks
    }
    assert run.result.control == "it learns from another family's episodes"
    arm = ictbench.compare(run.result, plain.result).arms[0]
    assert arm.over == {"shuffled": arm.means[0].difference}


def test_reflexion_plays_the_same_tasks_in_every_turn(plain: ictbench.Run, tmp_path: Path) -> None:
    run = ictbench.run(**OPTIONS, reflector="reflexion:rules", out=tmp_path / "run")
    first = played(plain)[0]
    assert played(run) == [first] * 3
    assert run.result.control == "it tries the same tasks in every turn, which is another protocol"
    tried = [row for row in run.rows("episodes") if isinstance(row, EpisodeRow) and row.task in first]
    assert sum(len(row.uses) for row in tried) == 3 * 2


@pytest.mark.parametrize("reflector", ["icl", "retrieval"])
def test_raw_trajectories_have_a_larger_prompt_cap(reflector: str, tmp_path: Path) -> None:
    options = OPTIONS | {"families": "room-random", "test_size": 2}
    result = ictbench.run(**options, reflector=reflector, actor="rules", out=tmp_path / "run").result
    assert result.prompt_bytes == PROMPT_CAP
    assert f"prompt_bytes {PROMPT_CAP} instead of 8000" in result.deviations
    (loop,) = result.families[0].loops
    shown = [prompt.text.count("Success: Yes") for prompt in loop.prompts]
    won = [batch.outcomes.count("1") for batch in loop.batches]
    assert sum(won) > 0
    assert shown == [0, won[0], sum(won[:2]), sum(won)]
    assert [prompt.failure for prompt in loop.prompts] == [None] * 4
    if reflector == "icl":
        assert [prompt.text.count("Success: ") for prompt in loop.prompts] == [0, 2, 4, 6]


def answer(body: dict[str, Any]) -> str:
    """Answer as the actor with the first action, and as the reflector with a new prompt for each request."""
    if "Available actions" in body["messages"][-1]["content"]:
        return str(react_policy(lambda prompt, observation, actions: actions[len(prompt) % len(actions)])(body))
    return f"```\nPlay well, try {len(body['messages'][-1]['content'])}.\n```"


def test_episodes_that_gepa_plays_itself_are_part_of_its_batch(tmp_path: Path) -> None:
    with ScriptedServer(answer, model="m") as server:
        options = OPTIONS | {"turns": 4, "batch_size": 3, "reflector": "gepa:openai/m", "max_steps": 4}
        options |= {"reflector_base_url": server.url}
        run = ictbench.run(**options, out=tmp_path / "run")
        requests = server.requests
        again = ictbench.run(**options, out=tmp_path / "run")
        # Neither a reply nor an episode is requested twice.
        assert server.requests == requests
        assert ictbench.dry_run(**options).counts["experience_episodes"] == 4 * 3
    assert again.result.model_copy(update={"host": None}) == run.result.model_copy(update={"host": None})
    (loop,) = run.result.families[0].loops
    assert [len(batch.tasks) for batch in loop.batches] == [1, 2, 1, 2]
    for batch, replayed in zip(loop.batches, loop.replays, strict=True):
        assert [key.partition("@")[0] for key in replayed] in ([*batch.tasks], [])
    assert 0 < sum(map(len, loop.replays)) <= 6
    rows = {row.key: row for row in run.rows("episodes") if isinstance(row, EpisodeRow)}
    for turn, replayed in enumerate(loop.replays, 1):
        for key in replayed:
            assert ("replay", 0, turn) in {(use.pool, use.loop, use.prompt) for use in rows[key].uses}
    # Episodes played only for the reflector have a cost entry of their own.
    alone = [row.calls for row in rows.values() if row.pools == ("replay",)]
    assert run.result.cost["replay"].calls == sum(alone) > 0
    # Before the run, both players were rehearsed.
    assert sum(usage.calls for usage in run.result.cost.values()) == run.result.host.spent.calls - REQUESTS - 1
    assert run.result.control == "it plays tasks of its batches again, to try its prompts out"


GREEDY = """
from ictbench import Reflection, Reflector

class Greedy(Reflector):
    experience = "halved"
    async def reflect(self, prompt, trajectories, state, context):
        for number in range(3):
            await context.play(f"Try {number}.", range(len(trajectories)))
        return Reflection(prompt=prompt)
"""


def test_a_reflector_that_plays_too_many_episodes_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greedy_arm.py").write_text(GREEDY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match="greedy_arm:Greedy requests 1 episodes of its own, but has 0 left"):
        ictbench.run(**OPTIONS, reflector="greedy_arm:Greedy", actor="rules", out=tmp_path / "run")


def test_a_control_is_never_ranked_and_the_result_says_why(plain: ictbench.Run) -> None:
    ranked = plain.result.model_copy(update={"ranked": True, "deviations": (), "profile": "lite"})
    control = ranked.model_copy(update={"ranked": False, "control": "it cheats"})
    assert "The reflector is a control, never ranked: it cheats." in list(remarks(control))
    assert not any(line.startswith("Not ranked") for line in remarks(control))
    assert plain.result.control == ""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from datasets import load_dataset
from datasets.utils import disable_progress_bars

import ictbench
from ictbench.errors import ConfigError, RunFolderError
from ictbench.train import collect
from ictbench.train.states import INFO_FILE, STATES_FILE, ReflectionState, StatesInfo, read_states, write_states

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {"families": "eat,wear", "loops": 2, "turns": 2, "batch_size": 2, "executor": "inline"}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("states") / "small"
    collect(folder, **SMALL)
    return folder


def test_a_state_holds_a_prompt_and_the_batch_played_under_it(collected: Path) -> None:
    data = read_states(collected)
    assert [(state.family, state.loop, state.turn) for state in data.states] == [
        (family, loop, turn) for family in ("eat", "wear") for loop in (0, 1) for turn in (1, 2)
    ]
    run = ictbench.load_run(collected)
    for state in data.states:
        assert state.prompt.startswith(data.suite.prompt)
        assert state.turn > 1 or state.prompt == data.suite.prompt
        assert len(set(state.task_ids)) == len(state.experience) == 2
        assert tuple(trajectory.solved for trajectory in state.experience) == state.solved
        for task, trajectory in zip(state.task_ids, state.experience, strict=True):
            assert trajectory in [run.episode(key).trajectory for key in run.episode_keys(f"{task}@")]


def test_batches_are_those_of_a_run_and_no_scoring_episode_is_played(collected: Path) -> None:
    data = read_states(collected)
    order = [task.id for task in data.suite.experience_order("eat", 1, 4)]
    assert [task for state in data.states[2:4] for task in state.task_ids] == order
    assert len(ictbench.load_run(collected).episode_keys()) == 2 * 2 * 2 * 2


def test_the_info_file_records_suite_players_and_versions(collected: Path) -> None:
    info = read_states(collected).info
    assert (info.suite_name, info.states, info.families) == ("minihack-v1", 8, ("eat", "wear"))
    assert (info.actor.label, info.reflector.label) == ("rules", "rules")
    assert {"python", "nle", "minihack"} <= set(info.versions)


def test_load_dataset_reads_the_states(collected: Path, tmp_path: Path) -> None:
    disable_progress_bars()
    loaded = load_dataset(str(collected), "states", split="train", cache_dir=str(tmp_path))
    assert loaded[3] == read_states(collected).states[3].model_dump(mode="json")


def test_collecting_again_plays_nothing_and_returns_the_same(collected: Path) -> None:
    before, played = (collected / INFO_FILE).read_bytes(), ictbench.load_run(collected).episode_keys()
    assert collect(collected, **SMALL) == StatesInfo.model_validate_json(before)
    assert ictbench.load_run(collected).episode_keys() == played


def test_a_killed_collection_resumes_with_the_same_result(collected: Path, tmp_path: Path) -> None:
    code = f"from ictbench.train import collect; collect({str(tmp_path / 'killed')!r}, **{SMALL!r})"
    child = subprocess.Popen([sys.executable, "-c", code])
    log = tmp_path / "killed" / "run.log"
    while not (log.exists() and "reflection" in log.read_text("utf-8")):
        assert child.poll() is None
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not (tmp_path / "killed" / INFO_FILE).exists()
    assert collect(tmp_path / "killed", **SMALL).digest == read_states(collected).info.digest


def test_a_folder_of_another_collection_is_refused(collected: Path) -> None:
    with pytest.raises(RunFolderError, match="another configuration: turns is 2 there and 3 here"):
        collect(collected, **{**SMALL, "turns": 3})


def test_held_out_families_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"read, zap \(meta-train families: .*wield\)"):
        collect(tmp_path / "x", families="eat,read,zap")
    assert not (tmp_path / "x").exists()


def test_a_reflector_that_sees_other_loops_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'shuffled:rules' is shown episodes of other loops"):
        collect(tmp_path / "x", reflector="shuffled:rules", families="wield")
    assert not (tmp_path / "x").exists()


def test_loops_may_start_with_another_prompt(tmp_path: Path) -> None:
    start = tmp_path / "start.txt"
    start.write_text('You are the "@".\nWalk onto "%".\n', encoding="utf-8")
    options: dict[str, Any] = {"families": "eat", "loops": 1, "turns": 1, "batch_size": 1, "executor": "inline"}
    info = collect(tmp_path / "x", reflector="none", actor="rules", start_prompt=str(start), **options)
    assert info.start_prompt == 'You are the "@".\nWalk onto "%".'
    assert [state.prompt for state in read_states(tmp_path / "x").states] == [info.start_prompt]


def test_one_start_prompt_holds_for_all_families(tmp_path: Path) -> None:
    options: dict[str, Any] = {"turns": 1, "executor": "inline", "selection_size": 2, "test_size": 1, "batch_size": 3}
    first = ictbench.run(
        out=tmp_path / "run", families="eat,wear", loops=1, **{**options, "turns": 4}, reflector="rules"
    )
    assert len({loop.prompts[loop.best].text for family in first.result.families for loop in family.loops}) == 2
    with pytest.raises(ConfigError, match="start_prompt names a run whose families have different prompts"):
        collect(tmp_path / "x", families="eat,wear", start_prompt=str(tmp_path / "run"), reflector="rules")


def test_more_loops_than_test_blocks_can_be_collected(tmp_path: Path) -> None:
    info = collect(tmp_path / "x", families="eat", loops=60, turns=1, batch_size=1, max_steps=1, executor="inline")
    assert info.states == 60


def test_states_can_be_selected_by_family(collected: Path) -> None:
    data = read_states(collected)
    assert {state.family for state in data.select(("wear",)).states} == {"wear"}
    assert data.select(None).states == data.states
    with pytest.raises(ConfigError, match=r"no states of zap \(families: eat, wear\)"):
        data.select(("eat", "zap"))


def test_states_can_be_selected_by_turn_and_drawn(collected: Path) -> None:
    data = read_states(collected)
    assert {state.turn for state in data.select(None, turns=(2,)).states} == {2}
    few = [data.select(None, max_states=2, seed=seed).states for seed in range(8)]
    assert {len(states) for states in few} == {2}
    assert few[0] == data.select(None, max_states=2, seed=0).states
    assert len({tuple((state.family, state.loop, state.turn) for state in states) for states in few}) > 1
    assert data.select(None, max_states=999).states == data.states
    with pytest.raises(ConfigError, match=r"no states of turn 9 \(turns: 1 to 2\)"):
        data.select(None, turns=(1, 9))


def test_later_loops_meet_other_tasks(collected: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"families": "eat", "turns": 1, "batch_size": 1, "max_steps": 1, "executor": "inline"}
    collect(tmp_path / "x", loops=2, first_loop=2, **options)
    assert [state.loop for state in read_states(tmp_path / "x").states] == [2, 3]
    collect(tmp_path / "y", loops=4, **options)
    later, all_loops = (read_states(tmp_path / name).states for name in "xy")
    assert later == all_loops[2:]


def edited_copy(collected: Path, folder: Path, **fields: Any) -> Path:
    folder.mkdir()
    info = {**json.loads((collected / INFO_FILE).read_text("utf-8")), **fields}
    (folder / INFO_FILE).write_text(json.dumps(info), encoding="utf-8")
    (folder / STATES_FILE).write_bytes((collected / STATES_FILE).read_bytes())
    return folder


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"suite_digest": "0" * 64}, "another version of minihack-v1 .*; collect them again"),
        ({"families": ["eat", "zap"]}, "held-out families .* zap"),
        ({"digest": "sha256:0"}, r"does not match the digest in states\.json"),
        ({"schema": "ictbench.states/2"}, r"states\.json is damaged"),
    ],
)
def test_states_that_may_not_be_trained_on_are_refused(
    fields: dict[str, Any], message: str, collected: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_states(edited_copy(collected, tmp_path / "edited", **fields))
    assert "\n" not in str(caught.value)


def test_rows_of_a_held_out_family_are_refused_even_if_the_info_file_omits_it(tmp_path: Path) -> None:
    state = ReflectionState(
        family="zap", loop=0, turn=1, prompt="", task_ids=("zap-1",), solved=(False,), trajectories=()
    )
    suite = ictbench.load_suite("minihack-v1")
    player = {"label": "rules", "name": "rules"}
    info: dict[str, Any] = {
        "suite": suite.name,
        "suite_name": suite.name,
        "suite_digest": suite.digest,
        "families": ["eat"],
        **dict.fromkeys(("loops", "turns", "batch_size", "max_steps"), 1),
        **dict.fromkeys(("reflector", "actor"), player),
        "versions": {},
    }
    write_states(tmp_path, [state], info)
    with pytest.raises(ConfigError, match=r"held-out families .* zap"):
        read_states(tmp_path)


def test_a_damaged_table_and_an_empty_folder_are_reported(collected: Path, tmp_path: Path) -> None:
    folder = edited_copy(collected, tmp_path / "edited")
    (folder / STATES_FILE).write_bytes(b"PAR1")
    with pytest.raises(ConfigError, match=r"states\.parquet cannot be read"):
        read_states(folder)
    with pytest.raises(ConfigError, match="has no reflection states"):
        read_states(tmp_path)

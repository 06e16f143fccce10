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
from ictbench.train.states import ABOUT, ROWS, About, read_states

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {"families": "eat,wear", "loops": 2, "turns": 2, "batch_size": 2, "executor": "inline"}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("states") / "small"
    collect(folder, **SMALL)
    return folder


def test_a_state_is_a_prompt_and_what_was_played_under_it(collected: Path) -> None:
    found = read_states(collected)
    assert [(state.family, state.loop, state.turn) for state in found.states] == [
        (family, loop, turn) for family in ("eat", "wear") for loop in (0, 1) for turn in (1, 2)
    ]
    run = ictbench.load_run(collected)
    for state in found.states:
        assert state.prompt.startswith(found.suite.prompt)
        assert state.turn > 1 or state.prompt == found.suite.prompt
        assert len(set(state.task_ids)) == len(state.experience) == 2
        assert tuple(trajectory.solved for trajectory in state.experience) == state.solved
        for task, trajectory in zip(state.task_ids, state.experience, strict=True):
            assert trajectory in [run.episode(key).trajectory for key in run.episode_keys(f"{task}@")]


def test_the_batches_are_those_of_a_run_and_nothing_is_scored(collected: Path) -> None:
    found = read_states(collected)
    order = [task.id for task in found.suite.experience_order("eat", 1, 4)]
    assert [task for state in found.states[2:4] for task in state.task_ids] == order
    assert len(ictbench.load_run(collected).episode_keys()) == 2 * 2 * 2 * 2


def test_the_file_beside_it_says_where_it_comes_from(collected: Path) -> None:
    about = read_states(collected).about
    assert (about.suite_name, about.states, about.families) == ("minihack-v1", 8, ("eat", "wear"))
    assert (about.actor.label, about.reflector.label) == ("rules", "rules")
    assert {"python", "nle", "minihack"} <= set(about.versions)


def test_hugging_faces_package_reads_it(collected: Path, tmp_path: Path) -> None:
    disable_progress_bars()
    loaded = load_dataset(str(collected), "states", split="train", cache_dir=str(tmp_path))
    assert loaded[3] == read_states(collected).states[3].model_dump(mode="json")


def test_the_same_again_plays_nothing_and_gives_the_same(collected: Path) -> None:
    before, played = (collected / ABOUT).read_bytes(), ictbench.load_run(collected).episode_keys()
    assert collect(collected, **SMALL) == About.model_validate_json(before)
    assert ictbench.load_run(collected).episode_keys() == played


def test_killed_and_started_again_it_goes_on(collected: Path, tmp_path: Path) -> None:
    code = f"from ictbench.train import collect; collect({str(tmp_path / 'killed')!r}, **{SMALL!r})"
    child = subprocess.Popen([sys.executable, "-c", code])
    log = tmp_path / "killed" / "run.log"
    while not (log.exists() and "reflection" in log.read_text("utf-8")):
        assert child.poll() is None
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not (tmp_path / "killed" / ABOUT).exists()
    assert collect(tmp_path / "killed", **SMALL).digest == read_states(collected).about.digest


def test_a_folder_of_another_collection_is_refused(collected: Path) -> None:
    with pytest.raises(RunFolderError, match="another configuration: turns is 2 there and 3 here"):
        collect(collected, **{**SMALL, "turns": 3})


def test_held_out_families_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="read, zap of suite minihack-v1 is held out: no reflector may be trained"):
        collect(tmp_path / "x", families="eat,read,zap")
    assert not (tmp_path / "x").exists()


def test_a_reflector_that_is_shown_other_families_collects_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'shuffled:rules' is shown other episodes than those of its loop"):
        collect(tmp_path / "x", reflector="shuffled:rules", families="wield")
    assert not (tmp_path / "x").exists()


def test_more_loops_than_there_are_test_blocks_can_be_collected(tmp_path: Path) -> None:
    about = collect(tmp_path / "x", families="eat", loops=60, turns=1, batch_size=1, max_steps=1, executor="inline")
    assert about.states == 60


def test_states_of_some_families_can_be_taken(collected: Path) -> None:
    found = read_states(collected)
    assert {state.family for state in found.of(("wear",)).states} == {"wear"}
    assert found.of(None) is found
    with pytest.raises(ConfigError, match="families: the states have none of zap; there are eat, wear"):
        found.of(("eat", "zap"))


def edited(collected: Path, folder: Path, **fields: Any) -> Path:
    folder.mkdir()
    about = {**json.loads((collected / ABOUT).read_text("utf-8")), **fields}
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    (folder / ROWS).write_bytes((collected / ROWS).read_bytes())
    return folder


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"suite_digest": "0" * 64}, "are of another version of minihack-v1 .*; collect them anew"),
        ({"families": ["eat", "zap"]}, "zap of suite minihack-v1 is held out"),
        ({"digest": "sha256:0"}, "is not what states.json beside it says"),
        ({"schema": "ictbench.states/2"}, "states.json is damaged"),
    ],
)
def test_states_that_may_not_be_trained_on_are_refused(
    fields: dict[str, Any], told: str, collected: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        read_states(edited(collected, tmp_path / "edited", **fields))
    assert "\n" not in str(caught.value)


def test_rows_of_a_held_out_family_are_refused_whatever_the_file_beside_them_says(tmp_path: Path) -> None:
    from ictbench.train.states import State, write_states

    state = State(family="zap", loop=0, turn=1, prompt="", task_ids=("zap-1",), solved=(False,), trajectories=())
    suite = ictbench.load_suite("minihack-v1")
    player = {"label": "rules", "name": "rules"}
    about: dict[str, Any] = {
        "suite": suite.name,
        "suite_name": suite.name,
        "suite_digest": suite.digest,
        "families": ["eat"],
        **dict.fromkeys(("loops", "turns", "batch_size", "max_steps"), 1),
        **dict.fromkeys(("reflector", "actor"), player),
        "versions": {},
    }
    write_states(tmp_path, [state], about)
    with pytest.raises(ConfigError, match="zap of suite minihack-v1 is held out"):
        read_states(tmp_path)


def test_a_damaged_table_and_an_empty_folder_are_told(collected: Path, tmp_path: Path) -> None:
    folder = edited(collected, tmp_path / "edited")
    (folder / ROWS).write_bytes(b"PAR1")
    with pytest.raises(ConfigError, match=r"states\.parquet cannot be read"):
        read_states(folder)
    with pytest.raises(ConfigError, match="holds no reflection states"):
        read_states(tmp_path)

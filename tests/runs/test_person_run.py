"""Runs that a person plays, here played by a program in the person's place."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from buggy_plugins import suite
from random_player import Player, Stopped

import ictbench
from ictbench.actors.person import MEMORY, is_person, name_of, person
from ictbench.audit.rerun import rerun
from ictbench.audit.result_checks import check_setup
from ictbench.errors import ConfigError, JournalError
from ictbench.records import PluginSpec
from ictbench.results.notes import remarks
from ictbench.runs.journal import Journal
from ictbench.runs.person_run import Place, episode_count, plan_person_run, play_person_run
from ictbench.runs.run_folder import RunFolder
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from ictbench.runs import Run
    from ictbench.runs.plan import RunPlan


@pytest.fixture(scope="module")
def zap(tmp_path_factory: pytest.TempPathFactory) -> Run:
    plan = plan_person_run(suite="minihack-v1", families="zap,eat", loops=3, test_size=2, name="Ada")
    return play_person_run(plan, RunFolder(tmp_path_factory.mktemp("person") / "run"), Player())


def cellar(folder: Path, **options: Any) -> RunPlan:
    return plan_person_run(suite=suite(folder, "flawed_envs:Cellar"), **{"loops": 3, "test_size": 2, **options})


def test_practice_comes_first_and_every_episode_has_its_place(tmp_path: Path) -> None:
    plan, player = cellar(tmp_path), Player()
    run = play_person_run(plan, RunFolder(tmp_path / "run"), player)
    assert player.places == [
        *(Place("doors", "practice", number, 6) for number in range(1, 7)),
        *(Place("doors", "test", number, 6) for number in range(1, 7)),
    ]
    assert episode_count(plan) == len(player.places) == run.state.episodes
    assert (run.state.status, run.result.complete, run.result.sizes.loops) == ("complete", True, 3)


def test_a_session_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    plan, folder = cellar(tmp_path), RunFolder(tmp_path / "run")
    with pytest.raises(Stopped):
        play_person_run(plan, folder, Player(stop_after=8))
    run = ictbench.load_run(folder.path)
    assert (run.state.status, run.state.episodes, run.state.in_words) == (
        "paused",
        8,
        "The run is paused: 3 of 3 turns and 8 of at most 21 episodes are recorded.",
    )
    partial = run.current_result()
    assert (partial.complete, [len(family.loops) for family in partial.families]) == (False, [1])
    kept = {key: run.episode(key) for key in run.episode_keys()}
    rest = Player()
    result = play_person_run(plan, folder, rest).result
    assert [place.number for place in rest.places] == [3, 4, 5, 6]
    assert {key: run.episode(key) for key in kept} == kept
    assert result.complete
    assert "episodes that the person stopped and began again: 1" in result.deviations
    again = Player()
    assert play_person_run(plan, folder, again).result.checksum == result.checksum
    assert again.places == []


def test_an_episode_is_recorded_once_the_disk_has_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add, failures = Journal.add_episode, iter(["full", "still full"])

    def once_there_is_space(self: Journal, *arguments: Any) -> None:
        if problem := next(failures, None):
            raise JournalError(problem)
        add(self, *arguments)

    monkeypatch.setattr(Journal, "add_episode", once_there_is_space)
    player = Player()
    run = play_person_run(cellar(tmp_path), RunFolder(tmp_path / "run"), player)
    assert player.paused == ["full", "still full"]
    assert (len(player.places), run.state.episodes) == (12, 12)
    assert not any("began again" in text for text in run.result.deviations)


def test_another_prompt_is_played_and_stated(tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("Try the red door first.")
    plan, player = cellar(tmp_path, start_prompt=file, loops=1), Player()
    result = play_person_run(plan, RunFolder(tmp_path / "run"), player).result
    assert {prompt.text for prompt in result.families[0].loops[0].prompts} == {"Try the red door first."}
    assert any("of doors instead of the suite's own" in text for text in result.deviations)
    assert ictbench.verify(tmp_path / "run", suite=suite(tmp_path, "flawed_envs:Cellar"), executor="inline").passed


def test_loops_that_share_their_games_share_the_episodes(tmp_path: Path) -> None:
    plan = cellar(tmp_path)
    loops = list(plan.loops())
    shared = dataclasses.replace(loops[1], test=loops[0].test, selection=loops[0].selection)
    from ictbench.runs.person_run import _places

    places = _places(plan, [loops[0], shared])
    assert [(place.part, place.number, place.total) for place in places.values()] == [
        *(("practice", number, 3) for number in (1, 2, 3)),
        *(("test", number, 2) for number in (1, 2)),
    ]


def test_the_result_says_that_a_person_played(zap: Run) -> None:
    result = zap.result
    assert f"actor human {MEMORY}" in result.deviations
    assert not result.ranked
    assert result.actor_trained_on is None, "nobody knows what a person played before"
    lines = list(remarks(result))
    assert "The actor is a person (Ada), a human baseline: no language model, no script." in lines
    (success,) = [line for line in lines if line.startswith("Success of the person")]
    eat, base = result.families[0], result.families[0].measures.base  # type: ignore[union-attr]
    assert f"{eat.name} {base.value:.2f} [{base.low:.2f}, {base.high:.2f}], zap " in success
    assert not any("scripted" in line for line in lines)
    assert ictbench.verify(zap, executor="inline").passed


def test_a_result_that_hides_the_person_is_found_out(zap: Run) -> None:
    result = zap.result
    hidden = tuple(text for text in result.deviations if MEMORY not in text)
    check = check_setup(result.model_copy(update={"deviations": hidden}), load_suite("minihack-v1"))
    assert check.verdict == "failed"
    assert f"it does not state the deviation: actor human {MEMORY}" in check.detail


def test_a_rerun_is_refused(zap: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a person, whom no rerun repeats; `ictbench verify` replays"):
        rerun(zap.folder, folder=tmp_path / "rerun")


def test_a_record_names_a_person_as_a_stranger_may_have_written_it() -> None:
    assert is_person(person())
    assert name_of(person("Ada")) == "Ada"
    assert name_of(person()) == ""
    assert name_of(PluginSpec(label="human", name="human", options={"player": ["Ada"]})) == ""
    assert name_of(PluginSpec(label="human", name="human", options={"player": "\x1b[31m" + "A" * 99})) == (
        "\N{REPLACEMENT CHARACTER}[31m" + "A" * 55
    )

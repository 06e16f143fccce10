"""Runs of the scripted pair and of simple controls, on MiniHack."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import ictbench
from ictbench.errors import RunFolderError
from ictbench.records import episode_key
from ictbench.results.result_file import read_result

SMALL: dict[str, Any] = {
    "suite": "minihack-v1",
    "families": "read,room-random",
    "turns": 2,
    "batch_size": 2,
    "loops": 3,
    "selection_size": 3,
    "test_size": 4,
}
TINY: dict[str, Any] = SMALL | {"families": "room-random", "loops": 1}


def comparable(folder: Path) -> tuple[dict[str, Any], bytes, bytes]:
    """Return what equal runs share: the result without `host`, the episodes, the configuration."""
    result = json.loads((folder / "result.json").read_bytes())
    result.pop("host")
    return result, gzip.decompress((folder / "episodes.jsonl.gz").read_bytes()), (folder / "run.json").read_bytes()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    return ictbench.run(**SMALL, out=tmp_path_factory.mktemp("small") / "run")


def test_the_same_command_twice_gives_the_same_files(run: ictbench.Run, tmp_path: Path) -> None:
    again = ictbench.run(**SMALL, out=tmp_path / "again")
    one, other = comparable(run.folder), comparable(again.folder)
    assert one[0] == other[0]
    assert one[1] == other[1]
    assert one[2] == other[2]
    # The text is equal too: all lines except those of the last key.
    texts = [
        (folder / "result.json").read_text("utf-8").partition('"host"')[0] for folder in (run.folder, again.folder)
    ]
    assert texts[0] == texts[1]
    assert (run.folder / "episodes.jsonl.gz").read_bytes() == (again.folder / "episodes.jsonl.gz").read_bytes()


def test_a_run_writes_the_documented_files(run: ictbench.Run) -> None:
    names = {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*")} - {"lock"}
    tables = {
        f"tables/{name}.{end}"
        for name in ("families", "roles", "loops", "curves", "turns", "cost")
        for end in ("csv", "md")
    }
    assert names == {
        *("run.json", "journal.sqlite", "result.json", "episodes.jsonl.gz", "times.csv", "run.log", "tables"),
        *tables,
    }
    config = json.loads((run.folder / "run.json").read_text("utf-8"))
    assert (config["suite"], config["turns"], config["families"]) == ("minihack-v1", 2, ["room-random", "read"])
    assert set(config["versions"]) == {"minihack", "nle"}


def test_the_result_names_what_was_run(run: ictbench.Run) -> None:
    result = run.result
    suite = ictbench.load_suite("minihack-v1")
    assert (result.suite.name, result.suite.digest) == (suite.name, suite.digest)
    assert (result.profile, result.complete, result.owed, result.ranked) == ("quick", True, 0, False)
    assert "turns 2 instead of 6" in result.deviations
    assert (result.actor.label, result.actor.model, result.reflector.label) == ("rules", None, "rules")
    assert (result.max_steps, result.prompt_bytes, result.test_every_turn) == (25, 8000, False)
    assert [family.name for family in result.families] == ["room-random", "read"]
    assert Path(result.host.folder) == run.folder
    assert result.host.seconds > 0
    assert result.cost["experience"].calls == 0
    assert ictbench.load_run(run.folder).result == run.result


def test_tasks_follow_the_protocol_and_none_is_played_twice_in_a_loop(run: ictbench.Run) -> None:
    suite = ictbench.load_suite("minihack-v1")
    for family in run.result.families:
        for loop in family.loops:
            order = [task.id for task in suite.experience_order(family.name, loop.index, 4)]
            assert [task for batch in loop.batches for task in batch.tasks] == order
            test = suite.scoring_tasks("test", family.name, loop.index, 4)
            assert loop.test_tasks == tuple(task.id for task in test)
            assert all(prompt.text.startswith(suite.prompt) for prompt in loop.prompts)
        met = Counter(task for loop in family.loops for task in (*loop.selection_tasks, *loop.test_tasks))
        assert max(met.values()) == 1


def test_every_outcome_of_the_result_is_that_of_a_recorded_episode(run: ictbench.Run) -> None:
    solved = {key: run.episode(key).trajectory.solved for key in run.episode_keys()}
    used = set()
    for loop in (loop for family in run.result.families for loop in family.loops):
        rows = [(batch.tasks, loop.prompts[i], batch.outcomes) for i, batch in enumerate(loop.batches)]
        rows += [(loop.selection_tasks, loop.prompts[i], outcomes) for i, outcomes in enumerate(loop.selection)]
        rows += [(loop.test_tasks, loop.prompts[i], outcomes) for i, outcomes in loop.test.items()]
        for tasks, prompt, outcomes in rows:
            keys = [episode_key(task, prompt.digest) for task in tasks]
            assert "".join(str(int(solved[key])) for key in keys) == outcomes
            used |= set(keys)
    assert used == set(solved)
    # The pair must learn something; otherwise these checks would also pass for a run without any gain.
    assert 0 < sum(solved.values()) < len(solved)
    assert any(loop.prompts[0] != loop.prompts[-1] for family in run.result.families for loop in family.loops)


def test_a_record_holds_what_a_replay_needs(run: ictbench.Run) -> None:
    lines = gzip.decompress((run.folder / "episodes.jsonl.gz").read_bytes()).decode().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["key"] for record in records] == run.episode_keys()
    for record in records[:20]:
        whole = run.episode(record["key"])
        assert record["task"] == whole.task.model_dump(mode="json")
        assert (record["seed"], set(record["versions"])) == (whole.seed, {"minihack", "nle"})
        steps = record["trajectory"]["steps"]
        assert [step["executed"] for step in steps] == [step.executed for step in whole.trajectory.steps]
        assert all({"keys", "digest", "reward", "proposed"} <= set(step) for step in steps)
        assert not any("observation" in step for step in steps)


def test_times_are_in_a_separate_file(run: ictbench.Run) -> None:
    lines = (run.folder / "times.csv").read_text("utf-8").splitlines()
    assert lines[0] == "key,started,seconds"
    assert sorted(line.split(",")[0] for line in lines[1:]) == run.episode_keys()
    assert b"started" not in gzip.decompress((run.folder / "episodes.jsonl.gz").read_bytes())


def test_an_episode_is_found_by_a_prefix_of_its_key(run: ictbench.Run) -> None:
    key = run.episode_keys("read-20000@")[0]
    assert run.episode(key).key == key
    assert run.episode(key[:-3]).key == key
    with pytest.raises(RunFolderError, match=r"episodes of .* start with 'read-', e.g. read-.*give more of the key"):
        run.episode("read-")
    with pytest.raises(RunFolderError, match=r"has no episode 'raed'; keys are e\.g\."):
        run.episode("raed")


@pytest.mark.parametrize("lost", ["episodes.jsonl.gz", "result.json", "tables/families.csv", "times.csv"])
def test_continuing_writes_missing_files(tmp_path: Path, lost: str) -> None:
    first = ictbench.run(**TINY, out=tmp_path)
    before, times = comparable(first.folder), (tmp_path / "times.csv").read_bytes()
    content = (tmp_path / lost).read_bytes()
    (tmp_path / lost).unlink()
    (tmp_path / "result.json.part").write_text("{", encoding="utf-8")
    again = ictbench.run(**TINY, out=tmp_path)
    assert comparable(again.folder) == before
    # Nothing was played again: the recorded times did not change.
    assert (tmp_path / "times.csv").read_bytes() == times
    if lost != "result.json":
        assert (tmp_path / lost).read_bytes() == content
    assert again.result.host.started == first.result.host.started
    assert again.result.host.seconds > first.result.host.seconds


def test_a_folder_of_another_configuration_is_refused(tmp_path: Path) -> None:
    first = ictbench.run(**TINY, out=tmp_path)
    before = comparable(first.folder)
    changes: list[tuple[dict[str, Any], str]] = [
        ({"turns": 1}, "turns is 2 there and 1 here"),
        ({"families": "eat"}, "families is"),
    ]
    for change, message in changes:
        with pytest.raises(RunFolderError, match=message):
            ictbench.run(**TINY | change, out=tmp_path)
    assert comparable(tmp_path) == before


def test_a_run_works_inside_a_running_event_loop(run: ictbench.Run, tmp_path: Path) -> None:
    async def main() -> ictbench.Run:
        await asyncio.sleep(0)
        return ictbench.run(**TINY, out=tmp_path / "run")

    inside = asyncio.run(main()).result.families[0].loops[0]
    assert inside == run.result.families[0].loops[0]


def test_an_unchanged_prompt_has_no_gain_and_shares_its_episodes(tmp_path: Path) -> None:
    finished = ictbench.run(**TINY | {"loops": 3}, reflector="none", actor="rules", out=tmp_path / "run")
    (family,) = finished.result.families
    assert family.measures is not None
    assert (family.measures.gain.value, family.measures.last_gain.value) == (0, 0)
    assert len({prompt.digest for loop in family.loops for prompt in loop.prompts}) == 1
    assert [loop.best for loop in family.loops] == [0, 0, 0]
    assert all(loop.selection[0] == outcomes for loop in family.loops for outcomes in loop.selection)
    # Three equal prompts: selection and test are played once. 3 loops of 2x2 + 3 + 4.
    assert len(finished.episode_keys()) == 3 * (4 + 3 + 4)


def test_an_audit_adds_the_overfitting_gap_and_changes_nothing_else(run: ictbench.Run, tmp_path: Path) -> None:
    started: list[Any] = []
    audited = ictbench.run(**SMALL, audit=True, out=tmp_path / "run", on_start=lambda *what: started.append(what[1]))
    assert (run.result.audit, audited.result.audit) == (False, True)
    assert started[0].episodes == started[0].episodes_done
    for plain, family in zip(run.result.families, audited.result.families, strict=True):
        assert plain.measures is not None
        assert family.measures is not None
        assert plain.measures.overfitting_gap is None
        assert family.measures.overfitting_gap is not None
        assert family.measures.model_copy(update={"overfitting_gap": None}) == plain.measures
        for loop, other in zip(family.loops, plain.loops, strict=True):
            assert loop.model_copy(update={"audit": ()}) == other
            (audit,) = loop.audit
            # The batch of the first turn under prompt[1], that of the second under prompt[0].
            for tasks, prompt, outcomes in [
                (loop.batches[0].tasks, loop.prompts[1], audit.replayed),
                (loop.batches[1].tasks, loop.prompts[0], audit.fresh),
            ]:
                ends = [audited.episode(episode_key(task, prompt.digest)).trajectory.solved for task in tasks]
                assert outcomes == "".join(str(int(solved)) for solved in ends)
    assert len(audited.episode_keys()) > len(run.episode_keys())


def test_a_hand_written_prompt_replaces_that_of_the_suite(tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text('You are the "@". Walk onto ">".\n', encoding="utf-8")
    options = TINY | {"loops": 3, "test_size": 8, "test_every_turn": True}
    found = ictbench.run(**options, reflector=f"file:{path}", actor="rules", out=tmp_path / "run").result
    (family,) = found.families
    assert family.measures is not None
    suite = ictbench.load_suite("minihack-v1")
    for loop in family.loops:
        assert [prompt.text for prompt in loop.prompts] == [suite.prompt, *['You are the "@". Walk onto ">".'] * 2]
        assert sorted(loop.test) == [0, 1, 2]
    assert family.measures.last.value == 1
    assert family.measures.gain.value > 0.1
    assert family.measures.best_on_test == 1
    assert found.reflector.label == "file:prompt.txt"


def test_a_hand_written_prompt_above_the_cap_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text("x" * 8001, encoding="utf-8")
    found = ictbench.run(**TINY, reflector=f"file:{path}", actor="rules", out=tmp_path / "run").result
    loop = found.families[0].loops[0]
    assert [prompt.failure for prompt in loop.prompts] == [None, "too_long", "too_long"]
    assert len({prompt.digest for prompt in loop.prompts}) == 1
    assert found.families[0].behaviour is not None
    assert found.families[0].behaviour.reflection_failures == {"too_long": 2}


def test_progress_can_be_read_during_the_run(tmp_path: Path) -> None:
    started: list[Any] = []
    finished = ictbench.run(**TINY, out=tmp_path / "run", on_start=lambda *what: started.append(what))
    ((folder, progress),) = started
    assert folder == finished.folder
    # The best prompt was the first or the last one, so its test was played once.
    assert ictbench.dry_run(**TINY).counts["episodes"] >= progress.episodes == progress.episodes_done
    assert progress.played == len(finished.episode_keys())
    family = progress.families["room-random"]
    assert (family.turns_done, family.turns, family.loops_done, progress.owed) == (2, 2, 1, 0)
    assert progress.seconds_left is not None


def test_a_run_without_out_gets_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finished = ictbench.run(**TINY)
    assert finished.folder.parent == Path("runs")
    assert read_result(finished.folder / "result.json") == finished.result


def test_a_folder_without_a_result_is_refused_with_the_remedy(tmp_path: Path) -> None:
    found = ictbench.run(**TINY, out=tmp_path / "my run")
    (found.folder / "result.json").unlink()
    with pytest.raises(RunFolderError, match=r"has no result yet; continue its run .*--out '.*/my run'"):
        _ = ictbench.load_run(found.folder).result
    assert ictbench.load_run(found.folder).episode_keys() == found.episode_keys()
    with pytest.raises(RunFolderError, match=r"is not the folder of a run: it has no run.json"):
        ictbench.load_run(tmp_path)

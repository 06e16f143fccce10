"""Runs that have not ended: what `show`, `report` and `runs` say while a process writes them, and after it stopped."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import watching_reflector
from buggy_plugins import BadReflector, suite

import ictbench
from ictbench.errors import PluginError, RunFolderError
from ictbench.runs.list_runs import ListedRun, list_runs
from ictbench.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import CommandLine

SIZES: dict[str, Any] = {"turns": 2, "batch_size": 2, "loops": 3, "selection_size": 3, "test_size": 4}


def play(folder: Path, look: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, **options: Any) -> ictbench.Run:
    monkeypatch.setattr(watching_reflector, "look", look)
    monkeypatch.setattr(watching_reflector, "calls", 0)
    return ictbench.run(
        suite=suite(folder, "flawed_envs:Cellar"),
        out=folder / "runs" / "one",
        actor="random",
        executor="inline",
        reflector="watching_reflector:WatchingReflector",
        **SIZES,
        **options,
    )


def test_a_run_in_progress_can_be_read_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, seen = tmp_path / "runs" / "one", []

    def look(calls: int) -> None:
        # In another thread, as SQLite's connections belong to one; the run goes on meanwhile only after this returns.
        watcher = threading.Thread(target=watch)
        watcher.start()
        watcher.join()

    def watch() -> None:
        run = ictbench.load_run(folder)
        state, result = run.state, run.current_result()
        page = ictbench.write_report(run, tmp_path / "report.html")
        seen.append((state, result, page.read_text(encoding="utf-8"), list_runs(tmp_path / "runs")[0]))

    finished = play(tmp_path, look, monkeypatch)
    assert len(seen) == 6
    for number, (state, result, page, listed) in enumerate(seen):
        assert (state.status, listed.status) == ("running", "running")
        assert state.turns_done == {"doors": number}
        assert state.turns == 6
        assert (listed.turns_done, listed.turns) == (number, 6)
        assert not result.complete
        assert "The run is running: " in page
        # Loops that are finished are those of the final result.
        final = {loop.index: loop for loop in finished.result.families[0].loops}
        assert all(final[loop.index] == loop for loop in result.families[0].loops)
    assert finished.state.status == "complete"
    assert finished.current_result() == finished.result
    (listed,) = list_runs(tmp_path / "runs")
    assert (listed.status, listed.turns_done, listed.turns) == ("complete", 6, 6)
    assert listed.gain == finished.result.by_role["held-out"].gain.value


def stop_in_call(number: int) -> Callable[[int], None]:
    def look(calls: int) -> None:
        if calls == number:
            raise KeyError("stop")

    return look


def test_a_stopped_run_is_paused_and_its_finished_loops_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: CommandLine
) -> None:
    with pytest.raises(PluginError):
        play(tmp_path, stop_in_call(6), monkeypatch, max_connections=1)
    folder = tmp_path / "runs" / "one"
    run = ictbench.load_run(folder)
    assert run.state.status == "paused"
    assert sum(run.state.turns_done.values()) == 5
    with pytest.raises(RunFolderError, match="has no result yet"):
        _ = run.result
    code, out, _ = call("show", str(folder))
    assert code == 0
    assert "The run is paused: 5 of 6 turns" in out
    assert "5/6" in out
    # In three loops: two batches, three selection tasks under three prompts, four test tasks under three prompts.
    assert f"of at most {3 * (2 * 2 + 3 * 3 + 3 * 4)} episodes are recorded" in out
    left = run.missing_episodes()
    assert f"Missing: at least {' and '.join(f'{count} {pool}' for pool, count in left.items())} episodes." in out
    assert left.keys() <= {"experience", "selection", "test"}
    assert sum(left.values()) > 0
    code, out, _ = call("report", str(folder))
    assert code == 0
    code, out, _ = call("runs", str(tmp_path / "runs"), "--json")
    assert code == 0
    assert json.loads(out)["state"] == "paused"
    assert (json.loads(out)["turns_done"], json.loads(out)["turns"]) == (5, 6)
    finished = play(tmp_path, lambda calls: None, monkeypatch, max_connections=1)
    assert finished.result.complete
    assert finished.missing_episodes() == {}
    for loop in run.current_result().families[0].loops:
        assert loop in finished.result.families[0].loops


def test_runs_lists_what_it_cannot_read_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: CommandLine
) -> None:
    play(tmp_path, lambda calls: None, monkeypatch)
    code, _, err = call("runs", str(tmp_path / "runs" / "one"))
    assert (code, err.count("\n")) == (2, 1)
    assert "one is itself the folder of a run: `ictbench show` shows it" in err
    (tmp_path / "runs" / "other").mkdir()
    (tmp_path / "runs" / "other" / "run.json").write_text("{")
    (tmp_path / "runs" / "no run").mkdir()
    code, out, _ = call("runs", str(tmp_path / "runs"))
    assert code == 0
    assert "complete" in out
    assert "unreadable" in out
    assert "run.json" in out
    assert "no run" not in out
    code, _, err = call("runs", str(tmp_path / "nowhere"))
    assert (code, err.count("\n")) == (2, 1)
    assert "cannot be listed (No such file or directory)" in err


def test_a_log_that_cannot_be_merged_is_not_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(tmp_path, lambda calls: None, monkeypatch)
    folder = RunFolder(tmp_path / "runs" / "one")
    connect = sqlite3.connect

    class Locked:
        """A connection to a journal whose side files cannot be written."""

        def setlimit(self, *_: int) -> None: ...
        def close(self) -> None: ...
        def execute(self, _: str) -> None:
            raise sqlite3.OperationalError("unable to open database file")

    def open_read_only(address: str, **options: Any) -> Any:
        return Locked() if address.endswith("mode=ro") else connect(address, **options)

    monkeypatch.setattr("ictbench.runs.journal.sqlite3.connect", open_read_only)
    assert ictbench.load_run(folder.path).episode_keys(), "without a log the file holds everything"
    folder.journal.with_name(f"{folder.journal.name}-wal").write_bytes(b"the last records")
    with pytest.raises(RunFolderError, match=r"journal.sqlite-wal cannot be used here; copy the folder of the run"):
        ictbench.load_run(folder.path).episode_keys()


def test_a_plan_that_is_not_that_of_the_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError):
        play(tmp_path, stop_in_call(1), monkeypatch)
    folder = RunFolder(tmp_path / "runs" / "one")
    run = ictbench.load_run(folder.path)
    config = json.loads(folder.config.read_text())
    for change, message in (
        ({"suite_digest": "0" * 64}, "are not of one run"),
        ({"families": ["moon"]}, "are not of one run"),
        ({"loops": 10_000, "turns": 10_000, "batch_size": 1_000}, "more than 2,000,000 episodes"),
        ({"max_steps": None, "families": 3}, "is damaged"),
    ):
        folder.config.write_text(json.dumps({**config, **change}))
        with pytest.raises(RunFolderError, match=message):
            _ = run.state


def test_reading_a_run_imports_none_of_its_plug_ins(tmp_path: Path) -> None:
    with pytest.raises(PluginError):
        ictbench.run(
            suite=suite(tmp_path, "flawed_envs:Cellar"),
            out=tmp_path / "run",
            reflector=f"{BadReflector.__module__}:BadReflector",
            actor="random",
            executor="inline",
            **SIZES,
        )
    config = RunFolder(tmp_path / "run").config
    config.write_text(config.read_text().replace("buggy_plugins", "no_such_module"))
    assert ictbench.load_run(tmp_path / "run").current_result().reflector.name == "no_such_module:BadReflector"


def test_prompts_are_shown_compared_and_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: CommandLine
) -> None:
    finished = play(tmp_path, lambda calls: None, monkeypatch)
    folder = str(tmp_path / "runs" / "one")
    loops = finished.result.families[0].loops
    code, out, _ = call("prompts", folder)
    assert code == 0
    titles = [line for line in out.splitlines() if line.startswith("doors, loop ")]
    best = [f", prompt {loop.best} of 2 (best), " for loop in loops]
    assert all(words in title for words, title in zip(best, titles, strict=True))
    code, out, _ = call("prompts", folder, "--loop", "1", "--prompt", "all", "--diff")
    assert out.count("(unchanged)") == 1, "prompt[0] differs from nothing"
    assert [line for line in out.splitlines() if line.startswith("+")] == ["+Hint 1.", "+Hint 2."]
    code, out, _ = call("prompts", folder, "--loop", "1", "--prompt", "last", "--out", "last.txt")
    assert (tmp_path / "last.txt").read_text() == loops[1].prompts[2].text + "\n"
    code, out, _ = call("prompts", folder, "--out", "best")
    assert len(list((tmp_path / "best").iterdir())) == len(out.splitlines()) == 3
    for arguments, message in (
        (("--prompt", "7"), "there is no prompt 7: the loops have the prompts 0 … 2"),
        (("--prompt", "worst"), "--prompt takes best, first, last, all or a number, not 'worst'"),
        (("--family", "moon"), "one has no family 'moon'; known: doors"),
        (("--family", "dors"), "one has no family 'dors'; did you mean 'doors'?"),
        (("--loop", "9"), "one has no loop 9 (loops: 0, 1, 2)"),
        (("--loop", "9", "--family", "doors"), "one has no loop 9 of doors (loops: 0, 1, 2)"),
        (("--out", "best"), "'best' already exists; choose another --out"),
    ):
        code, _, err = call("prompts", folder, *arguments)
        assert (code, err.count("\n")) == (2, 1)
        assert message in err


def test_prompts_of_a_stopped_run_are_those_written_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: CommandLine
) -> None:
    with pytest.raises(PluginError):
        play(tmp_path, stop_in_call(2), monkeypatch, max_connections=1)
    folder = str(tmp_path / "runs" / "one")
    code, _, err = call("prompts", folder)
    assert code == 2
    assert "no prompt is the best yet; choose last or all" in err
    _, out, _ = call("prompts", folder, "--prompt", "all")
    assert "\nHint 1." in out


def test_a_list_of_runs_says_of_which_families_a_gain_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: CommandLine
) -> None:
    listed = ListedRun(tmp_path, "complete", gain=-0.001, gain_role="meta-train")
    others = [replace(listed, gain=0.25, gain_role="held-out"), replace(listed, gain=None, gain_role="")]
    monkeypatch.setattr("ictbench.runs.list_runs.list_runs", lambda folder: [listed, *others])
    rows = call("runs", str(tmp_path)).out.splitlines()[2:]
    assert [row.split("complete")[1].split() for row in rows] == [["0.00", "(meta-train)"], ["+0.25"], []]
    assert [json.loads(line)["gain_role"] for line in call("runs", "--json").out.splitlines()] == [
        "meta-train",
        "held-out",
        "",
    ]

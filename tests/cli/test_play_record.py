"""`ictbench play --out`: what a person plays becomes a run, on a pseudo-terminal."""

from __future__ import annotations

import resource
import signal
from typing import TYPE_CHECKING, Any

import pytest
from buggy_plugins import suite
from pseudo_terminal import END, INTERRUPT, Terminal

import ictbench
from ictbench.errors import ConfigError, ResultError
from ictbench.runs import load_run

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine

DOORS = ("open the r", "open the b", "open the g")
EPISODES = 9
"""Of three loops, each with two practice tasks and one test task."""


def baseline(folder: Path, *more: str) -> Terminal:
    file = suite(folder, "flawed_envs:Cellar")
    return Terminal("play", "--suite", file, "--out", str(folder / "me"), "--tasks", "1", "--player", "Ada", *more)


def play(terminal: Terminal, episodes: int) -> None:
    """Play episodes to their ends: each is solved by one of the doors."""
    for _ in range(episodes):
        terminal.read_until(" ──\n")
        for door in DOORS:
            terminal.read_until("> ")
            terminal.type(door)
            if terminal.read_until_any(" decisions left)", "solved after ") == "solved after ":
                break


def recorded(folder: Path) -> dict[str, Any]:
    run = load_run(folder / "me")
    return {key: run.episode(key) for key in run.episode_keys()}


def test_a_baseline_is_a_run_that_is_shown_verified_compared_and_reported(tmp_path: Path, call: CommandLine) -> None:
    with baseline(tmp_path) as terminal:
        play(terminal, EPISODES)
        assert terminal.close() == 0
    places = [line for line in terminal.shown.split("\n") if line.startswith("── ")]
    assert places[:2] == ["── practice task 1 of 6 (doors) ──", "── practice task 2 of 6 (doors) ──"]
    assert places[6:] == [f"── test task {number} of 3 (doors) ──" for number in (1, 2, 3)]
    run = load_run(tmp_path / "me")
    result = run.result
    assert (result.complete, result.ranked, result.owed) == (True, False, 0)
    assert (result.actor.label, result.actor.name, result.actor.options) == ("human", "human", {"player": "Ada"})
    assert (result.actor.model, result.reflector.label) == (None, "none")
    assert "actor human is a person, who remembers earlier episodes" in result.deviations
    assert (result.cost["test"].calls, result.cost["reflector"].calls) == (0, 0)
    times = {key: float(started) for key, started, _ in (row.split(",") for row in lines_of(run.folder / "times.csv"))}
    tests = {f"{task}@{loop.prompts[0].digest}" for loop in result.families[0].loops for task in loop.test_tasks}
    assert min(times[key] for key in tests) > max(started for key, started in times.items() if key not in tests)
    code, out, _ = call("show", str(run.folder))
    assert code == 0
    assert "The actor is a person (Ada), a human baseline: no language model, no script." in out
    assert "Success of the person on test tasks: doors 1.00 [0.29, 1.00]." in out
    assert "scripted" not in out
    hints = [line for line in terminal.shown.splitlines() if "ictbench run" in line or "ictbench compare" in line]
    assert [hint.partition("ictbench ")[2].split(" ")[:2] for hint in hints] == [
        ["run", "--suite"],
        ["compare", "--force"],
    ]
    assert f"--out {tmp_path / 'me'}-agent" in hints[0]
    assert f" {tmp_path / 'me'} {tmp_path / 'me'}-agent (--force: the actors differ" in hints[1]
    file = suite(tmp_path, "flawed_envs:Cellar")
    verification = ictbench.verify(run, suite=file, executor="inline")
    assert verification.passed
    assert ictbench.write_report(run, tmp_path / "report.html").exists()
    agent = ictbench.run(
        suite=file,
        actor="random",
        reflector="none",
        executor="inline",
        turns=1,
        batch_size=1,
        selection_size=1,
        test_size=1,
        loops=3,
        out=tmp_path / "agent",
    )
    with pytest.raises(ResultError, match="not comparable: actor random against human"):
        ictbench.compare(agent, run)
    same = [(loop.test_tasks, loop.batches[0].tasks, loop.selection_tasks) for loop in agent.result.families[0].loops]
    assert same == [(loop.test_tasks, loop.batches[0].tasks, loop.selection_tasks) for loop in result.families[0].loops]
    print(ictbench.compare(agent, run, force=True))


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


@pytest.mark.parametrize(
    ("stop", "code"),
    [(INTERRUPT, 130), (END, 0), ("quit\n", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["Ctrl-C", "Ctrl-D", "quit", "SIGTERM", "SIGHUP"],
)
def test_finished_episodes_are_kept_and_the_unfinished_one_is_discarded(
    tmp_path: Path, stop: str | signal.Signals, code: int
) -> None:
    with baseline(tmp_path) as terminal:
        play(terminal, 2)
        terminal.read_until("> ")
        terminal.type("open the window")
        terminal.read_until("> ")
        if isinstance(stop, str):
            terminal.press(stop)
        else:
            terminal.process.send_signal(stop)
        assert terminal.close() == code
    assert f"2 of {EPISODES} episodes are recorded in {tmp_path / 'me'}, the unfinished one is discarded" in (
        terminal.shown.replace("\n", " ").replace("  ", " ")
    )
    assert "Continue with:" in terminal.shown
    assert "Traceback" not in terminal.shown
    before = recorded(tmp_path)
    assert len(before) == 2
    assert load_run(tmp_path / "me").state.status == "paused"
    with baseline(tmp_path) as terminal:
        terminal.read_until("── practice task 3 of 6 (doors) ──")
        terminal._read = 0
        play(terminal, EPISODES - 2)
        assert terminal.close() == 0
    after = recorded(tmp_path)
    assert {key: after[key] for key in before} == before
    assert load_run(tmp_path / "me").result.complete
    assert "episodes that the person stopped and began again: 1" in load_run(tmp_path / "me").result.deviations
    assert all(step.proposed != "open the window" for e in after.values() for step in e.trajectory.steps)


def test_a_window_that_is_closed_keeps_what_is_finished(tmp_path: Path) -> None:
    with baseline(tmp_path) as terminal:
        play(terminal, 1)
        terminal.read_until("> ")
        terminal.hang_up()
    assert len(recorded(tmp_path)) == 1
    assert load_run(tmp_path / "me").state.status == "paused"


def test_an_episode_waits_for_space_on_the_disk(tmp_path: Path) -> None:
    with baseline(tmp_path) as terminal:
        play(terminal, 1)
        terminal.read_until("> ")
        log = tmp_path / "me/journal.sqlite-wal"
        soft, hard = resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
        for door in DOORS:
            terminal.type(door)
            if terminal.read_until_any("decisions left)", "solved after") == "solved after":
                break
        terminal.read_until("cannot be written")
        terminal.read_until("Press Enter to record the episode again")
        terminal.read_until("> ")
        assert len(recorded(tmp_path)) == 1
        resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
        terminal.type("")
        terminal.read_until("── practice task 3 of 6")
        terminal.read_until("> ")
        terminal.type("quit")
        assert terminal.close() == 0
    assert len(recorded(tmp_path)) == 2


def test_a_run_is_continued_only_as_the_same_person(tmp_path: Path) -> None:
    with baseline(tmp_path) as terminal:
        play(terminal, 1)
        terminal.read_until("> ")
        terminal.type("quit")
        assert terminal.close() == 0
    with baseline(tmp_path, "--player", "Bob") as terminal:
        assert terminal.close() == 2
    assert "holds a run with another configuration: actor is" in terminal.shown


@pytest.mark.parametrize("name", ["", " Ada", "A" * 61, "Ada\x1b[31m"])
def test_a_name_is_short_and_printable(tmp_path: Path, name: str) -> None:
    from ictbench.runs.person_run import plan_person_run

    file = suite(tmp_path, "flawed_envs:Cellar")
    if not name:
        assert plan_person_run(suite=file, name=name).actor.options == {}
        return
    with pytest.raises(ConfigError, match="is not a name of at most 60 printable characters"):
        plan_person_run(suite=file, name=name)


def test_only_a_person_at_a_terminal_is_recorded(tmp_path: Path, call: CommandLine) -> None:
    code, _, err = call("play", "--out", str(tmp_path / "me"))
    assert code == 2
    assert "is not a terminal, and --out records what a person plays: run `ictbench play` in a terminal" in err
    assert not (tmp_path / "me").exists()


def test_a_prompt_that_cannot_be_read_is_named_by_its_option(tmp_path: Path) -> None:
    with baseline(tmp_path, "--prompt", str(tmp_path / "none.txt")) as terminal:
        assert terminal.close() == 2
    assert "ictbench: --prompt" in terminal.shown
    assert not (tmp_path / "me").exists()


def test_no_program_plays_as_a_person() -> None:
    with pytest.raises(ConfigError, match="actor 'human' is a person at a terminal: play with `ictbench play --out"):
        ictbench.dry_run(actor="human", reflector="none")

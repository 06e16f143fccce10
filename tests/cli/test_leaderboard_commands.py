"""`ictbench leaderboard show`, `build`, `serve` and `log`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from boards import make_result, submit

from ictbench.cli import step_progress
from ictbench.results.schema import SuiteId
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from command_line import CommandLine

LOOPS = [("0000", "1111"), ("0000", "1110"), ("0000", "1101")]
READ = {"read": LOOPS}
OTHER, THIRD = {"read": LOOPS[::-1]}, {"read": LOOPS[1:] + LOOPS[:1]}


@pytest.fixture
def leaderboards(tmp_path: Path) -> Path:
    board = BoardFolder(tmp_path / "leaderboards" / "rooms-v1")
    submit(board, "good", make_result(READ, "rules"), name="Good [b]rules[/b]")
    submit(board, "waits", make_result(OTHER, "other"), badges=())
    return tmp_path / "leaderboards"


def test_the_ranking_is_shown(call: CommandLine, leaderboards: Path) -> None:
    code, out, _ = call("leaderboard", "show")
    assert code == 0
    (ranked,) = (line for line in out.splitlines() if "Good" in line)
    assert ranked.split()[:4] == ["1", "Good", "[b]rules[/b]", "rules"]
    assert "0.83 [" in ranked
    assert "the board has not replayed it: its numbers are those of the submitter" in out


@pytest.mark.parametrize("argument", ["rooms-v1", "leaderboards", "leaderboards/rooms-v1"])
def test_a_board_is_named_by_its_suite_or_a_folder(
    call: CommandLine, leaderboards: Path, tmp_path: Path, argument: str
) -> None:
    assert call("leaderboard", "show", argument) == call("leaderboard", "show")
    leaderboards.rename(tmp_path / "boards")
    code, out, _ = call("leaderboard", "show", argument.replace("leader", ""))
    assert (code, "Good" in out) == ((0, True) if "boards" in argument else (2, False))


@pytest.mark.parametrize("command", [("validate",), ("build", "--out", "site")])
def test_short_work_prints_no_progress(call: CommandLine, leaderboards: Path, command: tuple[str, ...]) -> None:
    _, _, err = call("leaderboard", *command, "--cache", "found")
    assert " of 2" not in err


def test_long_work_prints_plain_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_progress, "PLAIN_SECONDS", 0.01)
    lines = ""
    with step_progress.show_steps() as on_progress:
        on_progress("checking [b]rooms-v1", 3, 20)
        while lines.count("\n") < 2:  # also while one entry takes long
            lines += capsys.readouterr().err
    assert lines.splitlines()[-1] == "checking [b]rooms-v1: 3 of 20"


def test_failures_stand_below_the_ranking(call: CommandLine, leaderboards: Path) -> None:
    result = make_result(THIRD, "by-hand")
    behaviour = result.families[0].behaviour
    assert behaviour is not None
    failing = behaviour.model_copy(update={"failed_base": 8, "gain_unfailed": 0.25})
    family = result.families[0].model_copy(update={"behaviour": failing})
    submit(BoardFolder(leaderboards / "rooms-v1"), "failing", result.model_copy(update={"families": (family,)}))
    _, out, _ = call("leaderboard", "show")
    assert "failing: Failed test episodes, held-out: 8 of 12 under prompt[0], 0 under the best" in " ".join(out.split())


def test_ranks_and_numbers_stay_whole_on_a_narrow_terminal(
    call: CommandLine, leaderboards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = BoardFolder(leaderboards / "rooms-v1")
    submit(board, "both", make_result(THIRD, "by-hand"), name="Prompt written by hand", badges=("replayed", "rerun"))
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = call("leaderboard", "show", "--leaderboards", str(leaderboards))
    assert code == 0
    lines = out.splitlines()
    head = next(line for line in lines if line.startswith("rank"))
    row = next(line for line in lines if "Prompt" in line)
    assert head.split() == ["rank", "entry", "reflector", "best", "[95", "%]", "gain", "last", "over", "badges"]
    assert row.split()[:2] == ["1–2", "Prompt"]
    assert {"+0.83", "0.83", "replayed,"} <= set(row.split())
    assert max(len(line) for line in lines if not line.startswith("waits:")) <= 80
    assert lines[-2] == "waits: the board has not replayed it: its numbers are those of the submitter"


def test_the_ranking_is_printed_as_json(call: CommandLine, leaderboards: Path) -> None:
    code, out, _ = call("leaderboard", "show", "rooms-v1", "--leaderboards", str(leaderboards), "--json")
    assert code == 0
    shown = json.loads(out)
    assert [track["entries"] for track in shown["tracks"]] == [["good"]]
    assert {entry["slug"]: entry["section"] for entry in shown["entries"]} == {"good": "ranked", "waits": "waiting"}


def test_gains_by_suite_follow_the_boards(call: CommandLine, leaderboards: Path) -> None:
    assert "Gains by suite" not in call("leaderboard", "show").out
    other = make_result(OTHER, "rules", suite=SuiteId(name="caves-v1", digest="c" * 64))
    submit(BoardFolder(leaderboards / "caves-v1"), "good", other)
    _, _, matrix = call("leaderboard", "show").out.partition("Gains by suite\n")
    assert matrix.splitlines()[0].split()[-2:] == ["caves-v1", "rooms-v1"]
    assert matrix.count("+0.83 [") == 2
    assert "Gains by suite" not in call("leaderboard", "show", "caves-v1").out


def test_tables_and_site_are_built(call: CommandLine, leaderboards: Path) -> None:
    site = leaderboards.parent / "site"
    completed = call("leaderboard", "build", str(leaderboards), "--out", str(site))
    assert completed == (0, f"4 pages: {site / 'index.html'}\n", "")
    assert (leaderboards / "rooms-v1/tables/ranking.csv").is_file()


def test_a_maintainer_keeps_the_log(call: CommandLine, leaderboards: Path) -> None:
    log = ("leaderboard", "log", str(leaderboards / "rooms-v1"))
    assert call(*log, "added", "good", "--by", "us", "--reason", "new").code == 0
    assert call(*log, "removed", "good", "--by", "us", "--reason", "its author asked").code == 0
    code, out, _ = call(*log)
    assert code == 0
    assert [line[11:] for line in out.splitlines()] == [
        "added good, by us: new",
        "removed good, by us: its author asked",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "halls-v1", "--leaderboards", "."], "no board of 'halls-v1'; known: rooms-v1"),
        (["show", "nofolder"], "'nofolder' is neither a folder of boards nor the suite of one: leaderboards holds no"),
        (["show", "--leaderboards", "rooms-v1"], "rooms-v1 holds no board (a folder SUITE/submissions)"),
        (
            ["build", ".", "--out", "rooms-v1"],
            "rooms-v1 exists and is not a site built by ictbench; choose another --out",
        ),
        (["log", "rooms-v1", "added", "good"], "to log 'added', give the submission, --by and --reason"),
        (["log", "rooms-v1", "added", "nobody", "--by", "us", "--reason", "new"], "submissions/nobody"),
        (["log", "rooms-v1", "vanished", "good"], "'vanished' is not one of"),
    ],
)
def test_misuse_is_one_line(
    call: CommandLine, leaderboards: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(leaderboards)
    code, _, err = call("leaderboard", *arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_a_served_board_stops_on_interrupt(leaderboards: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("ictbench")),
        "leaderboard",
        "serve",
        str(leaderboards),
        "--port",
        "0",
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[0]
            with urllib.request.urlopen(address, timeout=60) as page:
                assert b"ictbench leaderboard" in page.read()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("command", ["show", "build", "validate"])
def test_a_folder_without_a_board_is_an_error(call: CommandLine, tmp_path: Path, command: str) -> None:
    (tmp_path / "empty" / "notes").mkdir(parents=True)
    code, out, err = call("leaderboard", command, "empty")
    assert (code, out) == (2, "")
    assert err == "ictbench: empty holds no board (a folder SUITE/submissions); name another folder\n"

"""`ictbench leaderboard show`, `build`, `serve` and `log`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from boards import made_up, submit

from ictbench.cli.app import main
from ictbench.submissions.layout import BoardFolder

READ = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1101")]}


@pytest.fixture
def leaderboards(tmp_path: Path) -> Path:
    board = BoardFolder(tmp_path / "leaderboards" / "rooms-v1")
    submit(board, "good", made_up(READ, "rules"), name="Good [b]rules[/b]")
    submit(board, "waits", made_up(READ, "other"), badges=())
    return tmp_path / "leaderboards"


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["ictbench", "leaderboard", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code if isinstance(caught.value.code, int) else 0


def test_the_ranking_is_shown(
    leaderboards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(leaderboards.parent)
    assert call(monkeypatch, "show") == 0
    said = capsys.readouterr().out
    (ranked,) = (line for line in said.splitlines() if "Good" in line)
    assert ranked.split()[:4] == ["1", "Good", "[b]rules[/b]", "rules"]
    assert "0.83 [" in ranked
    assert "the board has not replayed it: its numbers are those of the submitter" in said


def test_in_a_narrow_terminal_ranks_figures_and_words_stay_whole(
    leaderboards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    board = BoardFolder(leaderboards / "rooms-v1")
    submit(board, "both", made_up(READ, "by-hand"), name="Prompt written by hand", badges=("replayed", "rerun"))
    monkeypatch.setenv("COLUMNS", "80")
    assert call(monkeypatch, "show", "--leaderboards", str(leaderboards)) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(line for line in lines if line.startswith("rank"))
    row = next(line for line in lines if "Prompt" in line)
    assert head.split() == ["rank", "entry", "reflector", "best", "[95", "%]", "gain", "last", "blind", "badges"]
    assert row.split()[:2] == ["1–2", "Prompt"]
    assert {"+0.83", "0.83", "replayed,"} <= set(row.split())
    assert max(len(line) for line in lines if not line.startswith("waits:")) <= 80
    assert lines[-2] == "waits: the board has not replayed it: its numbers are those of the submitter"


def test_the_ranking_is_plain_data_for_programs(
    leaderboards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "show", "rooms-v1", "--leaderboards", str(leaderboards), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [track["entries"] for track in shown["tracks"]] == [["good"]]
    assert {entry["slug"]: entry["section"] for entry in shown["entries"]} == {"good": "ranked", "waits": "waiting"}


def test_tables_and_site_are_built(
    leaderboards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = leaderboards.parent / "site"
    assert call(monkeypatch, "build", str(leaderboards), "--out", str(site)) == 0
    assert capsys.readouterr() == (f"4 pages: {site / 'index.html'}\n", "")
    assert (leaderboards / "rooms-v1/tables/ranking.csv").is_file()


def test_a_maintainer_keeps_the_log(
    leaderboards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    board = str(leaderboards / "rooms-v1")
    said = ("--by", "us", "--reason", "new")
    assert call(monkeypatch, "log", board, "added", "good", *said) == 0
    assert call(monkeypatch, "log", board, "removed", "good", "--by", "us", "--reason", "its author asked") == 0
    capsys.readouterr()
    assert call(monkeypatch, "log", board) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[11:] for line in lines] == ["added good, by us: new", "removed good, by us: its author asked"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "halls-v1", "--leaderboards", "."], "no board of 'halls-v1'; known: rooms-v1"),
        (["show", "--leaderboards", "rooms-v1"], "rooms-v1 holds no board (a folder SUITE/submissions)"),
        (["build", ".", "--out", "rooms-v1"], "rooms-v1 exists and is no site that was built"),
        (["log", "rooms-v1", "added", "good"], "to log 'added', name the submission, --by and --reason"),
        (["log", "rooms-v1", "added", "nobody", "--by", "us", "--reason", "new"], "submissions/nobody"),
        (["log", "rooms-v1", "vanished", "good"], "'vanished' is not one of"),
    ],
)
def test_misuse_takes_one_line(
    leaderboards: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(leaderboards)
    assert call(monkeypatch, *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_served_board_stops_on_request(leaderboards: Path) -> None:
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
        assert process.stdout is not None
        address = process.stdout.readline().split()[0]
        with urllib.request.urlopen(address, timeout=10) as page:
            assert b"ictbench leaderboard" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0

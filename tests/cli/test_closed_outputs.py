"""Outputs that are closed, and folders that cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small_run import small_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from command_line import CommandLine

PROGRAM = [sys.executable, "-m", "ictbench"]
RUN = "run --families eat --loops 1 --turns 1 --selection-size 2 --test-size 2 --executor inline --out run"


def started(arguments: str, folder: Path, **streams: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*PROGRAM, *arguments.split()], cwd=folder, **streams)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("arguments", ["run --help", "--version", "tasks show minihack-v1", "models prices"])
def test_a_pipe_that_nobody_reads_ends_the_command_quietly(arguments: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = started(arguments, tmp_path, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    _, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (141, b"")


def test_a_run_goes_on_where_nobody_reads_its_progress(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = started(RUN, tmp_path, stdout=subprocess.PIPE, stderr=writer)
    os.close(writer)
    out, _ = command.communicate(timeout=120)
    assert command.returncode == 0
    assert b"Files: run" in out
    assert (tmp_path / "run/result.json").is_file()


@pytest.mark.parametrize(("closed", "arguments", "code"), [(">&-", "tasks list", 0), ("2>&-", "taks", 2)])
def test_a_command_works_without_an_output(closed: str, arguments: str, code: int, tmp_path: Path) -> None:
    script = f'"{sys.executable}" -m ictbench {arguments} {closed}'
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


WRITING = {
    "run --families eat --loops 1 --turns 1 --selection-size 2 --test-size 2": "--out",
    "run --families eat --out theirs/new": "--out",
    "run --families eat --out mine --cache theirs/cache.sqlite": "--cache",
    "demo": "--out",
    "report {run} --out theirs/report.html": "--out",
    "export {run} --format csv --out theirs/tables": "--out",
    "prompts {run} --out theirs/prompts": "--out",
    "prompts {run} --family eat --loop 0 --out theirs/prompt.txt": "--out",
    "verify {run} --record theirs/record.json": "--record",
    "rerun {run} --record theirs/record.json": "--record",
    "new env my_env --out theirs/my_env": "--out",
    "check {run} --against {run} --junit theirs/junit.xml": "another file",
    "train collect --families eat --loops 1 --turns 1 --out theirs/states": "--out",
    "data fetch alfworld --out theirs/data": "another folder",
}
"""Commands that write, with the remedy that an error must name."""

READING = (
    "show {run}",
    "runs {run}/..",
    "prompts {run}",
    "power {run}",
    "compare {run} {run}",
    "run --families eat --out {run} --dry-run",
)
"""Commands that write nothing."""

EACH = """
import contextlib, io, json, sys
from ictbench.cli.app import main

for line in sys.stdin.read().splitlines():
    sys.argv = ["ictbench", *line.split()]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main()
        except SystemExit as exit:
            code = exit.code or 0
    print(json.dumps([code, err.getvalue()]))
"""
"""Program that runs commands, one a line, and prints their exit codes and what they write to standard error."""


def outcomes(commands: Iterable[str], folder: Path) -> Iterator[tuple[str, int, str]]:
    """Run commands without the right to write into the folder, which root has unless it loses a capability."""
    lines = [command.format(run=small_run()) for command in commands]
    unprivileged = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*unprivileged, sys.executable, "-c", EACH],
        cwd=folder,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    for line, outcome in zip(lines, done.stdout.splitlines(), strict=True):
        code, err = json.loads(outcome)
        yield line, code, err


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder without the right to write, with another one in it."""
    (tmp_path / "theirs").mkdir(mode=0o555)
    tmp_path.chmod(0o555)
    yield tmp_path
    tmp_path.chmod(0o755)


def test_a_folder_of_somebody_else_is_an_error_of_one_line(read_only: Path) -> None:
    for (line, code, err), remedy in zip(outcomes(WRITING, read_only), WRITING.values(), strict=True):
        assert (code, err.count("\n")) == (2, 1), f"{line}: {err}"
        assert remedy in err, line
        assert "Errno" not in err, line
    assert os.listdir(read_only / "theirs") == []


def test_reading_commands_need_no_right_to_write(read_only: Path) -> None:
    assert [(line, code, err) for line, code, err in outcomes(READING, read_only) if (code, err) != (0, "")] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("show runs/frist", "runs/frist does not exist; did you mean runs/first?"),
        ("compare frist runs/first", "frist does not exist; did you mean runs/first?"),
        ("report frist.jsn", "frist.jsn does not exist; name the folder of a run, or a result file"),
        ("show nowhere", "nowhere does not exist; name the folder of a run"),
        ("verify runs/frist", "runs/frist does not exist; did you mean runs/first?"),
        ("models prices gpt-4.1-minni", "has 'gpt-4.1-minni' in its name; did you mean 'gpt-4.1-mini'?"),
        ("models prices zzz", "`ictbench models prices` lists all"),
        ("run --config no.yaml", "config no.yaml cannot be read: No such file or directory"),
        ("run --config bad.yaml", "config bad.yaml cannot be read: line 3, column 1: found unexpected end"),
        ("run --reflector file:no.txt --actor rules", "prompt file 'no.txt' cannot be read: No such file"),
    ],
)
def test_a_wrong_file_name_is_named_with_the_likely_one(call: CommandLine, arguments: str, message: str) -> None:
    Path("runs/first").mkdir(parents=True)
    Path("runs/first/run.json").touch()
    Path("bad.yaml").write_text("turns: 3\nloops: 'a\n", encoding="utf-8")
    code, out, err = call(*arguments.split())
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1

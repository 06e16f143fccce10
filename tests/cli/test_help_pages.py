from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

import ictbench
from ictbench.cli.app import app
from ictbench.cli.console import Console
from ictbench.cli.help_page import GROUPS, Command, Group, page_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from command_line import CommandLine

ROOT = Path(ictbench.__file__).parents[1]
WHOLE: Any = typer.main.get_command(app)


def commands(command: Any = WHOLE, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


ALL = dict(commands())
NAMES = [pytest.param(path, id=" ".join(path) or "ictbench") for path in ALL]


@pytest.mark.parametrize("path", NAMES)
def test_a_command_is_registered_with_a_page(path: tuple[str, ...]) -> None:
    """A new command names its group, its docs page and its examples: `app.command("x", **page(...))`."""
    command = ALL[path]
    assert isinstance(command, Command | Group), "register it with **page(...)"
    assert (command.rich_help_panel in GROUPS) == (len(path) == 1), command.rich_help_panel
    examples, _, docs = str(command.epilog).partition("\n\nDocs: ")
    for page in docs.removesuffix(" of the source").split(", "):
        assert (ROOT / page).is_file(), page
    lines = examples.splitlines()[1:]
    assert lines
    for line in lines:
        check_example(shlex.split(line), path)


def page_of(path: tuple[str, ...], width: int) -> str:
    context = ALL[path].context_class(ALL[path], info_name=" ".join(("ictbench", *path)))
    return "\n".join(line.plain for line in page_lines(ALL[path], context, width))


def check_example(words: list[str], path: tuple[str, ...]) -> None:
    """An example calls this command or a subcommand of it, with options that exist."""
    assert words[0] == "ictbench"
    called = tuple(words[1 : 1 + len(path)])
    assert called == path
    command, rest = ALL[path], words[1 + len(path) :]
    while isinstance(command, Group):
        command, rest = command.commands[rest[0]], rest[1:]
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in rest if word.startswith("-")} <= options
    command.make_context("example", rest, resilient_parsing=False)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("path", NAMES)
def test_a_page_cuts_no_name_and_keeps_to_the_width(path: tuple[str, ...], width: int) -> None:
    out = page_of(path, width)
    words = re.split(r"[\s,]+", out)
    for parameter in ALL[path].params:
        assert parameter.metavar or parameter.opts[-1] in words or parameter.name.upper() in words
    before_examples = out.partition("Examples:")[0]
    for line in before_examples.splitlines():
        # A longer line is one word, or the name of an option with its value.
        assert len(line) <= width or len(line.split()) <= 2 or line.startswith("Usage:"), line
    assert all(len(line) <= 90 for line in out.partition("Examples:")[2].splitlines())


@pytest.mark.parametrize(("flag", "most"), [("-h", 75), ("--help", 250)])
def test_the_short_page_names_every_option_and_explains_those_of_the_examples(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch, flag: str, most: int
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = call("run", flag)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) < most
    assert max(map(len, out.splitlines())) <= 80
    for parameter in ALL["run",].params:
        assert parameter.opts[-1] in re.split(r"[\s,]+", out)
    assert "Folder of the run" in out
    assert ("Maximum number of requests" in out or "Share of the probability" in out) == (flag == "--help")
    assert out.rstrip().endswith("All options: ictbench run --help") == (flag == "-h")


def test_both_pages_are_equal_where_all_options_are_explained(call: CommandLine) -> None:
    assert call("show", "-h") == call("show", "--help")


def test_an_option_means_the_same_value_everywhere() -> None:
    from ictbench.cli.option_values import metavar_of

    seen: dict[str, set[str]] = {}
    for command in ALL.values():
        for parameter in command.params:
            if parameter.param_type_name == "option" and not parameter.is_flag:
                value = metavar_of(parameter, command.context_class(command))
                if "|" not in value:
                    assert value.isupper(), parameter.opts
                    seen.setdefault(parameter.opts[0], set()).add(value)
    assert {name: values for name, values in seen.items() if len(values) > 1} == {
        "--cache": {"FOLDER", "FILE"},
        "--out": {"FOLDER", "FILE"},
    }


@pytest.mark.parametrize(
    ("arguments", "problem", "page"),
    [
        (["run", "--famlies", "zap"], "--famlies is not an option of ictbench run; did you mean '--families'?", "run"),
        (["run", "--turns", "x"], "--turns: 'x' is not a whole number", "run"),
        (["leaderboard", "shw"], "'shw'. Did you mean 'show'?", "leaderboard"),
        (["check", "a"], "'--against'", "check"),
    ],
)
def test_an_error_points_to_the_help_of_its_command(
    call: CommandLine, arguments: list[str], problem: str, page: str
) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert problem in err
    assert err.rstrip().lower().endswith(f"{'?' if problem.endswith('?') else ';'} see ictbench {page} --help")


@pytest.mark.parametrize("path", [(), ("tasks",)])
def test_a_group_without_a_command_prints_its_page_and_no_error(call: CommandLine, path: tuple[str, ...]) -> None:
    code, out, err = call(*path)
    assert (code, err) == (2, "")
    assert out.startswith("Usage: ictbench")


def test_tables_and_consoles_of_commands_are_ours() -> None:
    """Tables of rich cut cells on a narrow terminal, and its console obeys control characters."""
    for file in (ROOT / "ictbench/cli").glob("*.py"):
        text = file.read_text("utf-8")
        assert "rich.table" not in text, file
        assert file.name == "console.py" or not re.search(r"rich\.console import .*\bConsole\b", text), file


@pytest.mark.parametrize("columns", ["0", "1", "17", "40", "300"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_pages_and_tables_are_printed_on_any_terminal(columns: str, encoding: str, tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": columns, "PYTHONIOENCODING": encoding, "TERM": "dumb", "NO_COLOR": "1"}
    for arguments in (["run", "--help"], ["tasks", "show", "minihack-v1"]):
        done = subprocess.run(
            [sys.executable, "-c", "from ictbench.cli.app import main; main()", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
        )
        out = done.stdout.decode(encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        assert "\x1b" not in out
        assert ("--reflector-reasoning-effort" in out) if arguments[0] == "run" else ("room-random" in out)


def test_colours_are_for_terminals_that_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def printed(**environment: str) -> str:
        for name in ("NO_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        raw = io.StringIO()
        console = Console(file=raw, force_terminal=True, width=80)
        for line in page_lines(ALL["run",], ALL["run",].context_class(ALL["run",]), 80):
            console.print(line)
        return raw.getvalue()

    assert "\x1b[36m" in printed(TERM="xterm-256color")
    assert "\x1b[36m" not in printed(TERM="xterm-256color", NO_COLOR="1")


def test_the_docs_name_every_command_in_its_group() -> None:
    text = (ROOT / "docs/command-line.md").read_text("utf-8")
    for path, command in ALL.items():
        if len(path) == 1:
            row = re.search(rf"^\| {command.rich_help_panel} \|.*$", text, re.MULTILINE)
            assert row
            assert f"`{path[0]}`" in row[0]

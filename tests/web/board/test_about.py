from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from boards import make_result, submit

from ictbench.board import board_log as log
from ictbench.board.entries import read_board
from ictbench.cli.app import app
from ictbench.errors import SubmissionError
from ictbench.submissions.layout import BoardFolder
from ictbench.web.board.about import About, about_document, about_entry, last_update, read_about
from ictbench.web.board.bibtex import SOFTWARE_AUTHOR, bibtex_entry, paper_entry
from ictbench.web.bundle import WEB

READ = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1101")]}


@pytest.fixture
def folder(tmp_path: Path) -> BoardFolder:
    folder = BoardFolder(tmp_path / "boards" / "rooms-v1")
    submit(folder, "good", make_result(READ, "rules"), name="100 % of {it}")
    return folder


def test_statements_are_read_from_the_folder_of_the_boards(tmp_path: Path) -> None:
    assert read_about(tmp_path) == About()
    (tmp_path / "about.yaml").write_text("repository: https://example.org/x\nlicence: CC-BY-4.0\n")
    assert read_about(tmp_path) == About(repository="https://example.org/x", licence="CC-BY-4.0")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("repository: javascript:alert(1)", "repository"),
        ("repositry: https://example.org/", "repositry"),
        ("- a", "mapping"),
        ("a: [", "about.yaml"),
    ],
)
def test_bad_statements_are_refused_with_their_place(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "about.yaml").write_text(text)
    with pytest.raises(SubmissionError, match=named):
        read_about(tmp_path)


def test_last_update_is_the_day_of_the_last_line_of_the_log(folder: BoardFolder) -> None:
    board = read_board(folder)
    assert last_update(board) == board.entries[0].submission.date
    line = log.append(folder.log, "attempted", "other", by="someone", reason="It was forged.")
    assert last_update(read_board(folder)) == line.date.date()
    assert about_document(About(), [])["updated"] is None


def test_citation_names_entry_board_and_paper(folder: BoardFolder) -> None:
    board = read_board(folder)
    text = about_entry(About(), about_document(About(), [board]), board.entries[0])["bibtex"]
    assert text.count("\n@") == 2
    assert "@misc{ictbench-rooms-v1-good,\n  title = {{100 \\% of \\{it\\}: entry of" in text
    assert "@misc{ictbench-rooms-v1,\n" in text
    assert text.count("{") == text.count("}")


def test_special_characters_are_escaped() -> None:
    assert bibtex_entry("k", {"note": "a_b & 5 % #1 $x ~^\\", "url": "https://x/a_b", "year": None}) == (
        "@misc{k,\n  note = {a\\_b \\& 5 \\% \\#1 \\$x \\textasciitilde{}\\textasciicircum{}\\textbackslash{}},\n"
        "  url = {https://x/a_b},\n}"
    )


def test_citation_agrees_with_the_citation_file() -> None:
    stated = yaml.safe_load((Path(__file__).parents[3] / "CITATION.cff").read_text("utf-8"))
    (paper,) = stated["references"]
    assert stated["authors"] == [{"name": SOFTWARE_AUTHOR}]
    entry = paper_entry()
    assert f"title = {{{{{paper['title']}}}}}" in entry
    assert " and ".join(author["family-names"] for author in paper["authors"]) in entry
    assert paper["identifiers"][0]["value"].removeprefix("arXiv:") in entry


def test_the_commands_that_pages_print_have_options_of_the_program() -> None:
    program: Any = typer.main.get_command(app)
    text = (WEB / "board/assets/about.js").read_text("utf-8")
    found = re.findall(r'"ictbench (run|submit) ([^"]*)"|`ictbench (run|submit) ([^`]*)`', text)
    commands = {one or other: line or text for one, line, other, text in found}
    assert commands.keys() == {"run", "submit"}
    for name, line in commands.items():
        known = {option for parameter in program.commands[name].params for option in parameter.opts}
        assert {*re.findall("--[a-z-]+", line)} <= known

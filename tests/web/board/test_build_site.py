from __future__ import annotations

import base64
import errno
import gzip
import hashlib
import json
import re
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from boards import make_result, submit, with_metadata

from ictbench.board.entries import read_board
from ictbench.board.ranking import rank
from ictbench.errors import SubmissionError
from ictbench.records import PluginSpec, Usage
from ictbench.results.experience_gate import learned_sentence
from ictbench.results.schema import SuiteId
from ictbench.submissions.layout import BoardFolder
from ictbench.web.board import build_site
from ictbench.web.board.build_site import write_site
from ictbench.web.board.entry_page import BoardIndex, entry_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ictbench.board.bad_entry import BadEntry

READ = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1101")]}
OTHER = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1011")]}
NO_COST = {"usd": 0.0, "calls": 0, "input_tokens": 0, "output_tokens": 0}
SCRIPT = "</script><script>alert(1)</script><!-- {{document}}"


@pytest.fixture
def folder(tmp_path: Path) -> BoardFolder:
    folder = BoardFolder(tmp_path / "boards" / "rooms-v1")
    submit(folder, "good", make_result(READ, "rules"))
    submit(folder, "bad", make_result({"read": [("0000", "0000")] * 3}, "none"))
    submit(folder, "small", make_result(OTHER, "tiny", profile="quick", ranked=False), unranked=True)
    return folder


def content(page: Path, element_id: str) -> Any:
    """Return the JSON of an element of a page, decompressed if needed."""
    match = re.search(rf'<script type="([^"]*)" id="{element_id}">([^<]*)</script>', page.read_text("utf-8"))
    assert match is not None
    return json.loads(zlib.decompress(base64.b64decode(match[2])) if "base64" in match[1] else match[2])


def test_site_has_a_page_for_every_suite_and_every_entry(folder: BoardFolder, tmp_path: Path) -> None:
    pages = build_site(folder.path.parent, tmp_path / "site")
    names = [page.relative_to(tmp_path / "site").as_posix() for page in pages]
    entries = [f"rooms-v1/entries/{slug}.html" for slug in ("bad", "good", "small")]
    assert names == ["index.html", "rooms-v1/index.html", *entries]
    assert all(page.is_file() for page in pages)
    assert sorted(path.name for path in folder.tables.iterdir()) == sorted(
        path.name for path in (tmp_path / "site/rooms-v1/tables").iterdir()
    )


def test_pages_contain_the_numbers_of_the_board(folder: BoardFolder, tmp_path: Path) -> None:
    pages = build_site(folder.path.parent, tmp_path / "site", tables=False)
    assert not folder.tables.exists()
    board = content(pages[1], "document")
    (track,) = board["tracks"]
    assert (track["name"], track["scripted"], track["entries"]) == ("lite, rules", True, ["good", "bad"])
    by_slug = {entry["slug"]: entry for entry in content(pages[1], "board")["entries"]}
    assert (by_slug["good"]["ranks"], by_slug["small"]["ranks"]) == ([1, 2], None)
    assert by_slug["small"]["why"] == "the quick profile is never ranked"
    families = content(pages[1], f"families-{track['key']}")
    assert {slug: values["read"]["best"]["value"] for slug, values in families.items()} == {"good": 0.83333, "bad": 0.0}
    curves = content(pages[1], f"curves-{track['key']}-0")
    assert list(curves) == ["good", "bad"]
    assert [point["value"] for point in curves["good"]["read"]] == [0.0, 1.0]
    entry, run = content(pages[3], "document"), content(pages[3], "report")["runs"][0]
    (pair,) = entry["pairs"]
    assert (pair["slug"], pair["verdict"]) == ("bad", "tie")
    assert pair["difference"]["value"] == pytest.approx(10 / 12, abs=1e-5)
    assert [badge["record"] is not None for badge in entry["badges"]] == [True, False]
    assert run["families"][0]["loops"][0]["prompts"][1]["text"] == "p1"


def test_difference_has_the_opposite_sign_on_the_page_of_the_other_entry(folder: BoardFolder, tmp_path: Path) -> None:
    pages = build_site(folder.path.parent, tmp_path / "site")
    (of_bad,), (of_good,) = (content(page, "document")["pairs"] for page in pages[2:4])
    assert of_bad["difference"]["value"] == -of_good["difference"]["value"]
    assert of_bad["difference"]["low"] == -of_good["difference"]["high"]


def test_equal_boards_make_equal_sites(folder: BoardFolder, tmp_path: Path) -> None:
    first, second = (
        {page.name: page.read_bytes() for page in build_site(folder.path.parent, tmp_path / name)} for name in "ab"
    )
    assert first == second


def test_older_site_is_replaced_but_other_folders_are_not(folder: BoardFolder, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build_site(folder.path.parent, site)
    (site / "rooms-v1/entries/gone.html").write_text("", encoding="utf-8")
    build_site(folder.path.parent, site)
    assert not (site / "rooms-v1/entries/gone.html").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/index.html").write_text("mine", encoding="utf-8")
    for target in (tmp_path / "mine", folder.path.parent, folder.submission("good").result):
        with pytest.raises(SubmissionError, match="is not a site built by ictbench; choose another --out"):
            build_site(folder.path.parent, target)
    assert (tmp_path / "mine/index.html").read_text("utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boards", "mine", "site"]


def test_unreadable_board_leaves_the_older_site_unchanged(folder: BoardFolder, tmp_path: Path) -> None:
    pages = build_site(folder.path.parent, tmp_path / "site")
    before = pages[1].read_bytes()
    folder.log.write_text("{}\n", encoding="utf-8")
    with pytest.raises(SubmissionError, match=r"log .*log\.jsonl, line 1"):
        build_site(folder.path.parent, tmp_path / "site")
    assert pages[1].read_bytes() == before


def remove_file(folder: BoardFolder) -> None:
    folder.submission("good").episodes.unlink()


def spoil_metadata(folder: BoardFolder) -> None:
    folder.submission("good").metadata.write_text("{}", encoding="utf-8")


def spoil_shown_episodes(folder: BoardFolder) -> None:
    # Only the page of the entry reads them.
    submission = submit(folder, "good", make_result(READ, "rules"))
    shown = folder.submission("good").trajectories
    shown.write_bytes(gzip.compress(b"{}\n", mtime=0))
    files = dict(submission.files) | {shown.name: hashlib.sha256(shown.read_bytes()).hexdigest()}
    changed = submission.model_copy(update={"files": files})
    folder.submission("good").metadata.write_text(changed.model_dump_json(by_alias=True), encoding="utf-8")


def make_numbers_huge(folder: BoardFolder) -> None:
    spent = {"test": Usage(cost=1.7e308), "selection": Usage(cost=1.7e308)}
    submit(folder, "good", make_result(READ, "rules", cost=spent), cost=NO_COST)


def add_a_ragged_result(folder: BoardFolder) -> None:
    # Each loop agrees with itself, and their outcomes are no table.
    result = make_result(READ, "rules")
    family = result.families[0]
    first = family.loops[0]
    short = first.model_copy(update={"test_tasks": first.test_tasks[:1], "test": {0: "0", 1: "1"}})
    family = family.model_copy(update={"loops": (short, *family.loops[1:])})
    submit(folder, "good", result.model_copy(update={"families": (family,)}))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (remove_file, "lacks episodes.jsonl.gz"),
        (spoil_metadata, "does not fit its schema"),
        (spoil_shown_episodes, "line 1 does not fit its schema"),
        (make_numbers_huge, "is too large (beyond 10^15)"),
        (add_a_ragged_result, "ValueError"),
    ],
)
def test_bad_entry_is_shown_with_its_reason_and_stops_no_other(
    folder: BoardFolder, tmp_path: Path, spoil: Callable[[BoardFolder], None], reason: str
) -> None:
    spoil(folder)
    bad: list[BadEntry] = []
    pages = build_site(folder.path.parent, tmp_path / "site", on_bad=lambda board, one: bad.append(one))
    assert [page.stem for page in pages[2:]] == ["bad", "small"]
    board = content(pages[1], "document")
    assert [entry["slug"] for entry in content(pages[1], "board")["entries"]] == ["bad", "small"]
    assert board["bad"] == [{"slug": "good", "reason": bad[0].reason}]
    assert reason in bad[0].reason
    assert reason in (folder.tables / "unranked.csv").read_text("utf-8")
    assert reason.partition("(")[0] in (folder.tables / "board.md").read_text("utf-8")


def test_error_of_the_system_is_no_fault_of_an_entry(
    folder: BoardFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys.modules["ictbench.web.board.build_site"], "write_tables", full)
    with pytest.raises(SubmissionError, match="No space left on device"):
        build_site(folder.path.parent, tmp_path / "site")


def test_hostile_text_cannot_end_or_begin_an_element(folder: BoardFolder, tmp_path: Path) -> None:
    board = with_metadata(
        read_board(folder),
        "good",
        name=SCRIPT,
        description=SCRIPT,
        submitted_by=SCRIPT,
        instruction=SCRIPT,
        links=("javascript:alert(1)",),
    )
    plain = write_site([read_board(folder)], tmp_path / "plain")
    hostile = write_site([board], tmp_path / "hostile")
    for expected, page in zip(plain, hostile, strict=True):
        for tag in ("<script", "</script", "<!--"):
            assert page.read_text("utf-8").count(tag) == expected.read_text("utf-8").count(tag)
    assert content(hostile[1], "board")["entries"][1]["name"] == SCRIPT


def test_empty_board_has_a_page(tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / "boards" / "rooms-v1")
    folder.submissions.mkdir(parents=True)
    pages = build_site(folder.path.parent, tmp_path / "site")
    assert [page.name for page in pages] == ["index.html", "index.html"]
    assert content(pages[1], "document")["tracks"] == []


def test_an_entry_page_says_what_the_gate_says_of_arms_that_were_rerun(tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / "boards" / "rooms-v1")
    options = {"reflector": {"label": "rules", "name": "rules", "options": {}}}
    blind = PluginSpec(label="blind:rules", name="blind", options=options)
    control: dict[str, Any] = {"reflector": blind, "control": "it is shown no trajectory", "ranked": False}
    rules, arm = make_result(READ, "rules"), make_result({"read": [("0000", "0000")] * 3}, **control)
    submit(folder, "rules", rules)
    submit(folder, "blind", arm, badges=("replayed",))
    assert not any("learned from experience" in line for line in notes_of(folder, "rules"))
    submit(folder, "blind", arm, badges=("replayed", "rerun"))
    assert learned_sentence(rules, [arm]) in notes_of(folder, "rules")
    assert not any("learned from experience" in line for line in notes_of(folder, "blind"))


def notes_of(folder: BoardFolder, slug: str) -> list[str]:
    board = read_board(folder)
    entry = next(entry for entry in board.entries if entry.slug == slug)
    lines: list[str] = entry_document(BoardIndex(board, rank(board.entries)), entry)["notes"]
    return lines


def test_the_index_has_the_gains_of_learners_on_several_boards(folder: BoardFolder, tmp_path: Path) -> None:
    boards = folder.path.parent
    caves = make_result(OTHER, "rules", suite=SuiteId(name="caves-v1", digest="c" * 64))
    submit(BoardFolder(boards / "caves-v1"), "cave", caves)
    index, *_ = build_site(boards, tmp_path / "site")
    gains = content(index, "document")["gains"]
    (row,) = gains["rows"]
    assert gains["suites"] == ["caves-v1", "rooms-v1"]
    assert row["labels"] == ["rules", "nothing", "rules", "lite"]
    assert [[(entry["slug"], entry["gain"]["value"]) for entry in cell] for cell in row["cells"]] == [
        [("cave", 0.83333)],
        [("good", 0.83333)],
    ]
    for name in ("suites.csv", "suites.md"):
        assert (boards / name).read_bytes() == (tmp_path / "site" / name).read_bytes()

"""Validation that remembers: what passed is not checked again, and nothing else is ever taken as passed."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from boards import make_result, submit

from ictbench.board import examine
from ictbench.board.finding_cache import FindingCache
from ictbench.board.validate import validate
from ictbench.results.schema import checksum_of
from ictbench.submissions.evidence_location import ALWAYS
from ictbench.submissions.evidence_store import file_name, write_files
from ictbench.submissions.layout import BoardFolder, SubmissionFolder

if TYPE_CHECKING:
    from pathlib import Path

SUITE = "minihack-v1"


class Board:
    """A board with one honest submission, and the names of those that were checked."""

    def __init__(self, honest: SubmissionFolder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = BoardFolder(folder / "leaderboards" / SUITE)
        self.cache = folder / "cache"
        self.checked: list[str] = []
        self.steps: list[tuple[str, int, int]] = []
        self.add(honest, "honest")
        check = examine._submission_problems

        def counting(content: Any, *args: Any, **options: Any) -> Any:
            self.checked.append(content.folder.slug)
            return check(content, *args, **options)

        monkeypatch.setattr(examine, "_submission_problems", counting)

    def add(self, honest: SubmissionFolder, slug: str) -> SubmissionFolder:
        folder = self.folder.submission(slug)
        shutil.copytree(honest.path, folder.path)
        return folder

    def validate(self, slug: str | None = None) -> list[str]:
        """Return the problems, with an own cache object as in an own process."""
        self.checked.clear()
        self.steps.clear()
        boards = self.folder.path.parent
        progress = lambda *step: self.steps.append(step)  # noqa: E731 - one expression
        return [
            str(problem) for problem in validate(boards, slug, findings=FindingCache(self.cache), on_progress=progress)
        ]


@pytest.fixture
def board(honest: SubmissionFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    return Board(honest, tmp_path, monkeypatch)


def forge(folder: SubmissionFolder) -> None:
    """Claim another success rate, with digests that fit."""
    result = json.loads(folder.result.read_bytes())
    result["by_role"]["held-out"]["best"]["value"] = 0.99
    result["checksum"] = checksum_of(result)
    folder.result.write_text(json.dumps(result), encoding="utf-8")
    restate(folder)


def restate(folder: SubmissionFolder) -> None:
    stated = json.loads(folder.metadata.read_bytes())
    stated["files"] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.content}
    folder.metadata.write_text(json.dumps(stated), encoding="utf-8")


def test_only_new_and_changed_submissions_are_checked(board: Board, honest: SubmissionFolder) -> None:
    assert board.validate() == []
    assert board.checked == ["honest"]
    assert ("checking minihack-v1", 1, 1) in board.steps
    assert board.validate() == []
    assert board.checked == []
    assert board.steps == [("reading", 1, 1)]
    copy = board.add(honest, "copy")
    problems = board.validate()
    assert board.checked == ["copy"]
    assert sum("it is a copy of that run" in problem for problem in problems) == 2
    shutil.rmtree(copy.path)
    stated = json.loads(board.folder.submission("honest").metadata.read_bytes())
    stated["description"] = "Another description."
    board.folder.submission("honest").metadata.write_text(json.dumps(stated), encoding="utf-8")
    assert board.validate() == []
    assert board.checked == ["honest"]


def test_problems_are_found_each_time(board: Board) -> None:
    board.validate()
    forge(board.folder.submission("honest"))
    first = board.validate()
    assert first
    assert board.validate() == first
    assert board.checked == ["honest"]


def test_file_that_changed_without_its_digest_is_a_problem(board: Board) -> None:
    board.validate()
    episodes = board.folder.submission("honest").episodes
    status = episodes.stat()
    content = episodes.read_bytes()
    episodes.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(episodes, ns=(status.st_atime_ns, status.st_mtime_ns))
    (problem,) = board.validate()
    assert "episodes.jsonl.gz was changed" in problem


def test_forged_submission_does_not_pass_by_the_cache_of_an_honest_one(board: Board) -> None:
    board.validate()
    passed = {path: path.read_bytes() for path in board.cache.rglob("*") if path.is_file()}
    forge(board.folder.submission("honest"))
    reasons = board.validate()
    # What the honest one left, in the place of every file that the forged one looks for.
    for path in [path for path in board.cache.rglob("*") if path.is_file()]:
        for content in passed.values():
            path.write_bytes(content)
            assert board.validate() == reasons


def test_one_submission_is_compared_with_those_that_are_known(board: Board, honest: SubmissionFolder) -> None:
    board.validate()
    board.add(honest, "copy")
    problems = board.validate("copy")
    assert board.checked == ["copy"]
    assert all(problem.startswith("minihack-v1/submissions/copy: ") for problem in problems)
    assert any("it is a copy of that run" in problem for problem in problems)
    # Comparison alone does not make a submission one that passed.
    shutil.rmtree(board.cache)
    board.validate("copy")
    board.validate()
    assert board.checked == ["copy", "honest"] or board.checked == ["honest"]


def test_submission_that_moves_to_the_ranked_ones_is_checked_again(board: Board) -> None:
    board.folder.unranked.mkdir()
    board.folder.submission("honest").path.rename(board.folder.shown("honest").path)
    board.validate()
    assert board.checked == ["honest"]
    board.folder.shown("honest").path.rename(board.folder.submission("honest").path)
    board.validate()
    assert board.checked == ["honest"]


def test_stores_that_cannot_be_read_are_problems_and_stop_nothing(board: Board) -> None:
    honest = board.folder.submission("honest")
    evidence = {name: (honest.path / name).read_bytes() for name in ALWAYS}
    stated = json.loads(honest.metadata.read_bytes())
    stated["evidence"] = {"store": "board", "sizes": {name: len(content) for name, content in evidence.items()}}
    honest.metadata.write_text(json.dumps(stated), encoding="utf-8")
    write_files(board.folder.evidence, {file_name(stated["files"][name]): evidence[name] for name in evidence})
    for name in evidence:
        (honest.path / name).unlink()
    assert board.validate() == []
    board.folder.stores.write_text("stores: 3", encoding="utf-8")
    problems = board.validate()
    assert [problem.partition(": ")[0] for problem in problems] == [SUITE, f"{SUITE}/submissions/honest"]
    assert all("evidence.yaml does not fit its schema" in problem for problem in problems)


def test_many_submissions_are_checked_in_processes_with_the_same_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = BoardFolder(tmp_path / "leaderboards" / SUITE)
    for number in range(7):
        submit(folder, f"entry-{number}", make_result({"read": [("0000", f"111{number % 2}")] * 3}, f"r{number}"))
    shown = folder.submission("entry-3").trajectories
    shown.write_bytes(gzip.compress(b"{}\n", mtime=0))
    monkeypatch.setattr(examine, "cores", lambda: 1)
    one = [str(problem) for problem in validate(tmp_path / "leaderboards")]
    monkeypatch.setattr(examine, "cores", lambda: 2)
    steps: list[tuple[str, int, int]] = []
    two = list(validate(tmp_path / "leaderboards", on_progress=lambda *step: steps.append(step)))
    assert [str(problem) for problem in two] == one
    assert len({problem.where for problem in two}) == 7
    assert steps[-1] == (f"checking {SUITE}", 7, 7)

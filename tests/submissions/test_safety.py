"""Validation of hostile submissions: bounded time and memory, nothing imported, written or started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from attacks_on_files import GIGABYTES, bomb, in_metadata, in_result
from forgery import Forgery, pack
from honest import SUITE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import positions, replace_value, values

from ictbench.board.board_log import append
from ictbench.board.entries import read_board
from ictbench.board.examine import check_submission
from ictbench.board.validate import validate
from ictbench.errors import SubmissionError
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from ictbench.submissions.layout import SubmissionFolder

MEMORY = 1_500_000_000
"""Bytes of address space: the needs of Python and its packages plus about 300 MB."""

LIMITED_VALIDATION = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from ictbench.cli.app import main
sys.argv[1:1] = ["leaderboard", "validate"]
main()
"""

AUDITED_VALIDATION = """
import sys
seen = []
def watch(event, arguments):
    if event == "import" and arguments[0].partition(".")[0] in {"trap", "nle", "minihack", "gymnasium", "alfworld"}:
        seen.append(f"imports {arguments[0]}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(f"writes {arguments[0]}")
    if event.partition(".")[0] in {"subprocess", "socket", "shutil", "ctypes", "pty", "urllib", "pickle"} or event in {
        "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.remove", "os.rename", "os.mkdir", "os.symlink",
    }:
        seen.append(f"{event} {arguments!r:.80}")
from pathlib import Path
from ictbench.board.validate import validate
import ictbench.audit.replay
before = set(sys.modules)
sys.addaudithook(watch)
problems = list(map(str, validate(Path(sys.argv[1]))))
new = {name.partition(".")[0] for name in set(sys.modules) - before}
import json
print(json.dumps({"problems": problems, "seen": seen, "new": sorted(new)}))
"""


def python(script: str, *arguments: str, timeout: float = 120, path: Path | None = None) -> Any:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    if path:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment,
    )


def submission_path(folder: Path) -> Path:
    return folder / "boards" / SUITE / "submissions" / "x"


def test_honest_submission_has_no_problem(honest: SubmissionFolder) -> None:
    process = python(LIMITED_VALIDATION, str(honest.path.parents[2]))
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.endswith(": no problems\n")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("episodes.jsonl.gz", lambda f: bomb(GIGABYTES)),
        ("trajectories.jsonl.gz", lambda f: bomb(GIGABYTES)),
        ("episodes.jsonl.gz", lambda f: bomb(GIGABYTES, (b'{"key": "' + b"a" * 50_000 + b'"}\n') * 1_000)),
        ("episodes.jsonl.gz", lambda f: pack(f.episodes * 200)),
        ("result.json", in_result("[" * 4_000_000)),
        ("result.json", in_result("[" + "[]," * 190_000 + "0]")),
        ("result.json", in_result(json.dumps([{"a": 1}] * 190_000))),
        ("result.json", lambda f: json.dumps({**f.result, "families": ["x"] * 190_000}).encode()),
        ("submission.json", in_metadata("9" * 9_000_000)),
        ("submission.json", lambda f: json.dumps({**f.metadata, "name": "x" * 9_000_000}).encode()),
    ],
    ids=["zeros", "shown", "lines", "repeated", "deep", "lists", "objects", "errors", "digits", "name"],
)
def test_harmful_files_take_bounded_time_and_memory(
    file: str, content: Any, honest: SubmissionFolder, tmp_path: Path
) -> None:
    forgery = Forgery.of(honest)
    forgery.files[file] = content(forgery)
    forgery.write(submission_path(tmp_path))
    process = python(LIMITED_VALIDATION, str(tmp_path / "boards"))
    assert process.returncode == 1, process.stderr
    assert process.stderr == ""
    assert process.stdout.count("\n") <= 3


def test_names_in_a_submission_are_never_imported(honest: SubmissionFolder, tmp_path: Path) -> None:
    """Importing a name would run a trap. An audit hook records imports, writes, processes and connections."""
    traps = tmp_path / "traps"
    traps.mkdir()
    (traps / "trap.py").write_text("raise SystemExit('caught')\n", encoding="utf-8")
    for number, trapped in enumerate((False, True)):
        forgery = Forgery.of(honest)
        if trapped:
            name = {"name": "trap:Class", "options": {"reflector": {"name": "trap:Class"}}}
            for role in ("actor", "reflector"):
                forgery.result[role].update(name)
            forgery.result["actor"]["model"] = {"provider": "trap:Model", "model": "trap"}
            for record in forgery.episodes[1::2]:
                record["task"]["env"] = "trap:Env"
            # Otherwise it would be a copy of the other one.
            forgery.metadata["name"] = "Trap"
            forgery.loop()["selection"][-1] = forgery.loop()["selection"][-1][::-1]
        forgery.write(submission_path(tmp_path).with_name(f"x{number}"))
    process = python(AUDITED_VALIDATION, str(tmp_path / "boards"), path=traps)
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    assert report["seen"] == []
    assert not {"trap", "nle", "minihack", "alfworld"} & {*report["new"]}
    assert report["problems"]
    assert all("submissions/x1: " in problem for problem in report["problems"])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(part=st.sampled_from(["metadata", "result", "trajectories"]), position=positions, new=values)
def test_arbitrary_values_cause_no_crash_and_change_no_measure(
    honest: SubmissionFolder, scratch: Path, part: str, position: list[int], new: Any
) -> None:
    forgery = Forgery.of(honest)
    replace_value(getattr(forgery, part), position, new)
    shutil.rmtree(scratch, ignore_errors=True)
    forgery.derived = False
    if accepted(forgery.write(scratch / "x")):
        before = Forgery.of(honest).result
        for name in ("suite", "profile", "sizes", "reflector", "actor", "by_role"):
            assert forgery.result[name] == before[name]
        for family, honest_family in zip(forgery.result["families"], before["families"], strict=True):
            assert family["measures"] == honest_family["measures"]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(position=positions, new=values)
def test_arbitrary_values_in_records_cause_no_crash_and_change_no_outcome(
    honest: SubmissionFolder, scratch: Path, position: list[int], new: Any
) -> None:
    forgery = Forgery.of(honest)
    replace_value(forgery.episodes, position, new)
    shutil.rmtree(scratch, ignore_errors=True)
    if accepted(forgery.write(scratch / "x")):
        assert outcomes(forgery) == outcomes(Forgery.of(honest))


def accepted(folder: SubmissionFolder) -> bool:
    """Return whether the checks find no problem, after checking that none of them crashes."""
    problems = list(check_submission(folder, SUITE))
    assert not [problem for problem in problems if "\n" in problem or "it cannot be checked" in problem]
    return not problems


def outcomes(forgery: Forgery) -> list[tuple[str, str]]:
    return [(record["key"], record["trajectory"]["end"]) for record in forgery.episodes]


def test_log_and_verification_records_are_validated(tmp_path: Path) -> None:
    board = BoardFolder(tmp_path / SUITE)
    board.submissions.mkdir(parents=True)
    append(board.log, "added", "mine", by="us", reason="new", submission="1" * 64)
    append(board.log, "removed", "mine", by="us", reason="its author asked")
    assert list(validate(tmp_path)) == []
    board.log.write_text(board.log.read_text(encoding="utf-8").replace("new", "old"), encoding="utf-8")
    record = board.verification("mine", "replayed")
    record.parent.mkdir(parents=True)
    record.write_text("[" * 1000, encoding="utf-8")
    log, verification = (problem.what for problem in validate(tmp_path))
    assert "line 2 does not follow the line before it" in log
    assert "replayed.json is not a verification record" in verification


def test_error_of_any_kind_is_a_problem_of_its_submission(
    honest: SubmissionFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(content: object, suite: str, *, submitted: bool) -> Iterator[str]:
        yield "something else"
        raise OverflowError("integer too large")

    board = BoardFolder(tmp_path / SUITE)
    shutil.copytree(honest.path, board.submission("mine").path)
    monkeypatch.setattr(sys.modules["ictbench.board.examine"], "_submission_problems", fail)
    assert [problem.what for problem in validate(tmp_path)] == [
        "something else",
        "it cannot be checked: OverflowError: integer too large",
    ]


def test_links_among_log_and_verification_records_are_not_followed(tmp_path: Path) -> None:
    board = BoardFolder(tmp_path / SUITE)
    board.submissions.mkdir(parents=True)
    board.log.symlink_to("/dev/zero")
    (board.path / "verifications").symlink_to("/")
    log, verifications = (problem.what for problem in validate(tmp_path))
    assert "log.jsonl cannot be read: it is a symbolic link" in log
    assert "is not a folder but a symbolic link" in verifications
    with pytest.raises(SubmissionError, match="it is a symbolic link"):
        read_board(board)

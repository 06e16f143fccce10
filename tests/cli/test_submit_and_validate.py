from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from evidence_server import allow, evidence_server, move_out

import ictbench
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from command_line import CommandLine

    from ictbench.runs import Run

METADATA = ("--name", "No reflection", "--description", "The prompt stays.", "--submitted-by", "me")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The smallest run that a board accepts."""
    out = tmp_path_factory.mktemp("submit") / "run"
    options = {"profile": "lite", "families": "held-out", "reflector": "none", "actor": "rules"}
    return ictbench.run(suite="minihack-v1", out=out, **options)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep evidence out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_missing_metadata_is_listed_one_line_each(call: CommandLine, run: Run) -> None:
    code, out, err = call("submit", str(run.folder), "--slug", "A B")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"ictbench: {run.folder} cannot be submitted yet:",
        "- name of the entry on the board: --name",
        "- description in a few sentences: --description",
        "- name of the submitter: --submitted-by",
        "- 'A B' is not a valid submission name: use 1 to 64 lower-case letters, digits and inner hyphens: --slug",
    ]
    assert list(Path().iterdir()) == []


def test_a_dry_run_prints_files_and_metadata_and_writes_nothing(call: CommandLine, run: Run) -> None:
    code, out, err = call("submit", str(run.folder), *METADATA, "--url", "https://example.org/paper", "--dry-run")
    assert (code, err) == (0, "")
    head, _, metadata = out.partition("{")
    assert head.splitlines()[0] == "would make leaderboards/minihack-v1/submissions/no-reflection:"
    assert [line.split()[0] for line in head.splitlines()[1:]] == [
        *("result.json", "episodes.jsonl.gz", "trajectories.jsonl.gz", "submission.json"),
    ]
    assert json.loads("{" + metadata)["links"] == ["https://example.org/paper"]
    assert list(Path().iterdir()) == []


def test_a_submission_is_written_and_validates_and_the_next_steps_are_printed(call: CommandLine, run: Run) -> None:
    code, out, err = call("submit", str(run.folder), *METADATA, "--no-git")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("made leaderboards/minihack-v1/submissions/no-reflection, in that folder: 4 files, 0.")
    assert lines[2].startswith("hand it in:   copy it to the same place in a git checkout of the board")
    assert call("leaderboard", "validate") == (0, "leaderboards: no problems\n", "")
    assert call("leaderboard", "validate", "--json") == (0, "[]\n", "")
    assert call("leaderboard", "validate", "--submission", "no-reflection").code == 0


def test_problems_are_printed_one_line_each(call: CommandLine, run: Run) -> None:
    call("submit", str(run.folder), *METADATA, "--no-git")
    board = Path("leaderboards/minihack-v1")
    (board / "submissions/no-reflection/result.json").write_text("{}", encoding="utf-8")
    (board / "submissions/No\x1b[2J").mkdir()
    Path("leaderboards/mine-v1/submissions").mkdir(parents=True)
    Path("leaderboards/README.md").touch()
    code, out, err = call("leaderboard", "validate")
    assert (code, err) == (1, "")
    first, second, third = out.splitlines()
    assert first.startswith(
        "mine-v1: 'mine-v1' is not a suite (suites: alfworld-paper-v1, alfworld-procgen-v1, alfworld-v1, babyai-v1"
    )
    assert second.startswith(
        "minihack-v1/submissions/No\N{REPLACEMENT CHARACTER}[2J: 'No\\x1b[2J' is not a valid submission name"
    )
    assert third.startswith("minihack-v1/submissions/no-reflection: result.json was changed: its SHA-256 is ")
    problems = json.loads(call("leaderboard", "validate", "--json").out)
    assert [problem["where"] for problem in problems] == [line.partition(": ")[0] for line in out.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("leaderboard", "validate", "nowhere"), "nowhere cannot be read: No such file or directory"),
        (("leaderboard", "validate", ".", "--submission", "x"), ". holds no board (a folder SUITE/submissions)"),
        (("leaderboard", "validate", ".", "--base", "main"), "is not in a git checkout; validate without --base"),
        (("submit", "nowhere"), "nowhere does not exist; name the folder of a run"),
    ],
)
def test_misuse_is_one_line(call: CommandLine, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = call(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_submission_keeps_its_evidence_in_the_boards_folder(call: CommandLine, run: Run) -> None:
    arguments = ("submit", str(run.folder), *METADATA, "--no-git", "--evidence", "board")
    code, out, err = call(*arguments, "--dry-run")
    assert (code, err) == (0, "")
    head, _, metadata = out.partition("{")
    assert [line.endswith(", in board") for line in head.splitlines()[1:]] == [False, True, True, False]
    evidence = json.loads("{" + metadata)["evidence"]
    assert evidence["store"] == "board"
    assert list(Path().iterdir()) == []

    code, out, err = call(*arguments)
    assert (code, err) == (0, "")
    board = Path("leaderboards/minihack-v1")
    assert out.splitlines()[1].startswith(f"evidence in {board}/evidence: 2 files, 0.")
    assert "copy it and its files in evidence/ to the same place in a git checkout" in out
    assert sorted(path.stat().st_size for path in (board / "evidence").iterdir()) == sorted(evidence["sizes"].values())
    assert sorted(path.name for path in (board / "submissions/no-reflection").iterdir()) == [
        *("result.json", "submission.json"),
    ]
    assert call("leaderboard", "validate") == (0, "leaderboards: no problems\n", "")
    next((board / "evidence").iterdir()).unlink()
    code, out, err = call("leaderboard", "validate")
    assert (code, err) == (1, "")
    assert "cannot be read: it is not there" in out


def test_a_branch_holds_the_evidence_in_the_boards_folder_and_may_be_handed_in(call: CommandLine, run: Run) -> None:
    git = ("git", "-c", "user.name=me", "-c", "user.email=me@example.org")
    subprocess.run([*git, "init", "-qb", "main"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "start"], check=True)
    for name in ("author", "committer"):
        subprocess.run(["git", "config", f"{name}.name", "me"], check=True)
        subprocess.run(["git", "config", f"{name}.email", "me@example.org"], check=True)
    before = sorted(path.name for path in Path().iterdir())
    code, out, err = call("submit", str(run.folder), *METADATA, "--evidence", "board")
    assert (code, err) == (0, "")
    assert "evidence in leaderboards/minihack-v1/evidence, on the same branch: 2 files" in out
    assert sorted(path.name for path in Path().iterdir()) == before
    subprocess.run([*git, "checkout", "-q", "submission/no-reflection"], check=True)
    assert len(list(Path("leaderboards/minihack-v1/evidence").iterdir())) == 2
    assert call("leaderboard", "validate", "--base", "main") == (0, "leaderboards: no problems\n", "")
    Path("leaderboards/minihack-v1/evidence/other.jsonl.gz").write_bytes(b"")
    subprocess.run([*git, "add", "leaderboards"], check=True)
    subprocess.run([*git, "commit", "-qm", "more"], check=True)
    code, out, err = call("leaderboard", "validate", "--base", "main")
    assert (code, err) == (1, "")
    assert "'leaderboards/minihack-v1/evidence/other.jsonl.gz' is not a file of a submission" in out


def test_a_pull_request_cannot_allow_hosts_of_its_own(call: CommandLine, run: Run, tmp_path: Path) -> None:
    git = ("git", "-c", "user.name=me", "-c", "user.email=me@example.org")
    for words in (
        ("init", "-qb", "main"),
        ("commit", "-q", "--allow-empty", "-m", "start"),
        ("checkout", "-qb", "mine"),
    ):
        subprocess.run([*git, *words], check=True)
    call("submit", str(run.folder), *METADATA, "--no-git")
    board = BoardFolder(Path("leaderboards/minihack-v1"))
    with evidence_server() as server:
        allow(board, server.url)
        server.files |= move_out(board.submission("no-reflection"), server.address())
        subprocess.run([*git, "add", "leaderboards"], check=True)
        subprocess.run([*git, "commit", "-qm", "mine"], check=True)
        code, out, err = call("leaderboard", "validate", "--base", "main")
        assert (code, err) == (1, "")
        assert out == (
            "since main: 'leaderboards/minihack-v1/evidence.yaml' is not a file of a submission; a pull request may "
            "only add one submission\n"
            "since main: 'leaderboards/minihack-v1/evidence.yaml' is not that of main; rebase on it, so that evidence "
            "is read as it says\n"
        )
        assert server.asked == []
        assert call("leaderboard", "validate", "--base", "main", "--maintainer").code == 0
        assert len(server.asked) == 2

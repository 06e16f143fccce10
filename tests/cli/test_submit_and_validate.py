from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import ictbench
from ictbench.cli.app import main

if TYPE_CHECKING:
    from ictbench.runs import Run

WORDS = ("--name", "No reflection", "--description", "The prompt stays.", "--submitted-by", "me")


class Said(NamedTuple):
    code: int
    out: str
    err: str


Ictbench = Callable[..., Said]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ictbench:
    """The command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["ictbench", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        return Said(code if isinstance(code, int) else 0, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The smallest run that a board takes."""
    out = tmp_path_factory.mktemp("submit") / "run"
    options = {"profile": "lite", "families": "held-out", "reflector": "none", "actor": "rules"}
    return ictbench.run(suite="minihack-v1", out=out, **options)  # type: ignore[arg-type]


def test_everything_missing_is_printed_a_line_each(call: Ictbench, run: Run) -> None:
    code, out, err = call("submit", str(run.folder), "--slug", "A B")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"ictbench: {run.folder} cannot be submitted yet:",
        "- how the board is to name it: --name",
        "- what it is, in a few sentences: --description",
        "- who submits it: --submitted-by",
        "- 'A B' is not a valid submission name: use 1 to 64 lower-case letters, digits and inner hyphens: --slug",
    ]
    assert list(Path().iterdir()) == []


def test_a_dry_run_prints_files_and_metadata_and_makes_nothing(call: Ictbench, run: Run) -> None:
    code, out, err = call("submit", str(run.folder), *WORDS, "--url", "https://example.org/paper", "--dry-run")
    assert (code, err) == (0, "")
    head, _, metadata = out.partition("{")
    assert head.splitlines()[0] == "would make leaderboards/minihack-v1/submissions/no-reflection:"
    assert [line.split()[0] for line in head.splitlines()[1:]] == [
        *("result.json", "episodes.jsonl.gz", "trajectories.jsonl.gz", "submission.json"),
    ]
    assert json.loads("{" + metadata)["links"] == ["https://example.org/paper"]
    assert list(Path().iterdir()) == []


def test_a_folder_is_made_validated_and_how_to_go_on_is_said(call: Ictbench, run: Run) -> None:
    code, out, err = call("submit", str(run.folder), *WORDS, "--no-git")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("made leaderboards/minihack-v1/submissions/no-reflection, in that folder: 4 files, 0.")
    assert lines[2].startswith("hand it in:   copy it into a git checkout of the board")
    assert call("leaderboard", "validate") == (0, "leaderboards: no problems\n", "")
    assert call("leaderboard", "validate", "--json") == (0, "[]\n", "")
    assert call("leaderboard", "validate", "--submission", "no-reflection").code == 0


def test_problems_are_printed_a_line_each(call: Ictbench, run: Run) -> None:
    call("submit", str(run.folder), *WORDS, "--no-git")
    board = Path("leaderboards/minihack-v1")
    (board / "submissions/no-reflection/result.json").write_text("{}", encoding="utf-8")
    (board / "submissions/No\x1b[2J").mkdir()
    Path("leaderboards/mine-v1/submissions").mkdir(parents=True)
    Path("leaderboards/README.md").touch()
    code, out, err = call("leaderboard", "validate")
    assert (code, err) == (1, "")
    first, second, third = out.splitlines()
    assert first.startswith("mine-v1: 'mine-v1' is no suite; there is alfworld-procgen-v1, alfworld-v1, minihack-v1")
    assert second.startswith("minihack-v1/submissions/No\N{REPLACEMENT CHARACTER}[2J: 'No\\x1b[2J' is no name")
    assert third.startswith("minihack-v1/submissions/no-reflection: result.json was changed: its SHA-256 is ")
    said = json.loads(call("leaderboard", "validate", "--json").out)
    assert [problem["where"] for problem in said] == [line.partition(": ")[0] for line in out.splitlines()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("leaderboard", "validate", "nowhere"), "nowhere cannot be read: No such file or directory"),
        (("leaderboard", "validate", ".", "--submission", "x"), ". holds no submission 'x'"),
        (("leaderboard", "validate", ".", "--base", "main"), "is not in a git checkout; validate without --base"),
        (("submit", "nowhere"), "nowhere is not the folder of a run: it has no run.json"),
    ],
)
def test_what_cannot_be_done_is_one_line(call: Ictbench, words: tuple[str, ...], said: str) -> None:
    code, out, err = call(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ictbench.errors import SubmissionError
from ictbench.submissions.pull_request import forbidden_changes

if TYPE_CHECKING:
    from collections.abc import Callable

BOARD = "leaderboards/minihack-v1"
FILES = ("submission.json", "result.json", "episodes.jsonl.gz", "trajectories.jsonl.gz")
NOT_A_SUBMISSION_FILE = "is not a file of a submission; a pull request may only add one submission"


class Checkout:
    """Git checkout of a board, on the branch of a pull request."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.git("init", "--initial-branch=main")
        self.git("config", "user.name", "A")
        self.git("config", "user.email", "a@example.org")
        self.add_submission("theirs")
        self.write(f"{BOARD}/log.jsonl", '{"event": "added"}\n')
        self.write(f"{BOARD}/verifications/theirs/replayed.json", "{}")
        self.write(".github/workflows/board.yml", "on: push")
        self.commit()
        self.git("switch", "--create", "mine")

    def git(self, *arguments: str) -> str:
        result = subprocess.run(["git", *arguments], cwd=self.top, capture_output=True, text=True, check=True)
        return result.stdout.strip()

    def write(self, path: str, text: str = "x") -> Path:
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def add_submission(self, slug: str) -> None:
        for name in FILES:
            self.write(f"{BOARD}/submissions/{slug}/{name}", slug)

    def commit(self) -> None:
        self.git("add", "--all", "--force")
        self.git("commit", "--message", "next")

    def problems(self, *, maintainer: bool = False, base: str = "main") -> list[str]:
        return list(forbidden_changes(self.top / "leaderboards", base, maintainer=maintainer))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_one_new_submission_is_allowed(checkout: Checkout) -> None:
    checkout.add_submission("mine")
    checkout.commit()
    assert checkout.problems() == []


def test_later_commits_of_main_do_not_count_as_changes(checkout: Checkout) -> None:
    checkout.add_submission("mine")
    checkout.commit()
    checkout.git("switch", "main")
    checkout.add_submission("another")
    checkout.commit()
    checkout.git("switch", "mine")
    assert checkout.problems() == []


def test_stores_that_main_has_dropped_since_are_not_read(checkout: Checkout) -> None:
    checkout.git("switch", "main")
    stores = checkout.write(f"{BOARD}/evidence.yaml", "stores: [https://example.org/]")
    checkout.commit()
    checkout.git("switch", "--create", "later")
    checkout.add_submission("mine")
    checkout.commit()
    assert checkout.problems() == []
    checkout.git("switch", "main")
    stores.write_text("stores: []", encoding="utf-8")
    checkout.commit()
    checkout.git("switch", "later")
    assert checkout.problems() == [
        f"'{BOARD}/evidence.yaml' is not that of main; rebase on it, so that evidence is read as it says"
    ]
    assert checkout.problems(maintainer=True) == []


def replace_with_link(c: Checkout) -> None:
    c.add_submission("mine")
    path = c.top / BOARD / "submissions/mine/result.json"
    path.unlink()
    path.symlink_to("/etc/passwd")


def make_executable(c: Checkout) -> None:
    c.add_submission("mine")
    (c.top / BOARD / "submissions/mine/result.json").chmod(0o755)


def replace_with_repository(c: Checkout) -> None:
    """Put a git repository in the place of a file."""
    inner = c.top / BOARD / "submissions/mine/result.json"
    inner.mkdir(parents=True)
    subprocess.run(["git", "init"], cwd=inner, capture_output=True, check=True)
    options = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *options, "commit", "--allow-empty", "-m", "x"], cwd=inner, capture_output=True, check=True)


def add_two_submissions(c: Checkout) -> None:
    c.add_submission("mine")
    c.add_submission("mine-too")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.write(f"{BOARD}/submissions/theirs/result.json", "mine"), "theirs/result.json' existed before"),
        (lambda c: (c.top / BOARD / "submissions/theirs/result.json").unlink(), "theirs/result.json' existed before"),
        (
            lambda c: c.git("mv", f"{BOARD}/submissions/theirs", f"{BOARD}/submissions/mine"),
            "existed before; to correct",
        ),
        (add_two_submissions, "2 submissions are changed: 'mine, mine-too'; open a pull request for each"),
        (lambda c: c.write(f"{BOARD}/verifications/mine/replayed.json"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write(f"{BOARD}/verifications/theirs/replayed.json"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write(f"{BOARD}/log.jsonl", '{"event": "added"}\n{}\n'), f"log.jsonl' {NOT_A_SUBMISSION_FILE}"),
        (lambda c: c.write(f"{BOARD}/tables/ranking.csv"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write(f"{BOARD}/unranked/mine/result.json"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write(f"{BOARD}/submissions/mine/deeper/result.json"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write(f"{BOARD}/submissions/mine/conftest.py"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write(f"{BOARD}/submissions/result.json"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write("submissions/mine/result.json"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write(".github/workflows/board.yml", "on: pull_request_target"), NOT_A_SUBMISSION_FILE),
        (lambda c: c.write(".gitattributes", "* filter=evil"), NOT_A_SUBMISSION_FILE),
        (
            lambda c: c.write(f"{BOARD}/submissions/mine/a\nb\x1b[2J"),
            "'leaderboards/minihack-v1/submissions/mine/a\\nb\\x1b[2J'",
        ),
        (replace_with_link, "result.json' is not a plain file (its mode is 120000)"),
        (make_executable, "result.json' is not a plain file (its mode is 100755)"),
        (replace_with_repository, "result.json' is not a plain file (its mode is 160000)"),
    ],
)
def test_other_changes_are_refused(checkout: Checkout, change: Callable[[Checkout], object], message: str) -> None:
    change(checkout)
    checkout.commit()
    problems = checkout.problems()
    assert any(message in problem for problem in problems), problems
    assert all("\n" not in problem and "\x1b" not in problem for problem in problems)


@pytest.mark.parametrize("text", ["", '{"event": "removed"}\n', '{}\n{"event": "added"}\n'])
def test_existing_lines_of_a_log_cannot_be_changed(checkout: Checkout, text: str) -> None:
    checkout.write(f"{BOARD}/log.jsonl", text)
    checkout.commit()
    (problem,) = checkout.problems(maintainer=True)
    assert "loses or changes existing lines; a log is append-only" in problem
    (checkout.top / BOARD / "log.jsonl").unlink()
    checkout.commit()
    assert checkout.problems(maintainer=True) == [problem]


def test_maintainers_may_correct_and_remove_submissions(checkout: Checkout) -> None:
    checkout.write(f"{BOARD}/log.jsonl", '{"event": "added"}\n{"event": "removed"}\n')
    checkout.git("rm", "-r", f"{BOARD}/submissions/theirs")
    checkout.write("README.md")
    checkout.write("leaderboards/alfworld-v1/log.jsonl", "{}\n")
    checkout.commit()
    assert checkout.problems(maintainer=True) == []


def test_relative_path_of_the_boards_is_resolved(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.top)
    checkout.write(f"{BOARD}/submissions/mine/result.json")
    checkout.commit()
    assert list(forbidden_changes(Path("leaderboards"), "main")) == []


def test_invalid_base_is_refused(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> None:
    for base in ("nothing", "--upload-pack=touch hacked", "main:README.md"):
        with pytest.raises(SubmissionError, match=r"is not a commit of .*; name one, e\.g\. origin/main"):
            checkout.problems(base=base)
    assert not (checkout.top / "hacked").exists()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with pytest.raises(SubmissionError, match="is not in a git checkout; validate without --base"):
        list(forbidden_changes(elsewhere, "main"))


def test_commands_in_the_git_configuration_are_not_run(checkout: Checkout) -> None:
    trap = checkout.top / "trap"
    checkout.git("config", "core.fsmonitor", f"touch {trap}")
    checkout.git("config", "diff.external", f"touch {trap}")
    checkout.add_submission("mine")
    subprocess.run(["git", "-c", "core.fsmonitor=false", "add", "."], cwd=checkout.top, check=True)
    subprocess.run(["git", "-c", "core.fsmonitor=false", "commit", "-qm", "x"], cwd=checkout.top, check=True)
    trap.unlink(missing_ok=True)
    assert checkout.problems() == []
    assert not trap.exists()


def test_shallow_checkout_is_refused_with_the_remedy(checkout: Checkout) -> None:
    checkout.git("checkout", "--orphan", "cut-off")
    checkout.write("another")
    checkout.commit()
    with pytest.raises(SubmissionError, match=r"HEAD and main have no commit in common in .*fetch-depth: 0"):
        checkout.problems()


def test_board_folder_replaced_by_a_link_is_refused(checkout: Checkout) -> None:
    checkout.git("mv", "leaderboards", "elsewhere")
    (checkout.top / "leaderboards").symlink_to("elsewhere")
    checkout.commit()
    assert any(problem.startswith("'leaderboards' is not a file of a submission") for problem in checkout.problems())

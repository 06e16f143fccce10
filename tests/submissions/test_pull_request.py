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
ADDS_NOTHING_ELSE = "is not a file of a submission; a pull request may only add one submission"


class Checkout:
    """A board's repository, on the branch of a pull request."""

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

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.top, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, path: str, text: str = "x") -> Path:
        place = self.top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def add_submission(self, slug: str) -> None:
        for name in FILES:
            self.write(f"{BOARD}/submissions/{slug}/{name}", slug)

    def commit(self) -> None:
        self.git("add", "--all", "--force")
        self.git("commit", "--message", "next")

    def said(self, *, maintainer: bool = False, base: str = "main") -> list[str]:
        return list(forbidden_changes(self.top / "leaderboards", base, maintainer=maintainer))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_one_new_submission_is_what_a_pull_request_adds(checkout: Checkout) -> None:
    checkout.add_submission("mine")
    checkout.commit()
    assert checkout.said() == []


def test_what_main_got_meanwhile_is_not_the_pull_request_s(checkout: Checkout) -> None:
    checkout.add_submission("mine")
    checkout.commit()
    checkout.git("switch", "main")
    checkout.add_submission("another")
    checkout.commit()
    checkout.git("switch", "mine")
    assert checkout.said() == []


def link(c: Checkout) -> None:
    c.add_submission("mine")
    path = c.top / BOARD / "submissions/mine/result.json"
    path.unlink()
    path.symlink_to("/etc/passwd")


def program(c: Checkout) -> None:
    c.add_submission("mine")
    (c.top / BOARD / "submissions/mine/result.json").chmod(0o755)


def repository(c: Checkout) -> None:
    """Another repository in the place of a file."""
    inner = c.top / BOARD / "submissions/mine/result.json"
    inner.mkdir(parents=True)
    subprocess.run(["git", "init"], cwd=inner, capture_output=True, check=True)
    options = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *options, "commit", "--allow-empty", "-m", "x"], cwd=inner, capture_output=True, check=True)


def two(c: Checkout) -> None:
    c.add_submission("mine")
    c.add_submission("mine-too")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.write(f"{BOARD}/submissions/theirs/result.json", "mine"), "theirs/result.json' existed before"),
        (lambda c: (c.top / BOARD / "submissions/theirs/result.json").unlink(), "theirs/result.json' existed before"),
        (
            lambda c: c.git("mv", f"{BOARD}/submissions/theirs", f"{BOARD}/submissions/mine"),
            "existed before; to correct",
        ),
        (two, "2 submissions are changed: 'mine, mine-too'; open a pull request for each"),
        (lambda c: c.write(f"{BOARD}/verifications/mine/replayed.json"), ADDS_NOTHING_ELSE),
        (lambda c: c.write(f"{BOARD}/verifications/theirs/replayed.json"), ADDS_NOTHING_ELSE),
        (lambda c: c.write(f"{BOARD}/log.jsonl", '{"event": "added"}\n{}\n'), f"log.jsonl' {ADDS_NOTHING_ELSE}"),
        (lambda c: c.write(f"{BOARD}/tables/ranking.csv"), ADDS_NOTHING_ELSE),
        (lambda c: c.write(f"{BOARD}/unranked/mine/result.json"), ADDS_NOTHING_ELSE),
        (lambda c: c.write(f"{BOARD}/submissions/mine/deeper/result.json"), ADDS_NOTHING_ELSE),
        (lambda c: c.write(f"{BOARD}/submissions/mine/conftest.py"), ADDS_NOTHING_ELSE),
        (lambda c: c.write(f"{BOARD}/submissions/result.json"), ADDS_NOTHING_ELSE),
        (lambda c: c.write("submissions/mine/result.json"), ADDS_NOTHING_ELSE),
        (lambda c: c.write(".github/workflows/board.yml", "on: pull_request_target"), ADDS_NOTHING_ELSE),
        (lambda c: c.write(".gitattributes", "* filter=evil"), ADDS_NOTHING_ELSE),
        (
            lambda c: c.write(f"{BOARD}/submissions/mine/a\nb\x1b[2J"),
            "'leaderboards/minihack-v1/submissions/mine/a\\nb\\x1b[2J'",
        ),
        (link, "result.json' is not a plain file (its mode is 120000)"),
        (program, "result.json' is not a plain file (its mode is 100755)"),
        (repository, "result.json' is not a plain file (its mode is 160000)"),
    ],
)
def test_a_pull_request_that_does_more(checkout: Checkout, change: Callable[[Checkout], object], said: str) -> None:
    change(checkout)
    checkout.commit()
    found = checkout.said()
    assert any(said in one for one in found), found
    assert all("\n" not in one and "\x1b" not in one for one in found)


@pytest.mark.parametrize("text", ["", '{"event": "removed"}\n', '{}\n{"event": "added"}\n'])
def test_nobody_rewrites_a_log(checkout: Checkout, text: str) -> None:
    checkout.write(f"{BOARD}/log.jsonl", text)
    checkout.commit()
    (found,) = checkout.said(maintainer=True)
    assert "loses or changes existing lines; a log is append-only" in found
    (checkout.top / BOARD / "log.jsonl").unlink()
    checkout.commit()
    assert checkout.said(maintainer=True) == [found]


def test_maintainers_correct_and_remove(checkout: Checkout) -> None:
    checkout.write(f"{BOARD}/log.jsonl", '{"event": "added"}\n{"event": "removed"}\n')
    checkout.git("rm", "-r", f"{BOARD}/submissions/theirs")
    checkout.write("README.md")
    checkout.write("leaderboards/alfworld-v1/log.jsonl", "{}\n")
    checkout.commit()
    assert checkout.said(maintainer=True) == []


def test_boards_are_found_from_within_the_checkout(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.top)
    checkout.write(f"{BOARD}/submissions/mine/result.json")
    checkout.commit()
    assert list(forbidden_changes(Path("leaderboards"), "main")) == []


def test_a_base_that_is_no_commit(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> None:
    for base in ("nothing", "--upload-pack=touch hacked", "main:README.md"):
        with pytest.raises(SubmissionError, match=r"is not a commit of .*; name one, e\.g\. origin/main"):
            checkout.said(base=base)
    assert not (checkout.top / "hacked").exists()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with pytest.raises(SubmissionError, match="is not in a git checkout; validate without --base"):
        list(forbidden_changes(elsewhere, "main"))


def test_hooks_and_filters_of_the_checkout_are_not_run(checkout: Checkout) -> None:
    trap = checkout.top / "trap"
    checkout.git("config", "core.fsmonitor", f"touch {trap}")
    checkout.git("config", "diff.external", f"touch {trap}")
    checkout.add_submission("mine")
    subprocess.run(["git", "-c", "core.fsmonitor=false", "add", "."], cwd=checkout.top, check=True)
    subprocess.run(["git", "-c", "core.fsmonitor=false", "commit", "-qm", "x"], cwd=checkout.top, check=True)
    trap.unlink(missing_ok=True)
    assert checkout.said() == []
    assert not trap.exists()


def test_a_checkout_without_the_history_says_what_to_fetch(checkout: Checkout) -> None:
    checkout.git("checkout", "--orphan", "cut-off")
    checkout.write("another")
    checkout.commit()
    with pytest.raises(SubmissionError, match=r"HEAD and main have no commit in common in .*fetch-depth: 0"):
        checkout.said()


def test_boards_that_become_a_link_are_no_submission(checkout: Checkout) -> None:
    checkout.git("mv", "leaderboards", "elsewhere")
    (checkout.top / "leaderboards").symlink_to("elsewhere")
    checkout.commit()
    assert any(problem.startswith("'leaderboards' is not a file of a submission") for problem in checkout.said())

"""Git commands that are safe on untrusted repositories: no hook, filter, monitor or remote of theirs is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ictbench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Mapping

SAFELY = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
QUIETLY = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
SECONDS = 60
PLAIN_FILE, NO_FILE = "100644", "000000"
"""File modes in git's notation."""
NO_COMMIT = "0" * 40


class Change(NamedTuple):
    """Change of one file."""

    path: str
    """Path from the top of the repository, with slashes."""
    before: str
    """File mode before: `PLAIN_FILE`, `NO_FILE`, or that of an executable, a link or a submodule."""
    after: str


@dataclass(frozen=True, slots=True)
class Repository:
    """Git repository with a checkout."""

    top: Path

    @classmethod
    def around(cls, path: Path) -> Repository | None:
        """Return the repository around a path, which need not exist; None without a repository or without git.

        Raises:
            SubmissionError: There is a repository, and git refuses to read it, e.g. because another user owns it.
        """
        folders = [place for place in (path.absolute(), *path.absolute().parents) if place.is_dir()]
        if shutil.which("git") is None or not any((place / ".git").exists() for place in folders):
            return None
        try:
            top = _git(folders[0], "rev-parse", "--show-toplevel")
        except SubmissionError as error:
            raise SubmissionError(f"{error}; or use --no-git") from error
        return cls(Path(os.fsdecode(top).rstrip("\n")))

    def commit_of(self, name: str) -> str:
        """Return the commit that a name refers to.

        Raises:
            SubmissionError: There is no such commit.
        """
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except SubmissionError as error:
            raise SubmissionError(f"{name!r} is not a commit of {self.top}; name one, e.g. origin/main") from error

    def has_branch(self, name: str) -> bool:
        """Return whether a branch exists."""
        try:
            self.commit_of(f"refs/heads/{name}")
        except SubmissionError:
            return False
        return True

    def commit_files(self, files: Mapping[str, Path], branch: str, message: str) -> str:
        """Create a branch with one commit after HEAD that adds files; return the commit.

        Index, checkout and current branch stay unchanged.

        Args:
            files: Files by their path in the commit, from the top of the repository.
            branch: Name of the branch, which must not exist.
            message: Commit message.

        Raises:
            SubmissionError: Git refuses.
        """
        try:
            head = self.commit_of("HEAD")
        except SubmissionError as error:
            raise SubmissionError(f"{self.top} has no commit yet; make one first, or use --no-git") from error
        with tempfile.TemporaryDirectory() as temporary:
            index = {"GIT_INDEX_FILE": str(Path(temporary, "index"))}
            self._git("read-tree", head, environment=index)
            for place, path in sorted(files.items()):
                blob = self._git("hash-object", "-w", "--no-filters", "--", str(path.absolute()))
                entry = f"{PLAIN_FILE},{blob},{place}"
                self._git("update-index", "--add", "--cacheinfo", entry, environment=index)
            tree = self._git("write-tree", environment=index)
        commit = self._git("commit-tree", tree, "-p", head, "-m", message)
        self._git("update-ref", f"refs/heads/{branch}", commit, NO_COMMIT)
        return commit

    def merge_base(self, base: str) -> str:
        """Return the common ancestor of HEAD and `base`.

        Raises:
            SubmissionError: There is none, or a shallow checkout lacks it.
        """
        commits = self.commit_of(base), self.commit_of("HEAD")
        try:
            return self._git("merge-base", *commits)
        except SubmissionError as error:
            raise SubmissionError(
                f"HEAD and {base} have no commit in common in {self.top}; fetch the whole history (in GitHub's "
                "checkout action, fetch-depth: 0)"
            ) from error

    def changes_since(self, commit: str) -> list[Change]:
        """Return the files that differ between a commit and HEAD."""
        raw = _git(self.top, "diff-tree", "-r", "-z", "--raw", "--no-renames", commit, self.commit_of("HEAD"))
        fields = raw.split(b"\0")[:-1]
        return [
            Change(os.fsdecode(path), *(mode.decode() for mode in about.removeprefix(b":").split()[:2]))
            for about, path in zip(fields[::2], fields[1::2], strict=True)
        ]

    def content(self, commit: str, path: str) -> bytes:
        """Return the content of a file in a commit.

        Raises:
            SubmissionError: The commit has no such file.
        """
        return _git(self.top, "cat-file", "blob", f"{commit}:{path}")

    def _git(self, *words: str, environment: dict[str, str] | None = None) -> str:
        return _git(self.top, *words, environment=environment).decode().strip()


def _git(folder: Path, *words: str, environment: dict[str, str] | None = None) -> bytes:
    settings = {**os.environ, **QUIETLY, **(environment or {})}
    try:
        done = subprocess.run(
            ["git", *SAFELY, *words],
            cwd=folder,
            env=settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise SubmissionError("git is not installed; use --no-git") from error
    except subprocess.TimeoutExpired as error:
        raise SubmissionError(f"git {words[0]} did not end within {SECONDS} s in {folder}") from error
    if done.returncode:
        message = " ".join(done.stderr.decode(errors="replace").split()) or f"exit code {done.returncode}"
        raise SubmissionError(f"git {' '.join(words[:3])} failed in {folder}: {message[:300]}")
    return done.stdout

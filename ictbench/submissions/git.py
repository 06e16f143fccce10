"""Git, asked in ways that nothing in a repository's content can turn against whoever asks."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ictbench.errors import SubmissionError

# Whatever the content says, no hook, monitor, filter or remote of it is run.
SAFELY = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
QUIETLY = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
SECONDS = 60
PLAIN_FILE, NO_FILE = "100644", "000000"
"""Modes of a file, as git writes them."""
NO_COMMIT = "0" * 40


class Change(NamedTuple):
    """One file that is not as it was."""

    path: str
    """From the top of the repository, with strokes."""
    before: str
    """Its mode: a plain file's, no file's, or that of a program, a link or another repository."""
    after: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with its checkout."""

    top: Path

    @classmethod
    def around(cls, path: Path) -> Repository | None:
        """The repository that a folder, there or not, lies in; None where there is none, or no git."""
        existing = next(place for place in (path.absolute(), *path.absolute().parents) if place.is_dir())
        try:
            return cls(Path(os.fsdecode(_git(existing, "rev-parse", "--show-toplevel")).rstrip("\n")))
        except SubmissionError:
            return None

    def commit_of(self, name: str) -> str:
        """The commit that a name stands for.

        Raises:
            SubmissionError: there is none.
        """
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except SubmissionError as error:
            raise SubmissionError(f"{name!r} is no commit of {self.top}; name one, e.g. origin/main") from error

    def has_branch(self, name: str) -> bool:
        """Whether a branch is there."""
        try:
            self.commit_of(f"refs/heads/{name}")
        except SubmissionError:
            return False
        return True

    def commit_folder(self, folder: Path, place: str, branch: str, message: str) -> str:
        """Make a branch of one commit after HEAD that adds a folder's files, and give its digest.

        Index, checkout and current branch stay as they are.

        Args:
            folder: where the files lie.
            place: where the commit has them, from the top of the repository.
            branch: its name; it must not be there yet.
            message: of the commit.

        Raises:
            SubmissionError: git refuses.
        """
        try:
            head = self.commit_of("HEAD")
        except SubmissionError as error:
            raise SubmissionError(f"{self.top} has no commit yet; make one first, or use --no-git") from error
        with tempfile.TemporaryDirectory() as elsewhere:
            index = {"GIT_INDEX_FILE": str(Path(elsewhere, "index"))}
            self._git("read-tree", head, environment=index)
            for path in sorted(folder.iterdir()):
                blob = self._git("hash-object", "-w", "--no-filters", "--", str(path.absolute()))
                entry = f"{PLAIN_FILE},{blob},{place}/{path.name}"
                self._git("update-index", "--add", "--cacheinfo", entry, environment=index)
            tree = self._git("write-tree", environment=index)
        commit = self._git("commit-tree", tree, "-p", head, "-m", message)
        self._git("update-ref", f"refs/heads/{branch}", commit, NO_COMMIT)
        return commit

    def merge_base(self, base: str) -> str:
        """The commit at which HEAD parted from another.

        Raises:
            SubmissionError: there is no such commit, or a shallow checkout lacks it.
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
        """Files that HEAD has otherwise than a commit before it."""
        raw = _git(self.top, "diff-tree", "-r", "-z", "--raw", "--no-renames", commit, self.commit_of("HEAD"))
        fields = raw.split(b"\0")[:-1]
        return [
            Change(os.fsdecode(path), *(mode.decode() for mode in about.removeprefix(b":").split()[:2]))
            for about, path in zip(fields[::2], fields[1::2], strict=True)
        ]

    def content(self, commit: str, path: str) -> bytes:
        """A file as a commit has it.

        Raises:
            SubmissionError: it has none of that name.
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
        said = " ".join(done.stderr.decode(errors="replace").split()) or f"exit code {done.returncode}"
        raise SubmissionError(f"git {' '.join(words[:3])} failed in {folder}: {said[:300]}")
    return done.stdout

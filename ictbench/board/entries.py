"""Entries of a board on disk: submissions, and the board's records of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Literal, get_args

from ictbench.board.badges import Badges, read_badges
from ictbench.board.board_log import ON_BOARD, LogIndex, LogLine, read_log
from ictbench.board.conflicts import Identity, IdentityIndex, conflicts, content_digest, first_come
from ictbench.board.plays import read_plays
from ictbench.errors import IctbenchError, SubmissionError
from ictbench.records import Usage
from ictbench.safe_read import list_folder
from ictbench.submissions.known_players import KNOWN, control_of, player_problems
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.metadata import slug_problem
from ictbench.submissions.player_labels import label_problems
from ictbench.submissions.read_submission import read_content
from ictbench.submissions.truthfulness import training_problems
from ictbench.suites.suite import RANKED_PROFILES
from ictbench.suites.trained_on import env_of_suite, was_trained_on
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ictbench.board.plays import Plays
    from ictbench.results import Result
    from ictbench.results.schema import FamilyResult, Measures
    from ictbench.submissions.submission_schema import Submission
    from ictbench.suites.trained_on import TrainedOn

MAX_ENTRIES = 10_000
MAX_SLUG, MAX_REASON = 80, 500
"""Maximum characters of a bad entry's name and reason."""

Section = Literal["ranked", "waiting", "trained", "control", "shown"]
"""`ranked`; `waiting` for replay by the board; `trained` on a held-out family; `control`; `shown` without a rank."""

SECTIONS: tuple[Section, ...] = get_args(Section)


@dataclass(frozen=True)
class Entry:
    """One submission of a board."""

    folder: SubmissionFolder
    submission: Submission
    result: Result
    badges: Badges
    submitted: bool
    """False for an entry that the board shows without a rank."""
    added: float = inf
    """Line of the log that added it, by which the earlier of two entries is known; infinite if there is none."""

    @property
    def slug(self) -> str:
        """Name of the entry within its board."""
        return self.folder.slug

    @cached_property
    def why_unranked(self) -> tuple[Section, str]:
        """Section of the board, and the reason if the entry is not ranked."""
        result = self.result
        if families := self.held_out_trained_on:
            return "trained", f"its reflector was trained on held-out {', '.join(families)}"
        if control := control_of(result):
            return "control", control
        if problem := next(_false_statements(result), ""):
            return "shown", problem
        if not (self.submitted and result.ranked and self.measures):
            return "shown", _why_only_shown(result)
        if "replayed" not in self.badges.held:
            return "waiting", "the board has not replayed it: its numbers are those of the submitter"
        return "ranked", ""

    @property
    def section(self) -> Section:
        """Section of the board."""
        return self.why_unranked[0]

    @property
    def trained_on(self) -> TrainedOn | None:
        """Families its reflector was trained on, as its submitter or its result states; None if neither does."""
        stated = [
            families
            for families in (self.submission.reflector_trained_on, self.result.reflector_trained_on)
            if families is not None
        ]
        return tuple(sorted({family for families in stated for family in families})) if stated else None

    @cached_property
    def held_out_trained_on(self) -> tuple[str, ...]:
        """Held-out families its reflector was trained on."""
        trained_on, suite = self.trained_on or (), self.result.suite.name
        return tuple(
            family.name
            for family in self.result.families
            if family.role == "held-out" and was_trained_on(trained_on, suite, env_of_suite(suite), family.name)
        )

    @property
    def measures(self) -> Measures | None:
        """Means over held-out families, the headline numbers; None without any."""
        return self.result.by_role.get("held-out")

    @property
    def held_out(self) -> tuple[FamilyResult, ...]:
        """Its held-out families."""
        return tuple(family for family in self.result.families if family.role == "held-out")

    @cached_property
    def plays(self) -> Plays:
        """Digests of its test episodes, which are read when first asked for."""
        return read_plays(self.folder, self.result)

    @cached_property
    def cost(self) -> Usage:
        """Cost of the whole run over all roles."""
        return sum(self.result.cost.values(), Usage())


@dataclass(frozen=True, slots=True)
class BadEntry:
    """Submission that a board cannot show, and why; its other entries are shown all the same."""

    slug: str
    """Name of its folder, in visible characters."""
    reason: str
    """One line of visible characters."""

    @classmethod
    def of(cls, slug: str, error: Exception) -> BadEntry:
        """Return the bad entry whose processing raised an error."""
        reason = str(error) if isinstance(error, IctbenchError) else f"{type(error).__name__}: {error}"
        return cls(one_line(slug)[:MAX_SLUG], one_line(reason[:MAX_REASON]))


@dataclass(frozen=True, slots=True)
class Board:
    """Board of one suite."""

    folder: BoardFolder
    entries: tuple[Entry, ...]
    """Entries, sorted by slug."""
    log: tuple[LogLine, ...]
    bad: tuple[BadEntry, ...] = ()
    """Submissions that cannot be shown."""

    @property
    def suite(self) -> str:
        """Name of the suite."""
        return self.folder.suite

    @property
    def unlogged(self) -> tuple[Entry, ...]:
        """Entries that the log does not list as added or corrected in their present form."""
        logged = {line.slug: line for line in self.log if line.event != "attempted"}
        return tuple(
            entry
            for entry in self.entries
            if (line := logged.get(entry.slug)) is None
            or (line.event, line.submission) not in {(event, entry.submission.digest) for event in ON_BOARD}
        )

    def of(self, *sections: Section) -> tuple[Entry, ...]:
        """Return the entries of some sections."""
        return tuple(entry for entry in self.entries if entry.section in sections)


def find_boards(leaderboards: Path) -> list[BoardFolder]:
    """Return the boards in a folder, sorted by suite.

    Raises:
        SubmissionError: There is none.
    """
    folders = [BoardFolder(path) for path in sorted(leaderboards.glob("*")) if path.is_dir()]
    boards = [folder for folder in folders if folder.submissions.is_dir() or folder.unranked.is_dir()]
    if not boards:
        raise SubmissionError(f"{leaderboards} holds no board (a folder SUITE/submissions); name another folder")
    return boards


def read_board(folder: BoardFolder) -> Board:
    """Read a whole board. Submissions are read as data; nothing in them is executed.

    A submission that cannot be read is a bad entry of the board.

    Raises:
        SubmissionError: The log or a folder of the board cannot be read.
    """
    log = read_log(folder.log)
    index = LogIndex(log)
    entries: list[Entry] = []
    bad: list[BadEntry] = []
    for place in (folder.submissions, folder.unranked):
        for name in list_folder(place, MAX_ENTRIES) if place.is_dir() else ():
            try:
                submission = SubmissionFolder(place / name)
                entries.append(_entry(folder, submission, index, submitted=place == folder.submissions))
            except Exception as error:  # a submission may hold anything, and never stops the others
                bad.append(BadEntry.of(name, error))
    kept, conflicting = _without_conflicts(entries, index)
    return Board(folder, kept, log, (*bad, *conflicting))


def _without_conflicts(entries: Sequence[Entry], log: LogIndex) -> tuple[tuple[Entry, ...], list[BadEntry]]:
    """Return the entries that have no conflict with an earlier one, sorted by slug, and the others."""
    by_path = {entry.folder.path: entry for entry in entries}
    kept, index = [], IdentityIndex()
    bad: list[BadEntry] = []
    identities = [Identity.of(entry.folder, entry.submission, content_digest(entry.result)) for entry in entries]
    for one in first_come(identities, log):
        if problem := next(conflicts(one, index, log), None):
            bad.append(BadEntry(one.folder.slug, one_line(problem[:MAX_REASON])))
        else:
            index.add(one)
            kept.append(one)
    return tuple(sorted((by_path[one.folder.path] for one in kept), key=lambda entry: entry.slug)), bad


def _entry(board: BoardFolder, folder: SubmissionFolder, log: LogIndex, *, submitted: bool) -> Entry:
    if problem := slug_problem(folder.slug):
        raise SubmissionError(problem)
    content = read_content(folder)
    submission, result = content.submission, content.result
    if (result.suite.name, result.profile) != (submission.suite, submission.profile) or submission.suite != board.suite:
        raise SubmissionError(f"{folder.path} has another suite or profile than its board or its result")
    if submitted and submission.profile not in RANKED_PROFILES:
        raise SubmissionError(
            f"{folder.path} has profile {submission.profile}, which is not ranked; move it to {board.unranked.name}/"
        )
    badges = read_badges(board, folder.slug, submission, result)
    return Entry(folder, submission, result, badges, submitted, log.position(folder.slug, submission.digest, inf))


def _false_statements(result: Result) -> Iterator[str]:
    """Yield what a result states about its players and their training that a board does not accept."""
    for role in KNOWN:
        yield from player_problems(role, getattr(result, role))
    yield from label_problems(result)
    yield from training_problems(result)


def _why_only_shown(result: Result) -> str:
    if result.profile not in RANKED_PROFILES:
        return f"the {result.profile} profile is never ranked"
    if not result.complete:
        return f"it is incomplete: {result.owed} owed"
    return "; ".join(result.deviations) or "the board shows it as it is"

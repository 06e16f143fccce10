"""Entries of a board on disk: submissions, and the board's records of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Literal, get_args

from ictbench.actors.person import MEMORY, is_person
from ictbench.board.bad_entry import MAX_REASON, BadEntry
from ictbench.board.badges import Badges, read_badges
from ictbench.board.board_log import ON_BOARD, LogIndex, LogLine, read_log
from ictbench.board.conflicts import Identity, IdentityIndex, conflicts, first_come
from ictbench.board.finding_cache import NO_CACHE, submission_key
from ictbench.board.parallel import no_progress
from ictbench.board.plays import RecordedPlays, read_plays
from ictbench.board.read_facts import read_all
from ictbench.board.unavailable import why_unavailable
from ictbench.errors import SubmissionError
from ictbench.records import Usage
from ictbench.safe_read import list_folder
from ictbench.submissions.known_players import KNOWN, control_of, is_known_program, player_problems
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.metadata import slug_problem
from ictbench.submissions.player_labels import label_problems
from ictbench.submissions.read_submission import read_content
from ictbench.submissions.truthfulness import model_problems_of_programs, training_problems
from ictbench.suites.suite import RANKED_PROFILES
from ictbench.suites.trained_on import env_of_suite, was_trained_on
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ictbench.board.entry_facts import EntryFacts
    from ictbench.board.finding_cache import FindingCache
    from ictbench.board.parallel import OnProgress
    from ictbench.board.plays import Plays
    from ictbench.board.read_facts import ReadSubmission
    from ictbench.results import Result
    from ictbench.results.schema import FamilyResult, Measures
    from ictbench.submissions.read_submission import SubmissionContent
    from ictbench.submissions.submission_schema import Submission
    from ictbench.suites.trained_on import TrainedOn

MAX_ENTRIES = 10_000

Section = Literal["ranked", "waiting", "trained", "control", "shown"]
"""`ranked`; `waiting` for replay by the board; `trained` on a held-out family; `control`; `shown` without a rank."""

SECTIONS: tuple[Section, ...] = get_args(Section)


@dataclass(frozen=True)
class Entry:
    """One submission of a board."""

    folder: SubmissionFolder
    submission: Submission
    result: Result
    """Its result without the loops, whose use raises an AttributeError: `read` returns them."""
    facts: EntryFacts
    """What follows from the loops."""
    badges: Badges
    submitted: bool
    """False for an entry that the board shows without a rank."""
    added: float = inf
    """Line of the log that added it, by which the earlier of two entries is known; infinite if there is none."""
    findings: FindingCache = NO_CACHE

    @cached_property
    def slug(self) -> str:
        """Name of the entry within its board."""
        return self.folder.slug

    @cached_property
    def why_unranked(self) -> tuple[Section, str]:
        """Section of the board, and the reason if the entry is not ranked."""
        result = self.result
        if seen := self.held_out_trained_on:
            return "trained", "; ".join(
                f"its {role} was trained on held-out {', '.join(families)}" for role, families in seen.items()
            )
        if control := control_of(result):
            return "control", control
        if is_person(result.actor):
            return "shown", f"a human baseline, never ranked: its actor {MEMORY}"
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
        return _union(self.submission.reflector_trained_on, self.result.reflector_trained_on)

    @property
    def actor_trained_on(self) -> TrainedOn | None:
        """The same of its actor; a program of ictbench was trained on nothing."""
        nothing = () if is_known_program("actor", self.result.actor) else None
        return _union(self.submission.actor_trained_on, self.result.actor_trained_on, nothing)

    @cached_property
    def held_out_trained_on(self) -> dict[str, tuple[str, ...]]:
        """Held-out families its players were trained on, by role; without a player that was trained on none."""
        suite, trained = self.result.suite.name, {"reflector": self.trained_on, "actor": self.actor_trained_on}
        seen = {
            role: tuple(
                family.name
                for family in self.held_out
                if was_trained_on(families or (), suite, env_of_suite(suite), family.name)
            )
            for role, families in trained.items()
        }
        return {role: families for role, families in seen.items() if families}

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
        key = submission_key(self.submission)
        if (recorded := self.findings.get(RecordedPlays, key)) is None:
            content = self.read()
            plays = {} if why_unavailable(content, self.findings) else read_plays(content)
            recorded = RecordedPlays(digests=tuple((*place, digest) for place, digest in plays.items()))
            if plays:  # evidence that cannot be fetched today is read another day
                self.findings.put(recorded, key)
        return {(family, loop, place): digest for family, loop, place, digest in recorded.digests}

    def read(self) -> SubmissionContent:
        """Read its files, with the whole result and the records.

        Raises:
            SubmissionError: Its folder has changed since the board was read.
        """
        content = read_content(self.folder)
        if content.submission.files != self.submission.files:
            raise SubmissionError(f"{self.folder.path} has changed since the board was read; build the site again")
        return content

    @cached_property
    def cost(self) -> Usage:
        """Cost of the whole run over all roles."""
        return sum(self.result.cost.values(), Usage())


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
        raise no_board(leaderboards)
    return boards


def no_board(leaderboards: Path) -> SubmissionError:
    """Return the error for a folder without a board."""
    return SubmissionError(f"{leaderboards} holds no board (a folder SUITE/submissions); name another folder")


def read_board(folder: BoardFolder, findings: FindingCache = NO_CACHE, on_progress: OnProgress = no_progress) -> Board:
    """Read a whole board. Submissions are read as data; nothing in them is executed.

    A submission that cannot be read is a bad entry of the board.

    Args:
        folder: The board.
        findings: What earlier calls found.
        on_progress: Called after each submission.

    Raises:
        SubmissionError: The log or a folder of the board cannot be read.
    """
    log = read_log(folder.log)
    index = LogIndex(log)
    places = [place for place in (folder.submissions, folder.unranked) if place.is_dir()]
    folders = [SubmissionFolder(place / name) for place in places for name in list_folder(place, MAX_ENTRIES)]
    entries: list[Entry] = []
    bad: list[BadEntry] = []
    for one in read_all(folders, findings, f"reading {folder.suite}", on_progress):
        if isinstance(one, BadEntry):
            bad.append(one)
            continue
        try:
            entries.append(_entry(folder, one, index, findings))
        except Exception as error:  # a submission may hold anything, and never stops the others
            bad.append(BadEntry.of(one.folder.slug, error))
    kept, conflicting = _without_conflicts(entries, index)
    return Board(folder, kept, log, (*bad, *conflicting))


def _without_conflicts(entries: Sequence[Entry], log: LogIndex) -> tuple[tuple[Entry, ...], list[BadEntry]]:
    """Return the entries that have no conflict with an earlier one, sorted by slug, and the others."""
    by_path = {entry.folder.path: entry for entry in entries}
    kept, index = [], IdentityIndex()
    bad: list[BadEntry] = []
    identities = [Identity.of(entry.folder, entry.submission, entry.facts.content) for entry in entries]
    for one in first_come(identities, log):
        if problem := next(conflicts(one, index, log), None):
            bad.append(BadEntry(one.folder.slug, one_line(problem[:MAX_REASON])))
        else:
            index.add(one)
            kept.append(one)
    return tuple(sorted((by_path[one.folder.path] for one in kept), key=lambda entry: entry.slug)), bad


def _entry(board: BoardFolder, read: ReadSubmission, log: LogIndex, findings: FindingCache) -> Entry:
    folder, submission, facts = read
    result, submitted = facts.without_loops, folder.path.parent == board.submissions
    if problem := slug_problem(folder.slug):
        raise SubmissionError(problem)
    if (result.suite.name, result.profile) != (submission.suite, submission.profile) or submission.suite != board.suite:
        raise SubmissionError(f"{folder.path} has another suite or profile than its board or its result")
    if submitted and submission.profile not in RANKED_PROFILES:
        raise SubmissionError(
            f"{folder.path} has profile {submission.profile}, which is not ranked; move it to {board.unranked.name}/"
        )
    badges = read_badges(board, folder.slug, submission.digest, facts.checksum)
    added = log.position(folder.slug, submission.digest, inf)
    return Entry(folder, submission, result, facts, badges, submitted, added, findings)


def _union(*stated: TrainedOn | None) -> TrainedOn | None:
    """Return all families of some statements; None if none was made."""
    known = [families for families in stated if families is not None]
    return tuple(sorted({family for families in known for family in families})) if known else None


def _false_statements(result: Result) -> Iterator[str]:
    """Yield what a result states about its players and their training that a board does not accept."""
    for role in KNOWN:
        yield from player_problems(role, getattr(result, role))
    yield from label_problems(result)
    yield from model_problems_of_programs(result)
    yield from training_problems(result)


def _why_only_shown(result: Result) -> str:
    if result.profile not in RANKED_PROFILES:
        return f"the {result.profile} profile is never ranked"
    if not result.complete:
        return f"it is incomplete: {result.owed} owed"
    return "; ".join(result.deviations) or "the board shows it as it is"

"""Building of a submission from a finished run: a draft with all that is missing, the files, the git branch."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from ictbench.errors import SubmissionError, UsageError
from ictbench.submissions.eligibility import ineligibility, missing_statements, training_deviations
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.submissions.evidence_location import BOARD, read_stores
from ictbench.submissions.git import Repository
from ictbench.submissions.known_players import unlisted_player
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.metadata import make_slug, metadata, metadata_file, slug_problem, training_of
from ictbench.submissions.move_evidence import move_evidence
from ictbench.submissions.pack import pack_lines, pack_record, without_host
from ictbench.submissions.read_submission import MAX_BYTES
from ictbench.submissions.shown_episodes import shown_episode, shown_episode_keys
from ictbench.submissions.submission_schema import Submission
from ictbench.suites import load_suite
from ictbench.suites.trained_on import format_trained_on, parse_trained_on
from ictbench.validation import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results import Result
    from ictbench.runs import Run
    from ictbench.submissions.known_players import PlayerRole
    from ictbench.submissions.metadata import Statement

UNKNOWN = "unknown"
"""Value of `--reflector-trained-on` and `--actor-trained-on` for a player whose training is not known."""

OWN_BOARD = ".board"
"""Folder in place of the board's while a submission is built for a branch; no submission has this name."""

OPTIONS = {"name": "--name", "description": "--description", "links": "--url", "submitted_by": "--submitted-by"}
"""Command-line options by field of the metadata."""


class SubmissionCheck(Protocol):
    """Check of a submission's folder that `submit` requires to pass."""

    def __call__(self, folder: SubmissionFolder, suite: str, *, submitted: bool) -> Iterator[str]:
        """Yield one line per problem."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Submission that is not built yet."""

    run: Run
    result: Result
    """The result as the submission will hold it."""
    statement: Statement
    folder: SubmissionFolder
    """Target folder."""
    unranked: bool
    """Whether the entry is shown without a rank. Maintainers may show a run of any profile this way."""
    store: str | None
    """Where the evidence goes: `board`, or an address that the board allows; None for the submission's folder."""
    missing: tuple[str, ...]
    """Everything that prevents the submission, each with its remedy; empty if it can be built."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """Submission that was built and has passed the check."""

    folder: SubmissionFolder
    submission: Submission
    sizes: dict[str, int]
    """Bytes by file name."""
    branch: str | None
    """Git branch that holds the submission; None if it was written to its folder."""


def draft(
    run: Run,
    leaderboards: Path,
    statement: Statement,
    slug: str | None = None,
    *,
    unranked: bool = False,
    trust_code: bool = False,
    store: str | None = None,
) -> Draft:
    """Check a run and its submitter's statement, without writing anything.

    Args:
        run: The run to submit.
        leaderboards: Folder of the boards.
        statement: What the submitter states about the run.
        slug: Name of the submission's folder; None derives it from the statement's name.
        unranked: Draft an entry that is shown without a rank; for maintainers of a board.
        trust_code: Whether to import the reflector's class if the result names one that is not installed as a plug-in.
        store: Where the evidence goes: `board`, or an address; None for the submission's folder.

    Raises:
        RunFolderError: The run has no result yet.
        ResultError: The result is damaged.
    """
    result = without_host(run.result)
    missing = [*ineligibility(result, unranked=unranked)]
    if not missing:
        try:
            result = _restated(result, "reflector", statement.trained_on)
            result = _restated(result, "actor", statement.actor_trained_on)
        except UsageError as error:
            missing.append(str(error))
    missing += missing_statements(result, statement)
    if not trust_code and (problem := unlisted_player("reflector", result.reflector)):
        missing.append(f"the reflector {problem}, to read its instruction; if the code is your own, add --trust-code")
    slug = slug or make_slug(statement.name)
    board = BoardFolder(leaderboards / result.suite.name)
    folder = board.shown(slug) if unranked else board.submission(slug)
    if trouble := slug_problem(slug):
        missing += [f"{trouble}: --slug"] if statement.name or slug else []
    elif _is_taken(folder):
        missing.append(f"a submission {slug!r} exists already: choose another --name or --slug")
    if store is not None and store != BOARD and (problem := read_stores(board).problem(store)):
        missing.append(f"{problem}: --evidence")
    if not missing:
        missing += _metadata_problems(result, statement)
    return Draft(run, result, statement, folder, unranked, store, tuple(missing))


def submission_files(draft: Draft) -> dict[str, bytes]:
    """Return the files of a submission by name, all as they are in its folder if the evidence goes there.

    Raises:
        SubmissionError: Something is missing, or the files are too large.
        RunFolderError: The run lacks episodes, or is damaged.
    """
    if draft.missing:
        raise SubmissionError(f"{draft.run.folder} cannot be submitted: {'; '.join(draft.missing)}")
    result, run = draft.result, draft.run
    evidence = evidence_of_run(run.folder)
    shown = (shown_episode(run.episode(key)) for key in shown_episode_keys(result))
    files = {
        "result.json": result.to_json().encode(),
        "episodes.jsonl.gz": pack_lines(map(pack_record, evidence.episodes())),
        "trajectories.jsonl.gz": pack_lines(episode.model_dump(mode="json") for episode in shown),
    }
    if result.division == "memory":
        files["memories.jsonl.gz"] = pack_lines(memory.model_dump(mode="json") for memory in evidence.memories())
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    submission_json = metadata(result, draft.statement, digests)
    files["submission.json"] = metadata_file(submission_json)
    if (size := sum(map(len, files.values()))) > MAX_BYTES:
        largest = ", ".join(f"{name} {len(content):,}" for name, content in files.items())
        raise SubmissionError(
            f"the submission has {size:,} bytes ({largest}), more than the maximum of {MAX_BYTES:,}; run without "
            "--audit, --online and --test-every-turn, or with the lite profile"
        )
    return files


def _check_writable(folder: Path) -> None:
    """Create a folder of submissions, and check that something can be written into it.

    Raises:
        SubmissionError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".submission-", dir=folder):
            pass
    except OSError as error:
        raise SubmissionError(f"{folder} cannot be written ({error.strerror}); name another --leaderboards") from error


def submit(draft: Draft, check: SubmissionCheck, *, git: bool = True) -> Submitted:
    """Write a submission that passes `check` to a new git branch, or to its folder outside of git.

    Args:
        draft: Draft with nothing missing.
        check: The board's check, `ictbench.board.examine.check_submission`.
        git: False writes the folder even inside a git repository.

    Raises:
        SubmissionError: Something is missing, the check fails, or git refuses. Then nothing is written.
        RunFolderError: The run lacks episodes, or is damaged.
    """
    files = submission_files(draft)
    target = draft.folder.path
    repository = Repository.around(target) if git else None
    if repository is None:
        _check_writable(target.parent)
    with tempfile.TemporaryDirectory(prefix=".submission-", dir=None if repository else target.parent) as temporary:
        built = SubmissionFolder(Path(temporary, draft.folder.slug), draft.folder.board.path)
        built.path.mkdir()
        for name, content in files.items():
            (built.path / name).write_bytes(content)
        if problems := list(check(built, draft.result.suite.name, submitted=not draft.unranked)):
            raise SubmissionError(f"the run fails the board's checks: {'; '.join(problems)}")
        if draft.store is not None:
            if repository and draft.store == BOARD:
                # The branch gets the evidence; the checkout stays as it is.
                built = SubmissionFolder(built.path, Path(temporary, OWN_BOARD))
            files = move_evidence(built, files, draft.store, draft.run.folder / "evidence")
        branch = _commit(repository, built, draft) if repository else None
        if repository is None:
            # Atomic: nobody sees half of a submission, and no other submission is overwritten.
            built.path.rename(target)
    submission = Submission.model_validate_json(files["submission.json"])
    return Submitted(draft.folder, submission, {name: len(content) for name, content in files.items()}, branch)


def branch_name(slug: str) -> str:
    """Return the name of the git branch for a submission."""
    return f"submission/{slug}"


def _commit(repository: Repository, built: SubmissionFolder, draft: Draft) -> str:
    target = draft.folder.path
    place = (target.parent.resolve() / target.name).relative_to(repository.top.resolve())
    files = {(place / path.name).as_posix(): path for path in built.path.iterdir()}
    if draft.store == BOARD:
        evidence = BoardFolder(place.parents[1]).evidence
        files |= {(evidence / path.name).as_posix(): path for path in built.board.evidence.iterdir()}
    message = f"Submission of {draft.folder.slug} to {draft.result.suite.name}"
    repository.commit_files(files, branch := branch_name(draft.folder.slug), message)
    return branch


def _restated(result: Result, role: PlayerRole, trained_on: tuple[str, ...]) -> Result:
    """Return the result with the stated training families of a player, if it does not state them itself.

    Raises:
        UsageError: The statement cannot be parsed, or contradicts the result.
    """
    stated = training_of(result)[role]
    suite = load_suite(result.suite.name)
    submitted = None if trained_on == (UNKNOWN,) else parse_trained_on(trained_on, suite)
    if not trained_on or submitted == stated:
        return result
    if stated is not None:
        raise SubmissionError(
            f"the result states that its {role} was trained on {format_trained_on(stated)}, not "
            f"{format_trained_on(submitted)}; continue the run with the other --{role}-trained-on, which plays nothing"
        )
    restated = result.model_copy(update={f"{role}_trained_on": submitted})
    marks = (*result.deviations, *sorted(training_deviations(restated) - {*result.deviations}))
    return restated.model_copy(update={"deviations": marks, "ranked": result.ranked and not marks})


def _is_taken(folder: SubmissionFolder) -> bool:
    board = BoardFolder(folder.path.parent.parent)
    # Some file systems ignore case.
    taken = {path.name.casefold() for place in (board.submissions, board.unranked) for path in place.glob("*")}
    return folder.slug in taken or _has_branch(folder)


def _has_branch(folder: SubmissionFolder) -> bool:
    try:
        repository = Repository.around(folder.path)
    except SubmissionError:  # stops the submission later, if it goes to git
        return False
    return repository is not None and repository.has_branch(branch_name(folder.slug))


def _metadata_problems(result: Result, statement: Statement) -> Iterator[str]:
    """Yield the values of the submitter's statement that the schema refuses, each with its option."""
    placeholder = dict.fromkeys(("result.json", "episodes.jsonl.gz", "trajectories.jsonl.gz"), "0" * 64)
    try:
        Submission.model_validate_json(json.dumps(metadata(result, statement, placeholder)))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            where = ".".join(map(str, detail["loc"]))
            option = OPTIONS.get(str(detail["loc"][0]), f"{where} of the result")
            yield f"{option}: {describe(detail)}"

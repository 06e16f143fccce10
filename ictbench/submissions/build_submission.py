"""From a finished run to a submission: what is missing, the folder, the branch."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from ictbench.errors import SubmissionError, UsageError
from ictbench.submissions.eligibility import training_deviations, ineligibility, missing_statements
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.submissions.git import Repository
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.metadata import metadata, make_slug, slug_problem
from ictbench.submissions.pack import pack_record, pack_lines, without_host
from ictbench.submissions.read_submission import MAX_BYTES
from ictbench.submissions.shown_episodes import shown_episode_keys, shown_episode
from ictbench.submissions.submission_schema import Submission
from ictbench.suites import load_suite
from ictbench.suites.trained_on import format_trained_on, parse_trained_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results import Result
    from ictbench.runs import Run
    from ictbench.submissions.metadata import Statement

UNKNOWN = "unknown"
"""Said of what a reflector was trained on."""

OPTIONS = {"name": "--name", "description": "--description", "links": "--url", "submitted_by": "--submitted-by"}
"""By field of the metadata."""


class SubmissionCheck(Protocol):
    """Check of a submission's folder that `submit` requires to pass."""

    def __call__(self, folder: SubmissionFolder, suite: str, *, submitted: bool) -> Iterator[str]:
        """Yield one line per problem."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A submission that is not made yet."""

    run: Run
    result: Result
    """As the submission has it."""
    statement: Statement
    folder: SubmissionFolder
    """Where it will lie."""
    unranked: bool
    """Whether the board only shows it: maintainers may put a run of any profile there."""
    missing: tuple[str, ...]
    """Everything in the way, each with what to do; empty if it can be made."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submission that is made and valid."""

    folder: SubmissionFolder
    submission: Submission
    sizes: dict[str, int]
    """Bytes by file."""
    branch: str | None
    """That holds it; None where it lies in the folder."""


def draft(
    run: Run, leaderboards: Path, statement: Statement, slug: str | None = None, *, unranked: bool = False
) -> Draft:
    """Look at a run, and at what its submitter says, without writing anything.

    `unranked` is for a board's maintainers: a run of any profile, to be shown apart.

    Raises:
        RunFolderError: the run has no result yet.
        ResultError: its result is damaged.
    """
    result = without_host(run.result)
    missing = [*ineligibility(result, unranked=unranked)]
    if not missing:
        try:
            result = _restated(result, statement.trained_on)
        except UsageError as error:
            missing.append(str(error))
    missing += missing_statements(result, statement)
    slug = slug or make_slug(statement.name)
    board = BoardFolder(leaderboards / result.suite.name)
    folder = board.shown(slug) if unranked else board.submission(slug)
    if trouble := slug_problem(slug):
        missing += [f"{trouble}: --slug"] if statement.name or slug else []
    elif _is_taken(folder):
        missing.append(f"there is a submission {slug!r} already: another --name or --slug")
    if not missing:
        missing += _metadata_troubles(result, statement)
    return Draft(run, result, statement, folder, unranked, tuple(missing))


def submission_files(draft: Draft) -> dict[str, bytes]:
    """The files of a submission, by name.

    Raises:
        SubmissionError: something is missing, or they are too large.
        RunFolderError: the run lacks episodes, or is damaged.
    """
    if draft.missing:
        raise SubmissionError(f"{draft.run.folder} cannot be submitted: {'; '.join(draft.missing)}")
    result, run = draft.result, draft.run
    records = evidence_of_run(run.folder).episodes()
    shown = (shown_episode(run.episode(key)) for key in shown_episode_keys(result))
    files = {
        "result.json": result.to_json().encode(),
        "episodes.jsonl.gz": pack_lines(map(pack_record, records)),
        "trajectories.jsonl.gz": pack_lines(episode.model_dump(mode="json") for episode in shown),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    said = metadata(result, draft.statement, digests)
    files["submission.json"] = f"{json.dumps(said, indent=1, ensure_ascii=False)}\n".encode()
    if (size := sum(map(len, files.values()))) > MAX_BYTES:
        largest = ", ".join(f"{name} {len(content):,}" for name, content in files.items())
        raise SubmissionError(
            f"the submission has {size:,} bytes ({largest}), and may have {MAX_BYTES:,}; run without --audit and "
            "--test-every-turn, or with the lite profile"
        )
    return files


def submit(draft: Draft, check: SubmissionCheck, *, git: bool = True) -> Submitted:
    """Write a submission that passes `check`: on a git branch of its own, or in its folder where there is no git.

    Args:
        draft: what `draft` found, with nothing missing.
        check: the board's check, `ictbench.board.validate.check_submission`.
        git: False writes the folder even inside a git repository.

    Raises:
        SubmissionError: something is missing, a check fails, or git refuses. Then nothing is left behind.
        RunFolderError: the run lacks episodes, or is damaged.
    """
    files = submission_files(draft)
    target = draft.folder.path
    repository = Repository.around(target) if git else None
    if repository is None:
        target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".submission-", dir=None if repository else target.parent) as temporary:
        made = SubmissionFolder(Path(temporary, draft.folder.slug))
        made.path.mkdir()
        for name, content in files.items():
            (made.path / name).write_bytes(content)
        if problems := list(check(made, draft.result.suite.name, submitted=not draft.unranked)):
            raise SubmissionError(f"the run does not stand up to the board's checks: {'; '.join(problems)}")
        branch = _commit(repository, made, draft) if repository else None
        if repository is None:
            # In one step: nobody meets half of a submission, and no other is overwritten.
            made.path.rename(target)
    submission = Submission.model_validate_json(files["submission.json"])
    return Submitted(draft.folder, submission, {name: len(content) for name, content in files.items()}, branch)


def branch_name(slug: str) -> str:
    """Name of the branch that holds a submission."""
    return f"submission/{slug}"


def _commit(repository: Repository, made: SubmissionFolder, draft: Draft) -> str:
    target = draft.folder.path
    place = (target.parent.resolve() / target.name).relative_to(repository.top.resolve()).as_posix()
    message = f"Submission of {draft.folder.slug} to {draft.result.suite.name}"
    repository.commit_folder(made.path, place, branch := branch_name(draft.folder.slug), message)
    return branch


def _restated(result: Result, trained_on: tuple[str, ...]) -> Result:
    """The result with what its reflector was trained on, where it does not say so itself.

    Raises:
        UsageError: that cannot be read, or the result says something else.
    """
    stated = result.reflector_trained_on
    suite = load_suite(result.suite.name)
    said = None if trained_on == (UNKNOWN,) else parse_trained_on(trained_on, suite)
    if not trained_on or said == stated:
        return result
    if stated is not None:
        raise SubmissionError(
            f"the result says that its reflector was trained on {format_trained_on(stated)}, and you say "
            f"{format_trained_on(said)}; continue the run with the other --reflector-trained-on, which plays nothing"
        )
    marks = [*result.deviations, *sorted(training_deviations(result, said))]
    return result.model_copy(
        update={
            "reflector_trained_on": said,
            "deviations": tuple(marks),
            "ranked": result.ranked and not marks,
        }
    )


def _is_taken(folder: SubmissionFolder) -> bool:
    board = BoardFolder(folder.path.parent.parent)
    # Some file systems do not tell large from small letters.
    there = {path.name.casefold() for place in (board.submissions, board.unranked) for path in place.glob("*")}
    repository = Repository.around(folder.path)
    return folder.slug in there or (repository is not None and repository.has_branch(branch_name(folder.slug)))


def _metadata_troubles(result: Result, statement: Statement) -> Iterator[str]:
    """What of the submitter's words the schema refuses, each with its option."""
    nothing = dict.fromkeys(("result.json", "episodes.jsonl.gz", "trajectories.jsonl.gz"), "0" * 64)
    try:
        Submission.model_validate_json(json.dumps(metadata(result, statement, nothing)))
    except ValidationError as error:
        for one in error.errors(include_url=False):
            where = ".".join(map(str, one["loc"]))
            option = OPTIONS.get(str(one["loc"][0]), f"{where} of the result")
            yield f"{option}: {one['msg'].removeprefix('Value error, ')}, got {one['input']!r:.80}"

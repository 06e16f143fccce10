"""Synthetic boards for tests: submissions of synthetic results, and the board's verification records."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from synthetic import result

from ictbench.audit.verification import Verification
from ictbench.records import Usage
from ictbench.submissions.submission_schema import Submission

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ictbench.board.entries import Board
    from ictbench.records import Episode
    from ictbench.results import Result
    from ictbench.submissions.layout import Badge, BoardFolder

DATE = "2026-01-02T00:00:00Z"


def make_result(families: Mapping[str, Sequence[tuple[str, str]]], label: str = "one", **changes: Any) -> Result:
    """Return a result that a board may rank."""
    made = result(families, label, **{"profile": "lite", "ranked": True, **changes})
    if "reflector" in changes:
        return made
    # A board accepts only the label that a run gives.
    reflector = made.reflector.model_copy(update={"label": made.reflector.name})
    return made.model_copy(update={"reflector": reflector})


def submit(
    board: BoardFolder,
    slug: str,
    result: Result,
    *,
    badges: Sequence[Badge] = ("replayed",),
    trajectories: Iterable[Episode] = (),
    unranked: bool = False,
    files_instead: Mapping[str, bytes] | None = None,
    **changes: Any,
) -> Submission:
    """Put a result on a board as a submission with these badges."""
    folder = (board.shown if unranked else board.submission)(slug)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.result.write_text(result.to_json(), encoding="utf-8")
    folder.episodes.write_bytes(gzip.compress(b"", mtime=0))
    lines = "".join(f"{episode.model_dump_json()}\n" for episode in trajectories)
    folder.trajectories.write_bytes(gzip.compress(lines.encode(), mtime=0))
    for name, content in (files_instead or {}).items():
        (folder.path / name).write_bytes(content)
    cost = sum(result.cost.values(), Usage())
    submission = Submission.model_validate(
        {
            "schema": "ictbench.submission/1",
            "name": slug,
            "description": f"Description of {slug}.",
            "links": (),
            "submitted_by": "somebody",
            "suite": result.suite.name,
            "profile": result.profile,
            "reflector": {"label": result.reflector.label},
            "actor": {"label": result.actor.label},
            "reflector_trained_on": result.reflector_trained_on,
            "date": "2026-01-01",
            "cost": {
                "usd": cost.cost,
                "calls": cost.calls,
                "input_tokens": cost.input_tokens,
                "output_tokens": cost.output_tokens,
            },
            "ictbench": result.ictbench,
            "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.content},
            **changes,
        }
    )
    folder.metadata.write_text(submission.model_dump_json(by_alias=True), encoding="utf-8")
    for badge in badges:
        verify(board, slug, badge, submission, result)
    return submission


def with_metadata(board: Board, slug: str, **changes: Any) -> Board:
    """Return the board with changed, unvalidated metadata of one submission."""
    entries = [
        replace(entry, submission=entry.submission.model_copy(update=changes)) if entry.slug == slug else entry
        for entry in board.entries
    ]
    return replace(board, entries=tuple(entries))


def verify(board: BoardFolder, slug: str, badge: Badge, submission: Submission, result: Result, **changes: Any) -> None:
    """Write the board's verification record of a submission."""
    content: dict[str, Any] = {
        "schema": "ictbench.verification/1",
        "badge": badge,
        "submission": submission.digest,
        "result": result.checksum,
        "passed": True,
        "checks": [{"name": "replay", "verdict": "passed", "detail": "all as recorded"}],
        "ictbench": "0",
        "versions": {"nle": "1"},
        "date": DATE,
        "by": "the board",
    }
    if badge == "replayed":
        content["replayed"] = {"episodes": 30, "of": 30, "decisions": 400, "sample_seed": None}
    else:
        content["reran"] = {
            "loops": (100, 101),
            "salt": "s",
            "fresh_tasks": True,
            "measure": "best",
            "submitted": 0.8,
            "rerun": 0.75,
            "low": -0.08,
            "high": -0.02,
            "margin": 0.1,
        }
    path = board.verification(slug, badge)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = Verification.model_validate({**content, **changes})
    path.write_text(record.model_dump_json(by_alias=True), encoding="utf-8")

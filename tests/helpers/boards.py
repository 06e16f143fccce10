"""Boards made up for tests: results made submissions, and the board's own records of them."""

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

WHEN = "2026-01-02T00:00:00Z"


def made_up(families: Mapping[str, Sequence[tuple[str, str]]], label: str = "one", **changes: Any) -> Result:
    """A result that a board may rank."""
    return result(families, label, **{"profile": "lite", "ranked": True, **changes})


def submit(
    board: BoardFolder,
    slug: str,
    result: Result,
    *,
    badges: Sequence[Badge] = ("replayed",),
    trajectories: Iterable[Episode] = (),
    unranked: bool = False,
    **changes: Any,
) -> Submission:
    """Put a result on a board, with the badges that it then has."""
    folder = (board.shown if unranked else board.submission)(slug)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.result.write_text(result.to_json(), encoding="utf-8")
    folder.episodes.write_bytes(gzip.compress(b"", mtime=0))
    lines = "".join(f"{episode.model_dump_json()}\n" for episode in trajectories)
    folder.trajectories.write_bytes(gzip.compress(lines.encode(), mtime=0))
    cost = sum(result.cost.values(), Usage())
    submission = Submission.model_validate(
        {
            "schema": "ictbench.submission/1",
            "name": slug,
            "description": f"What {slug} is.",
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


def restated(board: Board, slug: str, **changes: Any) -> Board:
    """A board whose submission says what the schema would refuse."""
    entries = [
        replace(entry, submission=entry.submission.model_copy(update=changes)) if entry.slug == slug else entry
        for entry in board.entries
    ]
    return replace(board, entries=tuple(entries))


def verify(board: BoardFolder, slug: str, badge: Badge, submission: Submission, result: Result, **changes: Any) -> None:
    """Write the board's record of a check."""
    found: dict[str, Any] = {
        "schema": "ictbench.verification/1",
        "badge": badge,
        "submission": submission.digest,
        "result": result.checksum,
        "passed": True,
        "checks": [{"name": "replay", "verdict": "passed", "detail": "all as recorded"}],
        "ictbench": "0",
        "versions": {"nle": "1"},
        "date": WHEN,
        "by": "the board",
    }
    if badge == "replayed":
        found["replayed"] = {"episodes": 30, "of": 30, "decisions": 400, "sample_seed": None}
    else:
        found["reran"] = {
            "loops": (100, 101),
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
    record = Verification.model_validate({**found, **changes})
    path.write_text(record.model_dump_json(by_alias=True), encoding="utf-8")

"""Compact form of a run in a submission: the same bytes for the same run on any machine."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

from ictbench.submissions.episode_records import SUBMISSION_DIGITS, EpisodeRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ictbench.results import Result

PROPOSED_CHARACTERS = 200
"""Maximum characters of a proposed action that was not executed as proposed. A model may answer with pages."""


def without_host(result: Result) -> Result:
    """Return the result without details of the submitter's machine; the checksum stays the same."""
    empty: dict[str, Any] = {"folder": "", "addresses": {}, "troubles": (), "machine": {}}
    return result.model_copy(update={"host": result.host.model_copy(update=empty)})


def pack_record(record: EpisodeRecord) -> dict[str, Any]:
    """Return a record as plain JSON without thoughts and defaults, with short hashes and proposed actions."""
    plain = record.model_dump(mode="json", exclude_defaults=True)
    trajectory = plain["trajectory"]
    trajectory["last_digest"] = trajectory["last_digest"][:SUBMISSION_DIGITS]
    if "start" in plain:
        plain["start"] = plain["start"][:SUBMISSION_DIGITS]
    for step in trajectory["steps"]:
        step["digest"] = step["digest"][:SUBMISSION_DIGITS]
        step.pop("thought", None)
        if (proposed := step.pop("proposed", None)) not in (None, step["executed"]):
            step["proposed"] = proposed[:PROPOSED_CHARACTERS]
    return plain


def pack_lines(values: Iterable[Any]) -> bytes:
    """Return gzipped JSON lines, without time and file name in the gzip header."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        for value in values:
            file.write(f"{json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n".encode())
    return packed.getvalue()

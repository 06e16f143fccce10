"""The parts of an entry's page that do not depend on other entries: its run and its episodes, compressed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ictbench.board.bad_entry import BadEntry
from ictbench.board.finding_cache import submission_key
from ictbench.board.parallel import look_up_each
from ictbench.errors import UsageError
from ictbench.records import Record
from ictbench.rollout.remote.process_starter import cores
from ictbench.visible_text import one_line
from ictbench.web.board.entry_page import run_document
from ictbench.web.chunks import compress_json
from ictbench.web.episode_chunks import pack_episodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.entries import Entry
    from ictbench.board.finding_cache import FindingCache
    from ictbench.board.parallel import OnProgress
    from ictbench.submissions.read_submission import SubmissionContent

ChunkId = Annotated[str, Field(pattern="^[a-z0-9-]+$")]
Base64 = Annotated[str, Field(pattern="^[A-Za-z0-9+/]*={0,2}$")]


class EntryParts(Record):
    """Chunks of an entry's page, by id; nothing in them can end an element."""

    chunks: tuple[tuple[ChunkId, Base64], ...]


class _Collected:
    """Chunks that are kept in memory."""

    def __init__(self) -> None:
        self.chunks: list[tuple[str, str]] = []

    def add(self, chunk_id: str, content: Any) -> None:
        """Compress JSON content and keep it."""
        self.chunks.append((chunk_id, compress_json(content)))


def prepare_parts(entries: Sequence[Entry], findings: FindingCache, step: str, on_progress: OnProgress) -> list[str]:
    """Make the parts of entries on all cores, where they are not known.

    Returns:
        For each entry why it cannot be shown; empty if it can.
    """
    look_up, work = partial(_look_up, findings), partial(_prepare, findings)
    return look_up_each(look_up, work, entries, jobs=cores(), step=step, on_progress=on_progress)


def parts_of(entry: Entry, findings: FindingCache) -> EntryParts:
    """Return the parts of an entry, which are made if they are not known.

    Raises:
        SubmissionError: Its folder has changed since the board was read, or its episodes cannot be used.
    """
    if (parts := findings.get(EntryParts, *_key(entry))) is None:
        content = entry.read()
        unavailable = _why_unavailable(content)
        parts = _make(entry, content, unavailable)
        if not unavailable:  # another day it may be fetched
            findings.put(parts, *_key(entry))
    return parts


def _key(entry: Entry) -> tuple[str, ...]:
    """Return what the parts depend on, besides the code."""
    return submission_key(entry.submission), entry.slug, str(entry.badges.shown_replayed)


def _look_up(findings: FindingCache, entry: Entry) -> str | None:
    return "" if findings.has(EntryParts, *_key(entry)) else None


def _prepare(findings: FindingCache, entry: Entry) -> str:
    try:
        parts_of(entry, findings)
    except OSError:
        raise
    except Exception as error:  # an entry may hold anything, and never stops the others
        return BadEntry.of(entry.slug, error).reason
    return ""


def _why_unavailable(content: SubmissionContent) -> str:
    """Return why the evidence of a submission cannot be fetched; empty if it can."""
    if content.submission.evidence is not None:
        try:
            content.file("trajectories.jsonl.gz")
        except UsageError as error:
            return one_line(str(error))
    return ""


def _make(entry: Entry, content: SubmissionContent, unavailable: str) -> EntryParts:
    collected = _Collected()
    index = pack_episodes(() if unavailable else content.shown_episodes(), collected, 0)
    collected.add("report", run_document(entry, content.result, index, unavailable))
    return EntryParts(chunks=tuple(collected.chunks))

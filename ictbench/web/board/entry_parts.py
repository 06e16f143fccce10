"""The parts of an entry's page that do not depend on other entries: its run and its episodes, compressed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ictbench.board.bad_entry import BadEntry
from ictbench.board.finding_cache import submission_key
from ictbench.board.parallel import look_up_each
from ictbench.board.unavailable import known_unavailable, why_unavailable
from ictbench.records import Record
from ictbench.rollout.remote.process_starter import cores
from ictbench.web.board.entry_page import run_document
from ictbench.web.chunks import compress_json
from ictbench.web.episode_chunks import pack_episodes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    for key in _keys(entry, findings):
        if parts := findings.get(EntryParts, *key):
            return parts
    content = entry.read()
    unavailable = why_unavailable(content, findings)
    parts = _make(entry, content, unavailable)
    findings.put(parts, *_key(entry, unavailable))
    return parts


def _keys(entry: Entry, findings: FindingCache) -> Iterator[tuple[str, ...]]:
    """Yield the keys under which the parts may be known: with episodes, and without if they cannot be fetched today."""
    yield _key(entry, "")
    if unavailable := known_unavailable(entry.submission, findings):
        yield _key(entry, unavailable)


def _key(entry: Entry, unavailable: str) -> tuple[str, ...]:
    """Return what the parts depend on, besides the code."""
    return submission_key(entry.submission), entry.slug, str(entry.badges.shown_replayed), unavailable


def _look_up(findings: FindingCache, entry: Entry) -> str | None:
    return "" if any(findings.has(EntryParts, *key) for key in _keys(entry, findings)) else None


def _prepare(findings: FindingCache, entry: Entry) -> str:
    try:
        parts_of(entry, findings)
    except OSError:
        raise
    except Exception as error:  # an entry may hold anything, and never stops the others
        return BadEntry.of(entry.slug, error).reason
    return ""


def _make(entry: Entry, content: SubmissionContent, unavailable: str) -> EntryParts:
    collected = _Collected()
    index = pack_episodes(() if unavailable else content.shown_episodes(), collected, 0)
    collected.add("report", run_document(entry, content.result, index, unavailable))
    return EntryParts(chunks=tuple(collected.chunks))

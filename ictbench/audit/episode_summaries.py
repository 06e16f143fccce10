"""Compact summaries of all episodes of a result: 100,000 of them take about 50 MB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ictbench.records import EpisodeSummary, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.submissions.episode_records import EpisodeRecord


class EpisodeSummaries(Mapping[str, EpisodeSummary]):
    """Summaries by episode key. They are kept as tuples; a lookup creates the record."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, ...]] = {}
        self._usages: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        """Each distinct usage once: those of scripted actors are all equal."""

    def add(self, record: EpisodeRecord) -> None:
        """Keep the summary of an episode."""
        summary = record.summary()
        usage = tuple(value for _, value in summary.usage)
        usage = self._usages.setdefault(usage, usage)
        self._kept[record.key] = (
            summary.end,
            summary.failure,
            summary.decisions,
            summary.invalid,
            summary.first_digest,
            summary.start,
            summary.added_bytes,
            summary.progress,
            usage,
        )

    def solved(self, key: str) -> bool:
        """Return whether an episode was solved."""
        return bool(self._kept[key][0] == "solved")

    def __getitem__(self, key: str) -> EpisodeSummary:
        end, failure, decisions, invalid, first_digest, start, added_bytes, progress, usage = self._kept[key]
        return EpisodeSummary(
            key=key,
            end=end,
            failure=failure,
            decisions=decisions,
            invalid=invalid,
            first_digest=first_digest,
            start=start,
            added_bytes=added_bytes,
            progress=progress,
            usage=Usage(**dict(zip(Usage.model_fields, usage, strict=True))),
        )

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

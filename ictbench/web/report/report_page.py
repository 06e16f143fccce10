"""The page of a report: the document of its runs, and their episodes in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.errors import ResultError
from ictbench.web.chunks import open_chunks
from ictbench.web.episode_chunks import pack_episodes
from ictbench.web.html_shell import HtmlShell
from ictbench.web.memory_chunks import pack_memories
from ictbench.web.report.episode_selection import omission_note, select_episodes
from ictbench.web.report.report_document import report_document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.web.chunks import Chunks
    from ictbench.web.report.episode_selection import EpisodeChoice
    from ictbench.web.report.report_source import ReportSource

REPORT = HtmlShell("ictbench report", "report")


def write_page(sources: Sequence[ReportSource], choice: EpisodeChoice, out: Path) -> None:
    """Write the report of one or more runs atomically.

    Raises:
        ResultError: A result contradicts itself, or contains a number that is not finite.
        OSError: The file cannot be written.
    """
    document = report_document(sources)
    labels = " / ".join(dict.fromkeys(run["label"] for run in document["runs"]))
    try:
        with open_chunks() as chunks:
            for number, (source, run) in enumerate(zip(sources, document["runs"], strict=True)):
                run["episodes"] = _pack(number, source, choice, chunks)
                if source.result.division == "memory":
                    run["memories"] = pack_memories(source.memories(), chunks, number)
            REPORT.write(out, f"{labels} - {REPORT.generator}", document, chunks)
    except ValueError as error:
        names = ", ".join(source.name for source in sources)
        raise ResultError(f"a result is damaged ({names}): a measure in it is not a finite number") from error


def is_report(path: Path) -> bool:
    """Return whether a file was written by `write_page`."""
    return REPORT.is_page(path)


def _pack(number: int, source: ReportSource, choice: EpisodeChoice, chunks: Chunks) -> dict[str, Any]:
    selected = set(select_episodes(source.result, choice))
    episodes = (episode for episode in source.episodes() if episode.key in selected) if selected else ()
    index = pack_episodes(episodes, chunks, number)
    return {**index, "note": omission_note(source.result, choice, len(index["keys"]))}

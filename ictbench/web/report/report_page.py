"""Puts the report together: the document of its runs, and the chunks of their episodes behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.errors import ResultError
from ictbench.web.report.episode_chunks import pack
from ictbench.web.report.episode_selection import choose, omission
from ictbench.web.report.html_shell import Chunks, Shell, collecting
from ictbench.web.report.report_document import document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.web.report.episode_selection import EpisodeChoice
    from ictbench.web.report.report_source import ReportSource

STYLES = ("colours", "base", "controls", "cards", "tables", "charts", "prompts", "player")
REPORT = Shell("ictbench report", "report", STYLES)


def write_page(sources: Sequence[ReportSource], choice: EpisodeChoice, out: Path) -> None:
    """Write the report of one run or several, in one step.

    Raises:
        ResultError: a result contradicts itself, or is damaged.
        OSError: the file cannot be written.
    """
    content = document(sources)
    labels = " / ".join(dict.fromkeys(run["label"] for run in content["runs"]))
    try:
        with collecting() as chunks:
            for number, (source, run) in enumerate(zip(sources, content["runs"], strict=True)):
                run["episodes"] = _pack(number, source, choice, chunks)
            REPORT.write(out, f"{labels} - {REPORT.kind}", content, chunks)
    except ValueError as error:
        names = ", ".join(source.name for source in sources)
        raise ResultError(f"a result is damaged ({names}): a measure in it is no finite number") from error


def is_report(path: Path) -> bool:
    """Whether a file was written by `write_page`."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return REPORT.mark in file.read(2000)


def _pack(number: int, source: ReportSource, choice: EpisodeChoice, chunks: Chunks) -> dict[str, Any]:
    wanted = set(choose(source.result, choice))
    index = pack(
        (episode for episode in source.episodes() if episode.key in wanted) if wanted else (),
        lambda chunk, text: chunks.add(f"chunk-{number}-{chunk}", text),
    )
    return {**index, "note": omission(source.result, choice, len(index["keys"]))}

"""Puts the page together: markup, style, script, document, and the episodes' chunks behind them all."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import shutil
import tempfile
from importlib.resources import files
from typing import IO, TYPE_CHECKING, Any

from ictbench.errors import ResultError
from ictbench.results.report.choice import choose, omission
from ictbench.results.report.chunks import pack
from ictbench.results.report.document import document
from ictbench.results.report.modules import join_modules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.results.report.choice import EpisodeChoice
    from ictbench.results.report.source import ReportSource

ASSETS = files(__package__) / "assets"
STYLES = ("colours", "base", "controls", "cards", "tables", "charts", "prompts", "player")
MARK = '<meta name="generator" content="ictbench report">'
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; form-action 'none'"
)


def write_page(sources: Sequence[ReportSource], choice: EpisodeChoice, out: Path) -> None:
    """Write the report of one run or several, in one step.

    Raises:
        ResultError: a result contradicts itself.
        OSError: the file cannot be written.
    """
    content = document(sources)
    with tempfile.TemporaryFile("w+", encoding="ascii") as chunks:
        for number, (source, run) in enumerate(zip(sources, content["runs"], strict=True)):
            run["episodes"] = _pack(number, source, choice, chunks)
        chunks.seek(0)
        before, after = _around_chunks(content, sources)
        part = out.with_name(out.name + ".part")
        try:
            with open(part, "w", encoding="utf-8") as page:
                page.write(before)
                shutil.copyfileobj(chunks, page)
                page.write(after)
            os.replace(part, out)
        finally:
            part.unlink(missing_ok=True)


def is_report(path: Path) -> bool:
    """Whether a file was written by `write_page`."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return MARK in file.read(2000)


def _pack(number: int, source: ReportSource, choice: EpisodeChoice, chunks: IO[str]) -> dict[str, Any]:
    wanted = set(choose(source.result, choice))

    def write(chunk: int, text: str) -> None:
        chunks.write(f'<script type="application/octet-stream;base64" id="chunk-{number}-{chunk}">{text}</script>\n')

    index = pack((episode for episode in source.episodes() if episode.key in wanted) if wanted else (), write)
    return {**index, "note": omission(source.result, choice, len(index["keys"]))}


def _around_chunks(content: dict[str, Any], sources: Sequence[ReportSource]) -> list[str]:
    """The page before and after the chunks."""
    style = "".join(_read(f"{name}.css") for name in STYLES)
    script = join_modules("report", lambda name: _read(f"{name}.js"))
    labels = " / ".join(dict.fromkeys(run["label"] for run in content["runs"]))
    values = {
        "mark": MARK,
        "policy": POLICY.format(script=_hash(script), style=_hash(style)),
        "title": html.escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in labels)),
        "style": style,
        "script": script,
        "document": _embed(content, sources),
    }
    parts = _read("page.html").split("{{chunks}}")
    return [PLACEHOLDER.sub(lambda match: values[match[1]], part) for part in parts]


def _embed(content: dict[str, Any], sources: Sequence[ReportSource]) -> str:
    """JSON that may stand inside an element: no text in it can end the element or begin another."""
    try:
        plain = json.dumps(content, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        names = ", ".join(source.name for source in sources)
        raise ResultError(f"a result is damaged ({names}): a measure in it is no finite number") from error
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")

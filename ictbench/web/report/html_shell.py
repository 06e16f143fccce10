"""The page around a document: markup, style and script in one file, which may load nothing and run nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import IO, TYPE_CHECKING, Any

from ictbench.web.report.modules import join_modules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

ASSETS = files(__package__) / "assets"
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Shell:
    """One kind of page."""

    kind: str
    """As the page names itself, e.g. `ictbench report`."""
    entry: str
    """Module that draws it."""
    styles: tuple[str, ...]
    assets: tuple[Traversable, ...] = (ASSETS,)
    """Where modules and styles lie; the first place that has one counts."""

    @property
    def mark(self) -> str:
        """By which a page of this kind is known."""
        return f'<meta name="generator" content="{self.kind}">'

    def write(self, out: Path, title: str, document: dict[str, Any], chunks: Chunks | None = None) -> None:
        """Write a page in one step.

        Raises:
            ValueError: the document holds a number that is not finite.
            OSError: the file cannot be written.
        """
        before, after = self._around_chunks(title, document)
        part = out.with_name(out.name + ".part")
        try:
            with open(part, "w", encoding="utf-8") as page:
                page.write(before)
                if chunks:
                    chunks.copy_to(page)
                page.write(after)
            os.replace(part, out)
        finally:
            part.unlink(missing_ok=True)

    def _around_chunks(self, title: str, document: dict[str, Any]) -> list[str]:
        """The page before and after the chunks."""
        values = {
            "mark": self.mark,
            "policy": POLICY.format(script=_hash(self._script), style=_hash(self._style)),
            "title": html.escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in title)),
            "style": self._style,
            "script": self._script,
            "document": _embed(document),
        }
        parts = (ASSETS / "page.html").read_text(encoding="utf-8").split("{{chunks}}")
        return [PLACEHOLDER.sub(lambda match: values[match[1]], part) for part in parts]

    @cached_property
    def _style(self) -> str:
        return "".join(self._read(f"{name}.css") for name in self.styles)

    @cached_property
    def _script(self) -> str:
        return join_modules(self.entry, lambda name: self._read(f"{name}.js"))

    def _read(self, name: str) -> str:
        found = next(place / name for place in self.assets if (place / name).is_file())
        return found.read_text(encoding="utf-8")


class Chunks:
    """What a page unpacks when it is looked at: texts of `ictbench.web.report.episode_chunks`, by id; kept on disk."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def add(self, identity: str, packed: str) -> None:
        """One more; its id holds nothing but letters, digits and hyphens."""
        self._file.write(f'<script type="application/octet-stream;base64" id="{identity}">{packed}</script>\n')

    def copy_to(self, page: IO[str]) -> None:
        """All of them, in the order they were added."""
        self._file.seek(0)
        shutil.copyfileobj(self._file, page)


@contextmanager
def collecting() -> Iterator[Chunks]:
    """Chunks to add to, however many there are."""
    with tempfile.TemporaryFile("w+", encoding="ascii") as file:
        yield Chunks(file)


def _embed(document: dict[str, Any]) -> str:
    """JSON that may stand inside an element: no text in it can end the element or begin another."""
    plain = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""Page template: markup, style, script and data in one file that loads nothing and runs no other script."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.web.chunks import Chunks

WEB = files(__package__)
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; form-action 'none'"
)
STYLES = tuple(
    f"assets/{name}.css" for name in ("colours", "base", "controls", "cards", "tables", "charts", "prompts", "player")
)
"""Style sheets of all pages, in the order in which they apply."""

HEAD_LENGTH = 2000
"""Characters of a file in which its generator must be named."""


@dataclass(frozen=True)
class HtmlShell:
    """Template of one kind of page."""

    generator: str
    """Name by which a page is recognised, for example `ictbench report`."""
    bundle: str
    """Name of the script in `bundles/` that draws the page."""
    styles: tuple[str, ...] = STYLES
    """Paths of the style sheets, relative to this package."""

    def write(self, out: Path, title: str, document: dict[str, Any], chunks: Chunks | None = None) -> None:
        """Write a page atomically.

        Args:
            out: The file to write or replace.
            title: Title of the page.
            document: JSON that the script draws at once.
            chunks: Data that the script decompresses on demand.

        Raises:
            ValueError: The document contains a number that is not finite.
            OSError: The file cannot be written.
        """
        head, tail = self._around_chunks(title, document)
        part = out.with_name(out.name + ".part")
        try:
            with open(part, "w", encoding="utf-8") as page:
                page.write(head)
                if chunks:
                    chunks.copy_to(page)
                page.write(tail)
            os.replace(part, out)
        finally:
            part.unlink(missing_ok=True)

    def is_page(self, path: Path) -> bool:
        """Return whether a file was written with a template of this generator."""
        with open(path, encoding="utf-8", errors="replace") as file:
            return self._generator_tag in file.read(HEAD_LENGTH)

    def _around_chunks(self, title: str, document: dict[str, Any]) -> list[str]:
        """Return the page before and after its chunks."""
        printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in title)
        values = {
            "generator": self._generator_tag,
            "policy": POLICY.format(script=_source_hash(self._script), style=_source_hash(self._style)),
            "title": html.escape(printable),
            "style": self._style,
            "script": self._script,
            "document": _embeddable_json(document),
        }
        parts = _read("assets/page.html").split("{{chunks}}")
        return [PLACEHOLDER.sub(lambda match: values[match[1]], part) for part in parts]

    @property
    def _generator_tag(self) -> str:
        return f'<meta name="generator" content="{self.generator}">'

    @cached_property
    def _style(self) -> str:
        return "".join(map(_read, self.styles))

    @cached_property
    def _script(self) -> str:
        return _read(f"bundles/{self.bundle}.js")


def _read(path: str) -> str:
    return (WEB / path).read_text(encoding="utf-8")


def _embeddable_json(document: dict[str, Any]) -> str:
    """Return JSON that can stand inside an element: no text in it ends the element or begins another."""
    plain = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _source_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

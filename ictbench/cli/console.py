"""Console for tables, styles and live displays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import rich.console
from rich.console import ConsoleDimensions
from rich.segment import Segment

from ictbench.cli.terminal import output_closed
from ictbench.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType


UNKNOWN_WIDTH = 80
"""Width of an output that does not tell its width."""


class Console(rich.console.Console):
    """Console of rich that replaces control characters in what it renders, and cuts nothing."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, **settings)
        self._stated_width: int | None = settings.get("width")

    @property  # type: ignore[misc]  # nothing sets the size of our consoles
    def size(self) -> ConsoleDimensions:
        """Width and height: as stated, by COLUMNS, or of the terminal, in this order. A width of 0 is unknown."""
        width = self._stated_width or _columns() or super().size.width or UNKNOWN_WIDTH
        return ConsoleDimensions(width, super().size.height)

    def print(self, *objects: Any, crop: bool = False, **settings: Any) -> None:
        """Print objects; the terminal breaks a line that is longer than it is wide."""
        super().print(*objects, crop=crop, **settings)

    def on_broken_pipe(self) -> None:
        """End the command, or go on without progress; rich would end it with exit code 1 in both cases."""
        output_closed(self.file)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, their texts without control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def _columns() -> int:
    """Return the width that the environment states; 0 if it states none."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isascii() and columns.isdigit() else 0

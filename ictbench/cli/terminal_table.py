"""Lines and tables on the terminal. Texts come from users, games and plug-ins, so markup is off.

A table never loses a character of a cell. It narrows its text columns as far as their words allow. On a terminal that
is narrower still, each row becomes a paragraph of `heading value` pairs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ictbench.cli.console import Console
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    import rich.console
    from rich.console import ConsoleOptions, RenderResult

BREAKS = re.compile(r"(?<=\s)(?=\S)|(?<=[^\W\d_][-_/])(?=[^\W\d_])")
"""Places where a text may be broken into lines: between words, and within names such as `pick-two_objects`."""

WORDS = re.compile(r"(\s*)(\S+)")
"""Words, each with the space before it, which is kept: a path may have several spaces in a row."""

GAP = 2
"""Spaces between two columns."""

INTERVAL = " [95 %]"
"""End of the heading of a column with intervals."""

INDENT = "  "
"""Indentation of the pairs below the first cell of a row."""


def print_line(line: str, style: str = "") -> None:
    """Print a text as one line, however long it is."""
    Console().print(Text(one_line(line), style), soft_wrap=True)


def print_table(table: Grid) -> None:
    """Print a table on standard output."""
    Console().print(table)


@dataclass
class Grid:
    """Table that adapts to the width of the terminal; `grid` makes one."""

    head: tuple[str, ...]
    left: tuple[bool, ...]
    """Whether a column holds texts, which may be broken into lines, or numbers, which stay whole."""
    heading: bool = True
    """Whether the headings are shown above the columns."""
    rows: list[tuple[tuple[str, ...], str] | None] = field(default_factory=list)
    """Cells and style of each row; None is an empty line."""

    def add_section(self) -> None:
        """Leave a line empty before the next row."""
        self.rows.append(None)

    def lines(self, width: int) -> Iterator[Text]:
        """Yield the lines of the table for a terminal of this width."""
        head, widths = self._shown_head(), self._widths(width)
        if widths is None:
            yield from self._paragraphs(width)
            return
        if self.heading:
            yield from self._line(head, widths, "bold")
            yield Text("─" * (sum(widths) + GAP * (len(widths) - 1)))
        for row in self._without_last_gap():
            yield from self._line(row[0], widths, row[1]) if row else [Text()]

    def __rich_console__(self, console: rich.console.Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines(options.max_width):
            line.no_wrap, line.overflow = True, "ignore"
            yield line

    def fits(self, width: int) -> bool:
        """Return whether the columns fit beside each other."""
        return self._widths(width) is not None

    def _shown_head(self) -> tuple[str, ...]:
        """Return the headings: a column whose cells have no interval is not announced as having some."""
        rows = [row[0] for row in self.rows if row]
        return tuple(
            name if not rows or any("[" in row[column] for row in rows) else name.removesuffix(INTERVAL)
            for column, name in enumerate(self.head)
        )

    def _widths(self, width: int) -> list[int] | None:
        """Return the width of each column; None if the numbers and words do not fit beside each other."""
        head = self._shown_head()
        cells = [row[0] for row in self.rows if row] + ([head] if self.heading else [])
        if not cells:
            return [0] * len(head)
        columns = list(zip(*cells, strict=True))
        widths = [max(map(cell_len, column)) for column in columns]
        least = [
            max(_least(cell, breaks=left or cell is name) for cell in column)
            for column, left, name in zip(columns, self.left, head, strict=True)
        ]
        excess = sum(widths) + GAP * (len(widths) - 1) - width
        if excess > sum(widths) - sum(least):
            return None
        for _ in range(excess):
            widest = max((width, i) for i, width in enumerate(widths) if width > least[i])[1]
            widths[widest] -= 1
        return widths

    def _line(self, cells: Sequence[str], widths: Sequence[int], style: str) -> Iterator[Text]:
        """Yield a row: one line, or more where texts are broken."""
        broken = [_wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
        for number in range(max(map(len, broken))):
            parts = [cell[number] if number < len(cell) else "" for cell in broken]
            line = (" " * GAP).join(map(_pad, parts, widths, self.left))
            yield Text(line.rstrip(), style)

    def _paragraphs(self, width: int) -> Iterator[Text]:
        """Yield each row as a paragraph; a value stays beside its heading, and whole, even on a narrower terminal."""
        for row in self._without_last_gap():
            if row is None:
                yield Text()
                continue
            (first, *rest), style = row
            pairs = [f"{name} {cell}".strip() for name, cell in zip(self._shown_head()[1:], rest, strict=True) if cell]
            yield from (Text(line, style or "bold") for line in wrap_words(first, width))
            yield from (Text(f"{INDENT}{line}", style) for line in _flow(pairs, width - len(INDENT)))

    def _without_last_gap(self) -> list[tuple[tuple[str, ...], str] | None]:
        return self.rows[:-1] if self.rows and self.rows[-1] is None else self.rows


def grid(columns: Iterable[str], *, left: Container[str], heading: bool = True) -> Grid:
    """Return an empty table; the columns named in `left` hold texts, the others numbers."""
    head = tuple(map(one_line, columns))
    return Grid(head, tuple(name in left for name in head), heading)


def add_row(table: Grid, cells: Iterable[str], style: str | None = None) -> None:
    """Add a row of texts."""
    table.rows.append((tuple(map(one_line, cells)), style or ""))


def without_shared(table: Grid, names: Container[str]) -> tuple[Grid, str]:
    """Return a table without those of these columns whose rows all have the same text, and these texts in words."""
    rows = [row[0] for row in table.rows if row]
    shared = {
        column: f"{name} {rows[0][column]}"
        for column, name in enumerate(table.head)
        if name in names and len(rows) > 1 and len({row[column] for row in rows}) == 1
    }
    keep = [column for column in range(len(table.head)) if column not in shared]
    narrower = Grid(tuple(table.head[i] for i in keep), tuple(table.left[i] for i in keep), table.heading)
    narrower.rows = [row and (tuple(row[0][i] for i in keep), row[1]) for row in table.rows]
    return narrower, ", ".join(shared.values())


def _least(text: str, *, breaks: bool) -> int:
    """Return the width below which a text would lose characters."""
    pieces = BREAKS.split(text) if breaks else [text]
    return max((cell_len(piece.rstrip()) for piece in pieces), default=0)


def _wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text that is broken between pieces."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for piece in BREAKS.split(text):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _pad(text: str, width: int, left: bool) -> str:
    space = " " * (width - cell_len(text))
    return text + space if left else space + text


def _flow(parts: Iterable[str], width: int) -> list[str]:
    """Return lines of parts, two spaces between them; a part that is too long is broken between words."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(lines[-1]) + GAP + cell_len(part) <= width:
            lines[-1] += " " * GAP + part
        else:
            lines += wrap_words(part, width)
    return lines


def wrap_words(text: str, width: int) -> list[str]:
    """Return the lines of a text that is broken between words; a longer word stays whole."""
    lines: list[str] = []
    for space, word in WORDS.findall(text.strip()):
        if lines and cell_len(lines[-1]) + cell_len(space) + cell_len(word) <= width:
            lines[-1] += space + word
        else:
            lines.append(word)
    return lines

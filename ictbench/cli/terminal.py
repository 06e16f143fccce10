"""Output of commands: the one place where texts of unknown origin are made harmless for a terminal.

Texts come from models, games, plug-ins, endpoints and submitters. A control character in them could move the cursor,
rename the window or write to the clipboard. `safe_output` replaces such characters in everything that is printed, also
in tracebacks; `ictbench.cli.console.Console` does so for what rich prints, and keeps rich's own styles.

An output whose reader has gone, as in `ictbench … | head`, ends the command quietly.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from ictbench.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ASCII = "ictbench-ascii"
"""Name of the error handler that writes ASCII for what an output's encoding lacks."""

EQUIVALENTS = {
    **dict.fromkeys("─━–‑−", "-"),
    **dict.fromkeys("│┃", "|"),
    "—": "--",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
    "×": "x",
    "±": "+-",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
}
"""ASCII for characters of our own texts. For others, a question mark is written."""

CLOSED_PIPE = 141
"""Exit code where nobody reads standard output any more: that of a program that SIGPIPE ends."""

STDERR = 2
"""File number of standard error."""

HIDDEN = re.compile(r"[^\n -~]")
"""Characters of a JSON text that may be invisible."""


class VisibleStream:
    """Stream that replaces control characters. Rich, which cleans its own output, writes to the stream below."""

    def __init__(self, stream: IO[str]) -> None:
        self.rich_proxied_file = stream
        """Name that rich looks for."""

    def write(self, text: str) -> int:
        """Write the text with control characters replaced."""
        try:
            self.rich_proxied_file.write(visible(text))
        except BrokenPipeError:
            output_closed(self.rich_proxied_file)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            self.rich_proxied_file.flush()
        except BrokenPipeError:
            output_closed(self.rich_proxied_file)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextmanager
def safe_output() -> Iterator[None]:
    """Replace control characters in everything that is printed, and characters that the terminal cannot show."""
    before = sys.stdout, sys.stderr
    # A program that is started with a closed output, as by `>&-`, has none.
    streams = [stream or open(os.devnull, "w", encoding="utf-8") for stream in before]  # noqa: SIM115 - until the end
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=ASCII)
    out, err = (VisibleStream(stream) for stream in streams)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        err.flush()
        out.flush()


def output_closed(stream: IO[str]) -> None:
    """Discard what is written to a stream that nobody reads any more. If it is standard output, end the command.

    Without progress and messages a command goes on: its result may still be read.

    Raises:
        SystemExit: It is standard output.
    """
    number = stream.fileno()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
    if number != STDERR:
        raise SystemExit(CLOSED_PIPE)


def print_json(text: str) -> None:
    """Print a JSON text; characters that may be invisible, or that the output's encoding lacks, become escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    print(HIDDEN.sub(lambda match: _escape(match[0], encoding), text))


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Replace what cannot be encoded; a handler for `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(EQUIVALENTS.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error(ASCII, _in_ascii)


def _escape(character: str, encoding: str) -> str:
    if character.isprintable() and character.encode(encoding, "ignore"):
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))

"""Text of unknown origin without the characters that a terminal would obey or a reader would not see."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return text without control characters, which a terminal would obey and XML cannot contain."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def joined_lines(text: str) -> str:
    """Return the lines of a text as one. Spaces within a line stay, as a path may have several in a row."""
    return " ".join(filter(None, map(str.strip, text.splitlines())))


def visible(text: str) -> str:
    """Return text of several lines with every other control or invisible character replaced."""
    if text.isprintable():
        return text
    return "\n".join("\t".join(map(one_line, line.split("\t"))) for line in text.replace("\r\n", "\n").split("\n"))


def is_encodable(text: str) -> bool:
    """Return whether UTF-8 can encode the text: a lone surrogate fits in no file and has no digest."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

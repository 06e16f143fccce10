"""BibTeX entries for boards, their entries, and the paper that the method comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SOFTWARE_AUTHOR = "The ictbench authors"
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "{}%&#$_"},
}
"""Characters with a meaning in LaTeX, and what writes them."""

WRITTEN_AS_IS = ("url", "eprint")
"""Fields whose text LaTeX does not interpret."""


def bibtex_entry(key: str, fields: Mapping[str, str | None], kind: str = "misc") -> str:
    """Return an entry; fields without a value are omitted. An author is one name, whatever words it has."""
    lines = [f"  {name} = {{{_value(name, text)}}}," for name, text in fields.items() if text]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def paper_entry() -> str:
    """Return the entry of the paper."""
    fields = {
        "title": "Training Language Agents to Learn from Experience",
        "year": "2026",
        "eprint": "2605.20477",
        "url": "https://arxiv.org/abs/2605.20477",
    }
    names = "  author = {Shalev and Ding and Jamnik},\n  archivePrefix = {arXiv},\n}"
    return bibtex_entry("shalev2026training", fields, "article").removesuffix("}") + names


def _value(name: str, text: str) -> str:
    if name in WRITTEN_AS_IS:
        return text
    escaped = "".join(SPECIAL.get(character, character) for character in text)
    return f"{{{escaped}}}" if name in ("author", "title") else escaped

"""Names of cells, which are the names of their folders."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST = 100
"""Maximum characters of a name, below the 255 bytes that file systems allow."""
NO_WORD = re.compile(r"[-+.\d]*|true|false|default|on|off")
"""Labels that say nothing without the name of their axis."""


def cell_names(cells: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a distinct name per cell, of its values on those axes on which cells differ.

    Args:
        cells: Name of the value by axis, for each cell.
    """
    differing = [axis for axis in (cells[0] if cells else ()) if len({cell[axis] for cell in cells}) > 1]
    names = ["--".join(_part(axis, cell[axis]) for axis in differing) or "cell" for cell in cells]
    # File systems may ignore case.
    counts = Counter(name.casefold() for name in names)
    return [
        name if counts[name.casefold()] == 1 and len(name) <= LONGEST else _with_digest(name, cell)
        for name, cell in zip(names, cells, strict=True)
    ]


def _part(axis: str, label: str) -> str:
    plain = re.sub(r"[^\w.+,=]+", "-", label, flags=re.ASCII).strip("-.") or "value"
    return f"{axis}-{plain}" if NO_WORD.fullmatch(label) else plain


def _with_digest(name: str, cell: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(cell), sort_keys=True).encode()).hexdigest()[:8]
    return f"{name[: LONGEST - 9]}-{digest}"

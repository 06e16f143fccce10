"""Compiled levels, kept: MiniHack compiles a level's description anew for every environment, in a shell script."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

_compiled: dict[str, bytes] = {}
"""NetHack's data file with the level in it, by the level's description."""


@functools.cache
def creator(load: Any, entry_point: Any) -> type[Any]:
    """The class that makes environments of an entry point, with levels kept; `load` is Gymnasium's own loader."""
    made: type[Any] = load(entry_point) if isinstance(entry_point, str) else entry_point
    return type(made.__name__, (KeepsLevels, made), {})


class KeepsLevels:
    """Mixed into an environment of MiniHack."""

    nethack: Any

    def _patch_nhdat(self, des_file: str) -> None:
        """Put the level where NetHack looks for it; MiniHack's own method compiles it the first time."""
        data = Path(self.nethack._vardir) / "nhdat"
        if des_file in _compiled:
            # NLE puts a link to its own file there, which must not be written through.
            data.unlink()
            data.write_bytes(_compiled[des_file])
            return
        super()._patch_nhdat(des_file)  # type: ignore[misc]
        if not data.is_symlink():
            _compiled[des_file] = data.read_bytes()

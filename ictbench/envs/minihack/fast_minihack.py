"""MiniHack environments without work that nobody needs.

MiniHack compiles the description of a level with a shell script each time an environment is created, and copies all
arrays of the last observation before each step.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

_compiled: dict[str, bytes] = {}
"""Level description → NetHack's data file with that level compiled in."""


@functools.cache
def fast_class(load: Any, entry_point: Any) -> type[Any]:
    """Return the environment class of a Gymnasium entry point, which compiles a level once and copies less.

    Args:
        load: Gymnasium's function that imports an entry point.
        entry_point: Name of the class, or the class.
    """
    env_class: type[Any] = load(entry_point) if isinstance(entry_point, str) else entry_point
    return type(env_class.__name__, (FastMiniHack, env_class), {})


class FastMiniHack:
    """Mixin for a MiniHack environment that compiles each level once per process and copies only what is read."""

    nethack: Any
    last_observation: tuple[Any, ...]
    _blstats_index: int

    def step(self, action: int) -> Any:
        """Step without copies of the arrays that no reward reads.

        MiniHack and NLE each copy the last observation, 150 kB, and read only its `blstats` afterwards.
        """
        self.last_observation = tuple(
            array if index == self._blstats_index else array[:0] for index, array in enumerate(self.last_observation)
        )
        return super().step(action)  # type: ignore[misc]

    def _patch_nhdat(self, des_file: str) -> None:
        """Override MiniHack's method that compiles a level into NetHack's data file."""
        data = Path(self.nethack._vardir) / "nhdat"
        if des_file in _compiled:
            # NLE puts a symbolic link to its own file there, which must not be written through.
            data.unlink()
            data.write_bytes(_compiled[des_file])
            return
        super()._patch_nhdat(des_file)  # type: ignore[misc]
        if not data.is_symlink():
            _compiled[des_file] = data.read_bytes()

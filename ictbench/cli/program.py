"""Name under which the user can call `ictbench`, and the command that continues one."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "ictbench"


def program() -> str:
    """Return what to type for `ictbench`: its name if a shell finds it, else the path of the program that runs now.

    A program in an environment that is not active, as after `make demo`, is `.venv/bin/ictbench`.
    """
    running = Path(sys.argv[0])
    found = shutil.which(NAME)
    if running.stem != NAME or len(running.parts) == 1 or (found and Path(found).resolve() == running.resolve()):
        return NAME
    relative = os.path.relpath(running)
    return str(running) if relative.startswith(os.pardir) else relative


def continue_with(arguments: Iterable[str] | None = None) -> str:
    """Return the sentence with the command that continues this one: with these arguments, or with its own."""
    return f"Continue with: {program()} {shlex.join(sys.argv[1:] if arguments is None else arguments)}"

"""Calls a function in another process, as a worker, or whoever plays a recorded run again, would call it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

HASH_SEED = "4711"
"""Sets of texts have another order there than here."""

P = ParamSpec("P")
T = TypeVar("T")


def elsewhere(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What the call answers in a new process with the same module path; all of it is pickled.

    Raises:
        RuntimeError: it raised an error there, or the process died.
    """
    path = os.pathsep.join(str(Path(entry).absolute()) if entry else os.getcwd() for entry in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import main; main()"],
        input=pickle.dumps((function, arguments, named)),
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": HASH_SEED},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise RuntimeError(said or f"exit code {done.returncode}")
    answer: T = pickle.loads(done.stdout)
    return answer


def main() -> None:
    """The other process."""
    # Whatever a plug-in or the program behind it prints is not the answer.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        function, arguments, named = pickle.load(sys.stdin.buffer)
        pickle.dump(function(*arguments, **named), answers)

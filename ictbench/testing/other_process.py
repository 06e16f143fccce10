"""Function calls in a new process, where a worker or a replay of a recorded run would make them."""

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
"""Fixed, so that sets of strings have another order in the new process than in this one."""

P = ParamSpec("P")
T = TypeVar("T")


def run_in_new_process(function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
    """Call a function in a new process with the same module path; arguments and result are pickled.

    Raises:
        RuntimeError: The function raised an error there, or the process died.
    """
    path = os.pathsep.join(str(Path(entry).absolute()) if entry else os.getcwd() for entry in sys.path)
    process = subprocess.run(
        [sys.executable, "-P", "-c", f"from {__name__} import main; main()"],
        input=pickle.dumps((function, arguments, keywords)),
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": HASH_SEED},
        capture_output=True,
        check=False,
    )
    if process.returncode != 0:
        last_line = process.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise RuntimeError(last_line or f"exit code {process.returncode}")
    result: T = pickle.loads(process.stdout)
    return result


def main() -> None:
    """Call the function on standard input, and write its result to standard output."""
    # Redirected, because what a plug-in or a program that it runs prints must not mix with the result.
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)
        function, arguments, keywords = pickle.load(sys.stdin.buffer)
        pickle.dump(function(*arguments, **keywords), output)

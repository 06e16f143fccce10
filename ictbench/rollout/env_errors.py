"""Errors of environments: what is no fault of their code becomes an `EnvError`, any other exception a `PluginError`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ictbench.errors import EnvError, IctbenchError
from ictbench.plugin_errors import describe_error, plugin_error, raised_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Task

ENV_BROKE = "the environment broke: "
"""Prefix of the message of an `EnvError` that wraps an error of the machine."""

WRONG_PATH = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
"""Errors of the operating system that another attempt meets again."""


@contextmanager
def env_errors(env: type[Any], method: str, task: Task) -> Iterator[None]:
    """Turn an exception that is not ours into one of ours.

    An error of the machine or the network, or too little memory, leaves the episode owed. Any other exception is an
    error in the code of the environment, which stops the run.

    Raises:
        EnvError: An `OSError` other than a wrong path, or a `MemoryError`.
        PluginError: Any other exception.
    """
    try:
        yield
    except IctbenchError:
        raise
    except Exception as error:
        if isinstance(error, (OSError, MemoryError)) and not isinstance(error, WRONG_PATH):
            raise EnvError(f"{ENV_BROKE}{describe_error(error)}{raised_at(error, env)}") from error
        raise plugin_error(f"environment {task.env}, {method} of task {task.id}", error, env) from error

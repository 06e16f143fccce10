"""Errors of environments: an unexpected exception of their code becomes an `EnvError`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ictbench.errors import EnvError, IctbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

ENV_BROKE = "the environment broke: "
"""Prefix of the message of an `EnvError` that wraps an unexpected exception."""


@contextmanager
def env_errors() -> Iterator[None]:
    """Turn an exception that is not ours into an `EnvError`."""
    try:
        yield
    except IctbenchError:
        raise
    except Exception as error:
        raise EnvError(f"{ENV_BROKE}{type(error).__name__}: {error}") from error

"""Errors as plain data, so that they mean the same on the other end of a channel."""

from __future__ import annotations

import traceback
from typing import Any

from ictbench import errors
from ictbench.errors import IctbenchError, ModelFailure
from ictbench.records import Usage


def error_to_json(error: BaseException) -> dict[str, Any]:
    """An error as plain JSON; of one that nobody foresaw, also where it arose."""
    if isinstance(error, ModelFailure):
        usage = error.usage and error.usage.model_dump(mode="json")
        return {"error": "ModelFailure", "failure": error.kind, "detail": error.detail, "usage": usage}
    if isinstance(error, IctbenchError):
        # A plug-in's own error is told as the one of ours that it is.
        ours = next(kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return {"error": ours.__name__, "detail": str(error)}
    said = f"{type(error).__name__}: {error}"
    return {"error": "WorkerError", "detail": said, "trace": "".join(traceback.format_exception(error))}


def error_from_json(plain: dict[str, Any]) -> IctbenchError:
    """The error that `error_to_json` told."""
    if plain["error"] == "ModelFailure":
        usage = plain["usage"] and Usage.model_validate(plain["usage"])
        return ModelFailure(plain["failure"], plain["detail"], usage)
    kind = getattr(errors, plain["error"])
    # Past constructors that make up their text from parts: it is made up already.
    error: IctbenchError = kind.__new__(kind)
    Exception.__init__(error, plain["detail"])
    if "trace" in plain:
        error.add_note(plain["trace"])
    return error

"""Errors as JSON, so that they mean the same at the other end of a channel."""

from __future__ import annotations

import traceback
from typing import Any

from ictbench import errors
from ictbench.errors import IctbenchError, ModelFailure
from ictbench.records import Usage


def error_to_json(error: BaseException) -> dict[str, Any]:
    """Return an error as JSON; an unexpected one, or one of a plug-in, includes its traceback."""
    if isinstance(error, ModelFailure):
        usage = error.usage and error.usage.model_dump(mode="json")
        return {"error": "ModelFailure", "failure": error.kind, "detail": error.detail, "usage": usage}
    if isinstance(error, IctbenchError):
        # A plug-in may derive its own error from one of ours; the other end may know only ours.
        known = next(kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        notes = getattr(error, "__notes__", ())
        return {"error": known.__name__, "detail": str(error), **({"trace": "\n".join(notes)} if notes else {})}
    detail = f"{type(error).__name__}: {error}"
    return {"error": "WorkerError", "detail": detail, "trace": "".join(traceback.format_exception(error))}


def error_from_json(content: dict[str, Any]) -> IctbenchError:
    """Return the error that `error_to_json` encoded."""
    if content["error"] == "ModelFailure":
        usage = content["usage"] and Usage.model_validate(content["usage"])
        return ModelFailure(content["failure"], content["detail"], usage)
    kind = getattr(errors, content["error"])
    # Some constructors build the text from parts; this text is already built.
    error: IctbenchError = kind.__new__(kind)
    Exception.__init__(error, content["detail"])
    if "trace" in content:
        error.add_note(content["trace"])
    return error

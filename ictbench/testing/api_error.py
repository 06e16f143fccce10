"""An error that an endpoint reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(Exception):
    """An error that an endpoint reports, in no particular format."""

    def __init__(
        self,
        message: str | None,
        status: int = 400,
        *,
        kind: str | None = None,
        code: str | int | None = None,
        param: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Create an error.

        Args:
            message: Its message.
            status: HTTP status.
            kind: The endpoint's type of the error; None for the usual one with this status.
            code: The endpoint's code of the error.
            param: Name of the request parameter at fault.
            details: Further fields of the error object.
        """
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.details = dict(details or {})

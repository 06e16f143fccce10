"""Quirks of model servers: what a server does differently from the API that it offers.

A quirk is a record with the page that documents it. It has up to three effects: `receive` changes or rejects a request
before the model sees it, `send` changes a completion, `stream` changes the events of a streamed completion.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Any

from ictbench.testing.api_error import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Quirk(ABC):
    """A documented difference."""

    source: str
    """Address of the page that documents it: documentation, or an issue of the server or of one of its clients."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """The difference in a few words."""

    def receive(self, body: Body) -> Body:
        """Return the request as the model gets it.

        Raises:
            ApiError: The server rejects the request.
        """
        return body

    def send(self, completion: Body, body: Body) -> None:  # noqa: B027 - most quirks do not
        """Change the completion of a request in place."""

    def stream(self, events: list[str]) -> list[str]:
        """Return the events of a streamed completion."""
        return events


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error response to a request, with the server's own words."""

    message: str
    """`$parameter`, `$value`, `$tokens` and `$limit` stand for what the request contains, in `details` too."""
    status: int = 400
    kind: str | None = None
    code: str | int | None = None
    param: str | None = None
    details: Mapping[str, Any] | None = None

    def error(self, **values: Any) -> ApiError:
        """Return the error, with values in place of their names."""
        message = Template(self.message).safe_substitute(values)
        param = None if self.param is None else Template(self.param).safe_substitute(values)
        details = {
            name: values[value[1:]] if isinstance(value, str) and value[1:] in values else copy.deepcopy(value)
            for name, value in (self.details or {}).items()
        }
        return ApiError(message, self.status, kind=self.kind, code=self.code, param=param, details=details)

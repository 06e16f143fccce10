"""Words of an endpoint about a failure, as they are recorded and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models.http_errors import excerpt
from ictbench.models.redact import Redactor

if TYPE_CHECKING:
    from ictbench.errors import ModelFailure


def failure_detail(failure: ModelFailure) -> str:
    """Return the detail of a failure on one short line, without secrets of the environment.

    Secrets are removed first: a shortened one would not be recognised. Providers remove their own key themselves; a
    model class of the user's may not.
    """
    # A user's class may give anything as the detail.
    redacted = Redactor.from_environment()(str(failure.detail or ""))
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in excerpt(redacted))

"""Exceptions of ictbench.

The class tree:

    IctbenchError
    ├── UsageError                 a wrong request; exit code 2
    │   ├── UnknownNameError       an unknown name
    │   ├── MissingExtraError      a package of an optional extra is not installed
    │   ├── ConfigError            an unreadable or contradictory configuration
    │   ├── SuiteError             an invalid suite file
    │   ├── PoolTooSmallError      a pool with fewer tasks than the sizes need
    │   ├── ResultError            an unreadable or invalid result file
    │   ├── RunFolderError         a folder that cannot be used for this run
    │   └── SubmissionError        an invalid submission or board
    ├── RunError                   a run that could not finish; exit code 1
    │   ├── RunInterruptedError    stopped by the user; it can be continued
    │   │   └── CompleteRunInterruptedError  stopped when the result was written already
    │   ├── EndpointDownError      stopped because an endpoint does not answer; it can be continued
    │   ├── FailingModelError      stopped because a model fails for one reason again and again; it can be continued
    │   ├── PluginError            a plug-in that breaks its contract
    │   ├── WorkerError            workers that cannot be started, or an unexpected error in one
    │   ├── JournalError           the journal cannot be written, e.g. on a full disk; the run can be continued
    │   └── LimitReachedError      stopped at a limit on cost, tokens or time; it can be continued with a higher one
    ├── ModelFailure               caused by the model: the episode is `failed`
    └── InfrastructureError        any other cause: the episode is owed
        ├── ModelUnavailableError  the model did not answer, after all retries
        │   ├── EndpointRefusedError   the endpoint refuses the key, model or address
        │   └── TransientModelError    one request failed; a retry may succeed
        ├── EnvError               an environment that broke or hung
        └── WorkerLostError        the worker that played the episode died
"""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ictbench.choices import FailureKind
    from ictbench.records import Usage

TransientKind = Literal["rate_limited", "overloaded", "timeout", "connection", "malformed"]
"""Kind of a transient failure of one request."""


class IctbenchError(Exception):
    """Base class of the exceptions of ictbench; `str(error)` is one line for the user."""


class UsageError(IctbenchError):
    """A request that cannot be carried out as given."""


class UnknownNameError(UsageError):
    """An unknown name."""


class MissingExtraError(UsageError):
    """A package that an optional extra installs is missing."""

    def __init__(self, what: str, extra: str, cause: str) -> None:
        super().__init__(f"{what} needs a package that is not installed ({cause}); pip install 'ictbench[{extra}]'")


class ConfigError(UsageError):
    """An unreadable or contradictory configuration."""


class SuiteError(UsageError):
    """An invalid suite file."""


class PoolTooSmallError(UsageError):
    """A pool with fewer tasks than the sizes need."""


class ResultError(UsageError):
    """An unreadable or invalid result file."""


class RunFolderError(UsageError):
    """A folder that cannot be used for this run."""


class SubmissionError(UsageError):
    """An invalid submission or board."""


class RunError(IctbenchError):
    """A run that could not finish."""


class RunInterruptedError(RunError):
    """A run stopped by the user; it can be continued."""


class CompleteRunInterruptedError(RunInterruptedError):
    """A run stopped by the user when its complete result was written already; nothing is left to continue."""


def file_problem(error: OSError | ValueError) -> str:
    """Return why a file cannot be read or written, without its name and the number of the error.

    A missing file comes with the likely one.
    """
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, str) and (likely := _likely(error.filename)):
        return f"{error.strerror}; did you mean {likely}?"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return getattr(error, "strerror", None) or str(error)


def _likely(path: str) -> str:
    """Return the file next to a missing one whose name is most alike; empty if there is none."""
    folder, name = os.path.split(path)
    try:
        closest = difflib.get_close_matches(name, os.listdir(folder or "."), n=1, cutoff=0.7)
    except OSError:
        return ""
    return os.path.join(folder, closest[0]) if closest else ""


def stopped_by(interrupt: BaseException) -> str:
    """Return what stopped the work: the text of a KeyboardInterrupt names a signal, that of Ctrl-C is empty."""
    return f"stopped by {interrupt}" if str(interrupt) else "stopped"


class EndpointDownError(RunError):
    """A run stopped because too many episodes in a row got no answer; it can be continued."""


class FailingModelError(RunError):
    """A run stopped because a model fails nearly everything for one reason; it can be continued after a fix."""


class PluginError(RunError):
    """A plug-in that breaks its contract."""


class WorkerError(RunError):
    """Workers that cannot be started, or an unexpected error in one."""


class JournalError(RunError):
    """A journal that cannot be written; the run can be continued from what it holds."""


class LimitReachedError(RunError):
    """A run stopped at a limit on cost, tokens or time; it can be continued with a higher one."""


class ModelFailure(IctbenchError):  # noqa: N818 - the protocol's term
    """A failure caused by the model: the episode counts as failed, with this kind."""

    def __init__(self, kind: FailureKind, detail: str = "", usage: Usage | None = None) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind: FailureKind = kind
        self.detail = detail
        self.usage = usage
        """Usage of the failed call; None if it is unknown."""


class InfrastructureError(IctbenchError):
    """A failure that the model did not cause: the episode is owed and played again when the run is continued."""


class ModelUnavailableError(InfrastructureError):
    """A model that did not answer after all retries."""


class EndpointRefusedError(ModelUnavailableError):
    """An endpoint that refuses the key, model or address, so that retries are useless."""

    status: int | None = None
    """HTTP status; None if the error did not come with one."""
    words: str = ""
    """The endpoint's own words, without secrets."""

    def __init__(self, detail: str, *, status: int | None = None, words: str = "") -> None:
        super().__init__(detail)
        self.status, self.words = status, words


class TransientModelError(ModelUnavailableError):
    """A failed request that may succeed when retried."""

    def __init__(
        self, kind: TransientKind, detail: str, retry_after: float | None = None, *, may_be_billed: bool = True
    ) -> None:
        super().__init__(detail)
        self.kind: TransientKind = kind
        self.may_be_billed = may_be_billed
        """Whether the model may have worked for it; False if the request was not sent, or turned away at once."""
        self.retry_after = retry_after
        """Seconds that the endpoint asked to wait; None if it did not."""


class EnvError(InfrastructureError):
    """An environment that broke or hung."""


class WorkerLostError(InfrastructureError):
    """A worker that died while it played the episode."""

    def __init__(self, detail: str, *, blamed: bool = True) -> None:
        super().__init__(detail)
        self.blamed = blamed
        """Whether this episode may be the cause; False if another one is known to be."""

"""Every error of ictbench, in one tree.

Who derives from whom, and what it is for:

    IctbenchError
    ├── UsageError                 what was asked for cannot be done as asked; exit code 2
    │   ├── UnknownNameError       a name that resolves to nothing
    │   ├── MissingExtraError      the name is known, a package it needs is not installed
    │   ├── ConfigError            an unreadable or contradictory configuration
    │   ├── SuiteError             a suite file that is not valid
    │   ├── PoolTooSmallError      a pool has fewer tasks than the sizes ask for
    │   ├── ResultError            a result file that cannot be read or is not valid
    │   ├── RunFolderError         an output folder that cannot be used for this run
    │   └── SubmissionError        a submission, or a board, that is not valid
    ├── RunError                   a run that could not finish; exit code 1
    │   ├── RunInterruptedError    stopped by the user; it can be continued
    │   ├── EndpointDownError      stopped because nothing answers; it can be continued
    │   ├── PluginError            a plug-in that breaks its contract
    │   ├── WorkerError            workers that cannot be started, or an error nobody foresaw in one
    │   ├── JournalError           the journal cannot be written, e.g. the disk is full; it can be continued
    │   └── LimitReachedError      stopped at a limit on cost, tokens or time; continue it with a higher one
    ├── ModelFailure               caused by the model: the episode is `failed`, of this kind
    └── InfrastructureError        caused by anything else: the episode is owed
        ├── ModelUnavailableError  nothing usable came back, after all retries
        │   ├── EndpointRefusedError   the endpoint refuses this key, model or address
        │   └── TransientModelError    one try failed in passing; another may succeed
        ├── EnvError               an environment that broke or hung
        └── WorkerLostError        the worker that played it died
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ictbench.choices import FailureKind
    from ictbench.records import Usage

TransientKind = Literal["rate_limited", "overloaded", "timeout", "connection", "malformed"]
"""How one request can fail in passing."""


class IctbenchError(Exception):
    """Base of every error that ictbench raises on purpose. `str(error)` is one line for the user."""


class UsageError(IctbenchError):
    """What was asked for cannot be done as asked."""


class UnknownNameError(UsageError):
    """A name that resolves to nothing."""


class MissingExtraError(UsageError):
    """A package is missing that an optional extra installs."""

    def __init__(self, what: str, extra: str, cause: str) -> None:
        super().__init__(f"{what} needs a package that is not installed ({cause}). pip install 'ictbench[{extra}]'")


class ConfigError(UsageError):
    """An unreadable or contradictory configuration."""


class SuiteError(UsageError):
    """A suite file that is not valid."""


class PoolTooSmallError(UsageError):
    """A pool has fewer tasks than the sizes ask for."""


class ResultError(UsageError):
    """A result file that cannot be read or is not valid."""


class RunFolderError(UsageError):
    """An output folder that cannot be used for this run."""


class SubmissionError(UsageError):
    """A submission, or a board, that is not valid."""


class RunError(IctbenchError):
    """A run that could not finish."""


class RunInterruptedError(RunError):
    """The user stopped the run. Everything finished is recorded and the run can be continued."""


class EndpointDownError(RunError):
    """Too many episodes in a row met no answer. Everything finished is recorded and the run can be continued."""


class PluginError(RunError):
    """An actor or reflector of one's own that breaks its contract."""


class WorkerError(RunError):
    """Workers cannot be started, or one met an error that nobody foresaw."""


class JournalError(RunError):
    """The journal cannot be written. Everything recorded before is kept and the run can be continued."""


class LimitReachedError(RunError):
    """A limit of the whole run is reached. Everything finished is recorded and the run can be continued."""


class ModelFailure(IctbenchError):  # noqa: N818 - the protocol's word for it
    """The model caused the episode to fail: it counts as a failure, with its kind."""

    def __init__(self, kind: FailureKind, detail: str = "", usage: Usage | None = None) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind: FailureKind = kind
        self.detail = detail
        self.usage = usage
        """What the failed call cost, where that is known."""


class InfrastructureError(IctbenchError):
    """Something other than the model went wrong: the episode is owed and played again on resume."""


class ModelUnavailableError(InfrastructureError):
    """The model's endpoint could not be reached, or would not serve, after all retries."""


class EndpointRefusedError(ModelUnavailableError):
    """An endpoint refuses this key, model or address: another try now would fare no better."""


class TransientModelError(ModelUnavailableError):
    """One try failed in passing. `retry_after` is how many seconds the endpoint asked to wait, if it did."""

    def __init__(self, kind: TransientKind, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.kind: TransientKind = kind
        self.retry_after = retry_after


class EnvError(InfrastructureError):
    """An environment broke or hung."""


class WorkerLostError(InfrastructureError):
    """The worker that played the episode died. `blamed` is False where another episode is known to be the cause."""

    def __init__(self, detail: str, *, blamed: bool = True) -> None:
        super().__init__(detail)
        self.blamed = blamed

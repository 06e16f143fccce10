"""Record of a verification or a rerun, schema `ictbench.verification/1`. Badges are derived only from these records."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from ictbench.errors import ConfigError
from ictbench.records import Record
from ictbench.runs.run_folder import write_atomically
from ictbench.submissions.layout import Badge
from ictbench.submissions.submission_schema import Hash

if TYPE_CHECKING:
    from pathlib import Path

BADGE_SAMPLE = 500
"""Replayed episodes that a badge requires of a submission with more. If 1 % of the episodes were forged, a sample of
this size holds one of them with a probability of 99 %."""

MARGIN = 0.10
"""Largest margin of a rerun that a badge accepts, as a share of test tasks."""

Verdict = Literal["passed", "failed", "skipped"]


class Check(Record):
    """Outcome of one check."""

    name: str
    verdict: Verdict
    detail: str
    """One line; for a failed check the place, the value there and the expected one."""


class Replayed(Record):
    """Extent of a replay."""

    episodes: int
    of: int
    """Episodes of the target."""
    decisions: int
    sample_seed: str | None
    """Seed of the sample; None if all episodes were to be replayed. Those shown in full are replayed besides."""
    shown: int = Field(default=0, exclude_if=lambda count: count == 0)
    """Episodes that the submission shows in full, whose texts the replay showed word for word."""


class Reran(Record):
    """Comparison of a rerun with what was submitted."""

    model_config = ConfigDict(allow_inf_nan=False)

    loops: tuple[int, ...]
    """Indices of the loops that were run."""
    salt: str = Field(default="", exclude_if=lambda salt: not salt)
    """Salt of the verifier's with which they were drawn. Without one, a submitter could predict them: no badge."""
    fresh_tasks: bool
    """False if the games are finite, so that the same ones were played again."""
    measure: Literal["best"]
    """The compared measure, a mean over held-out families."""
    submitted: float
    rerun: float
    low: float
    """Lower end of the 90 % interval of rerun − submitted, which two one-sided tests at 5 % use."""
    high: float
    margin: float
    """The results are equivalent if the interval lies within ± this margin."""

    @property
    def equivalent(self) -> bool:
        """Whether the interval of the difference lies within the margin."""
        return -self.margin < self.low <= self.high < self.margin

    @property
    def inconclusive(self) -> bool:
        """Whether neither equivalence nor a difference is shown."""
        return not self.equivalent and self.low <= 0 <= self.high


class Verification(Record):
    """Record of one verification or rerun."""

    schema_: Literal["ictbench.verification/1"] = Field(alias="schema")
    badge: Badge
    submission: Hash | None
    """Digest of the submission; None for a run."""
    result: Hash
    """Checksum of the result."""
    passed: bool
    """Whether no check failed."""
    checks: tuple[Check, ...]
    replayed: Replayed | None = None
    reran: Reran | None = None
    ictbench: str
    versions: Annotated[dict[str, str], Field(description="Versions of the environment's packages.")]
    date: AwareDatetime
    by: str = ""
    """Name of the verifier, if given."""

    @property
    def shortfall(self) -> str:
        """Why a record that passed is not enough for a badge; empty if it is enough."""
        if self.replayed and self.replayed.episodes < (needed := min(BADGE_SAMPLE, self.replayed.of)):
            return f"{self.replayed.episodes} episodes were replayed; a badge needs {needed}"
        if self.reran and self.reran.margin > MARGIN:
            return f"the margin was {self.reran.margin:g}; a badge allows at most {MARGIN:g}"
        if self.reran and not self.reran.salt:
            return "its loops were not drawn by a salt, so the submitter could predict them"
        return ""

    @staticmethod
    def check_writable(path: Path) -> None:
        """Check that a record can be written, before the work that it records.

        Raises:
            ConfigError: The folder, or the folder above it, belongs to somebody else or is read-only.
        """
        folder = next(above for above in path.absolute().parents if os.path.isdir(above))
        if os.path.isdir(path) or not os.access(folder, os.W_OK):
            raise ConfigError(f"{path} cannot be written (no permission, or a folder); name a file with --record")

    def write(self, path: Path) -> None:
        """Write the record as JSON.

        Raises:
            ConfigError: The file cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, self.model_dump_json(indent=1, by_alias=True) + "\n")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written ({error.strerror}); name a file with --record") from error

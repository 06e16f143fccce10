"""What a board found out about a submission, schema `ictbench.verification/1`. Badges come from nothing else."""

from __future__ import annotations

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
"""Episodes that make a badge when they are played again, of a submission that has more: where 1 % were forged, one of
them is among these with a chance of 99 %."""

MARGIN = 0.10
"""The widest margin of a rerun that makes a badge, as a share of test tasks."""

Verdict = Literal["passed", "failed", "skipped"]


class Check(Record):
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    detail: str
    """What was found, in one line: of a failure the place, the value there, and the one expected."""


class Replayed(Record):
    """What was played again."""

    episodes: int
    of: int
    """Episodes that the submission holds."""
    decisions: int
    sample_seed: str | None
    """What the sample was drawn by; None where everything was played."""


class Reran(Record):
    """What was run again, and how it compares."""

    model_config = ConfigDict(allow_inf_nan=False)

    loops: tuple[int, ...]
    """Loop indices, whose tasks the submitter could not know."""
    fresh_tasks: bool
    """False where games are finite, and the same ones had to be used."""
    measure: Literal["best"]
    """Mean over held-out families."""
    submitted: float
    rerun: float
    low: float
    """Of the 90 % interval of rerun − submitted, as two one-sided tests at 5 % ask for."""
    high: float
    margin: float
    """Equivalent is what lies within ± this."""


class Verification(Record):
    """A record of the board."""

    schema_: Literal["ictbench.verification/1"] = Field(alias="schema")
    badge: Badge
    submission: Hash | None
    """Digest of the submission that was looked at; None for a run's folder."""
    result: Hash
    """Checksum of the result that was looked at."""
    passed: bool
    """Whether every check that was made passed."""
    checks: tuple[Check, ...]
    replayed: Replayed | None = None
    reran: Reran | None = None
    ictbench: str
    versions: Annotated[dict[str, str], Field(description="Of the environment's packages that played.")]
    date: AwareDatetime
    by: str = ""
    """Who made the record, where somebody says so."""

    def write(self, path: Path) -> None:
        """Write the record, as JSON.

        Raises:
            ConfigError: it cannot be written there.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, self.model_dump_json(indent=1, by_alias=True) + "\n")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written ({error.strerror}); name a file with --out") from error

"""Metadata of a submission, schema `ictbench.submission/1`."""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from ictbench.choices import ProfileName
from ictbench.records import Record, digest_of
from ictbench.submissions.evidence_location import EvidenceFile, EvidenceLocation
from ictbench.submissions.spelling import has_stacked_marks, is_hidden, mixed_word, unusual_letter

SLUG = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
"""Pattern of a submission's folder name: valid on every file system, never a path."""

MARKUP = re.compile(r"<[a-zA-Z/!?]")

FORMULA = "=+-@!&*%|`＝＋－＠"
"""First characters that make a cell a formula in a spreadsheet (full width too), or special in YAML or Markdown."""


def _one_line(text: str) -> str:
    if hidden := [c for c in text if is_hidden(c)]:
        raise ValueError(f"it holds the invisible character U+{ord(hidden[0]):04X}; remove it")
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("it is not in Unicode's normal form NFC")
    if has_stacked_marks(text):
        raise ValueError("it stacks marks on one letter, which cover other lines; remove them")
    if text != text.strip() or not text:
        raise ValueError("it is empty, or begins or ends with a space")
    if tag := MARKUP.search(text):
        raise ValueError(f"it holds markup ({tag[0]}…); write plain text")
    return text


def _cell(text: str) -> str:
    if _one_line(text)[0] in FORMULA:
        raise ValueError(
            f"it begins with {text[0]}, which a spreadsheet reads as a formula; begin with another character"
        )
    if word := mixed_word(text):
        raise ValueError(f"its word {word!a} mixes alphabets, whose letters look alike; write it in one")
    if letter := unusual_letter(text):
        raise ValueError(f"its letter {letter!a} is of no alphabet in everyday use; use another")
    return text


def _paragraphs(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    for line in text.split("\n"):
        if words := line.strip(" "):
            _one_line(words)
    return text


Line = Annotated[str, Field(max_length=120), AfterValidator(_cell)]
"""Text for one line or cell: visible characters only, no markup, no formula, no word of mixed alphabets, no letter of
an unusual one, at most 120 characters."""

Clause = Annotated[str, Field(max_length=400), AfterValidator(_cell)]
"""The same with at most 400 characters."""

Text = Annotated[str, Field(max_length=2000), AfterValidator(_paragraphs)]
"""Text of several lines: visible characters only, no markup, at most 2,000 characters."""

WebLink = Annotated[
    str, Field(max_length=300, pattern=r"^https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[!#-;=?-\[\]-_a-z~]*)?$")
]
"""HTTPS address without credentials and without characters that end an HTML attribute."""

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 digest in hexadecimal."""


class SubmittedPlayer(Record):
    """Actor or reflector of a submission."""

    label: Line
    """Label as in the result."""
    revision: Clause | None = None
    """Version of the weights or the service: the fingerprint in the result, or else the submitter's statement. An
    adapter's has the digest of its base, too."""
    open_weights: bool | None = None
    """Whether the weights are public; None without weights, as for a scripted player."""


class SubmissionCost(Record):
    """Cost of the run over all roles; derived from the result."""

    model_config = ConfigDict(allow_inf_nan=False)

    usd: float | None
    """US dollars; None if a price is unknown."""
    calls: int
    input_tokens: int
    output_tokens: int
    unreported: int = Field(default=0, exclude_if=lambda count: count == 0)
    """Calls whose usage was not reported; their tokens are in no count."""


class Submission(Record):
    """Metadata of a submission."""

    schema_: Literal["ictbench.submission/1"] = Field(alias="schema")
    name: Line
    """Name of the entry on the board."""
    description: Text
    links: Annotated[tuple[WebLink, ...], Field(max_length=5)]
    submitted_by: Line
    suite: Line
    profile: ProfileName
    """A ranked profile; any profile for entries that a board shows unranked."""
    reflector: SubmittedPlayer
    actor: SubmittedPlayer
    reflector_trained_on: tuple[Line, ...] | None
    """Families in the notation of `ictbench.suites.trained_on`; None if unknown."""
    actor_trained_on: tuple[Line, ...] | None = Field(default=None, exclude_if=lambda families: families is None)
    """The same of the actor."""
    instruction: Annotated[str, Field(max_length=20_000)] = ""
    """Full instruction of the reflector's model, unescaped; empty for a reflector without one."""
    date: datetime.date
    """Day on which the run was started, UTC."""
    cost: SubmissionCost
    ictbench: Line
    """Version of ictbench that made the run."""
    files: dict[Literal["result.json"] | EvidenceFile, Hash]
    """SHA-256 digests of the submission's other files."""
    evidence: EvidenceLocation | None = Field(default=None, exclude_if=lambda location: location is None)
    """Where the episode records and trajectories lie; None if they lie in the submission's folder."""

    @property
    def digest(self) -> str:
        """SHA-256 of the metadata's canonical JSON. It covers every file, wherever that lies; badges refer to it."""
        return digest_of(self.model_dump(mode="json", by_alias=True, exclude={"evidence"}))

"""What a submitter says of a run, schema `ictbench.submission/1`."""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from ictbench.choices import ProfileName
from ictbench.records import Record, digest_of

SLUG = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
"""Pattern of a submission's folder name: the same on every file system, and no path."""

HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
"""Unicode categories of what is not seen, or turns what is seen around: controls, zero-width and bidirectional marks,
private use, surrogates, line and paragraph separators."""

BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that are not seen either: fillers, joiners, variation selectors (of other categories, but
Default_Ignorable_Code_Point to Unicode), and the blank of Braille."""

MARKUP = re.compile(r"<[a-zA-Z/!?]")

FORMULA = "=+-@!&*%|`＝＋－＠"
"""A cell that begins so is a formula to a spreadsheet, in full width too, or more than text to YAML and Markdown."""


def _one_line(text: str) -> str:
    if hidden := [c for c in text if unicodedata.category(c) in HIDDEN or BLANK.match(c)]:
        raise ValueError(f"it holds the invisible character U+{ord(hidden[0]):04X}; leave it out")
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("it is not in Unicode's normal form NFC")
    if text != text.strip() or not text:
        raise ValueError("it is empty, or begins or ends with a space")
    if found := MARKUP.search(text):
        raise ValueError(f"it holds markup ({found[0]}…); write plain text")
    return text


def _cell(text: str) -> str:
    if _one_line(text)[0] in FORMULA:
        raise ValueError(f"it begins with {text[0]}, which a spreadsheet takes for a formula; begin otherwise")
    return text


def _paragraphs(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    for line in text.split("\n"):
        if words := line.strip(" "):
            _one_line(words)
    return text


Line = Annotated[str, Field(max_length=120), AfterValidator(_cell)]
"""Text that is shown in one line or cell: seen as it is, no markup, no formula, at most 120 characters."""

Text = Annotated[str, Field(max_length=2000), AfterValidator(_paragraphs)]
"""Text of several lines, each seen as it is, at most 2,000 characters in all."""

WebLink = Annotated[
    str, Field(max_length=300, pattern=r"^https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[!#-;=?-\[\]-_a-z~]*)?$")
]
"""A page, by HTTPS, without name or password, or a sign that ends an attribute."""

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256, in hexadecimal digits."""


class SubmittedPlayer(Record):
    """An actor or reflector as the board names it."""

    label: Line
    """As in the result."""
    revision: Line | None = None
    """Of the weights or the service: what the result's fingerprint says, or what the submitter adds."""
    open_weights: bool | None = None
    """Whether anyone can get the weights; None where it has none, as a scripted player."""


class SubmissionCost(Record):
    """What the run cost, over all roles; derived from the result."""

    model_config = ConfigDict(allow_inf_nan=False)

    usd: float | None
    """US dollars; None where a price is unknown."""
    calls: int
    input_tokens: int
    output_tokens: int


class Submission(Record):
    """A submission's metadata."""

    schema_: Literal["ictbench.submission/1"] = Field(alias="schema")
    name: Line
    """Of the entry, as the board shows it."""
    description: Text
    links: Annotated[tuple[WebLink, ...], Field(max_length=5)]
    submitted_by: Line
    suite: Line
    profile: ProfileName
    """One of the ranked profiles, but among what a board shows unranked."""
    reflector: SubmittedPlayer
    actor: SubmittedPlayer
    reflector_trained_on: tuple[Line, ...] | None
    """In the words of `ictbench.suites.trained_on`; None where unknown."""
    instruction: Annotated[str, Field(max_length=20_000)] = ""
    """What the reflector's model is told, in full and as it is, markup and all; empty for a reflector without one."""
    date: datetime.date
    """Day the run was started, UTC."""
    cost: SubmissionCost
    ictbench: Line
    """Version that made the run."""
    files: dict[Literal["result.json", "episodes.jsonl.gz", "trajectories.jsonl.gz"], Hash]
    """SHA-256 of the submission's other files."""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of all this: it binds every file, and verifications are bound to it."""
        return digest_of(self.model_dump(mode="json", by_alias=True))

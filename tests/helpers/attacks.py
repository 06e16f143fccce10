"""Attacks on a leaderboard: what a submitter could do to an honest submission, and what refuses it.

Every attacker makes every checksum and digest fit, and the measures too where the attack says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forgery import Forgery
from honest import SLUG, SUITE

import ictbench
from ictbench.board.validate import check_submission
from ictbench.errors import SubmissionError
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.read_submission import evidence_of_submission, read_trajectories

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Stage = Literal["reading", "validate", "verify", "nothing"]
"""What refuses it: reading the files, `leaderboard validate` beyond that, `verify`, which plays again, or nothing."""

SAMPLE = 60
"""Episodes that are played again. What only playing finds is forged in every third one."""


@dataclass(frozen=True)
class Attack:
    """One thing that an attacker does."""

    name: str
    stage: Stage
    reason: str
    """Part of what is said of it; of what nothing refuses, what the docs say of it."""
    forge: Callable[[Forgery], object] = lambda forgery: None
    """Edits the parts."""
    spoil: Callable[[SubmissionFolder], object] = lambda folder: None
    """Edits the files that were made of them."""
    slug: str = SLUG


ATTACKS: list[Attack] = []
"""Filled by the modules whose name begins with `attacks_on_`."""


def attack(name: str, stage: Stage, reason: str) -> Callable[[Callable[[Forgery], None]], Callable[[Forgery], None]]:
    """Note a function that edits the parts of a submission as an attack."""

    def note(forge: Callable[[Forgery], None]) -> Callable[[Forgery], None]:
        ATTACKS.append(Attack(name, stage, reason, forge=forge))
        return forge

    return note


def attack_on_files(
    name: str, stage: Stage, reason: str
) -> Callable[[Callable[[SubmissionFolder], None]], Callable[[SubmissionFolder], None]]:
    """Note a function that edits the files of a submission as an attack."""

    def note(spoil: Callable[[SubmissionFolder], None]) -> Callable[[SubmissionFolder], None]:
        ATTACKS.append(Attack(name, stage, reason, spoil=spoil))
        return spoil

    return note


def outcome_of(attack: Attack, honest: SubmissionFolder, place: Path) -> tuple[Stage, list[str]]:
    """What refuses an attack, and what is said of it."""
    forgery = Forgery.of(honest)
    attack.forge(forgery)
    folder = forgery.write(BoardFolder(place / SUITE).submission(attack.slug).path)
    attack.spoil(folder)
    problems = list(check_submission(folder, SUITE))
    try:
        for records in (evidence_of_submission(folder).episodes(), read_trajectories(folder)):
            for _ in records:
                pass
    except SubmissionError:
        return "reading", problems
    if problems:
        return "validate", problems
    found = ictbench.verify(folder.path, sample=SAMPLE, workers=1)
    failed = [f"{check.name}: {check.detail}" for check in found.checks if check.verdict == "failed"]
    return ("verify", failed) if failed else ("nothing", [])

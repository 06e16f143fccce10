"""Attacks on a leaderboard: edits of an honest submission, each with the stage that refuses it.

An attacker makes all checksums and digests match, and the measures too if the attack says so.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest
import yaml
from altered_memories import built_in
from forgery import Forgery
from honest import SLUG, SUITE, honest_submission, honest_submission_of

import ictbench
from ictbench.board.examine import check_submission
from ictbench.board.validate import validate
from ictbench.errors import SubmissionError
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.read_submission import read_content
from ictbench.suites.load import list_suites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ictbench.records import Division

Stage = Literal["reading", "validate", "verify", "nothing"]
"""Stage that refuses an attack: reading the files, `leaderboard validate`, `verify` with its replay, or nothing."""

SIZES = {"turns": 5, "batch_size": 2, "loops": 5, "selection_size": 4, "test_size": 6}
"""Sizes of the profile `lite` while attacks are carried out: none depends on them, and each reads all episodes."""

SAMPLE = 60
"""Replayed episodes. Attacks that only a replay finds forge every third episode."""


@dataclass(frozen=True)
class Attack:
    """One attack."""

    name: str
    stage: Stage
    reason: str
    """Part of the message that refuses it; if nothing does, the explanation for the docs."""
    forge: Callable[[Forgery], object] = lambda forgery: None
    """Edits the parts of the submission."""
    forge_files: Callable[[SubmissionFolder], object] = lambda folder: None
    """Edits the files written from the parts."""
    slug: str = SLUG
    division: Division = "reflector"
    """Division of the honest submission's learner. The board takes that with a memory for a built-in one."""
    prepare_board: Callable[[BoardFolder, SubmissionFolder], object] | None = None
    """Writes what the board holds beside the submission; the honest one is given."""


ATTACKS: list[Attack] = []
"""Filled by the modules `attacks_on_…` when they are imported."""


def attack(
    name: str, stage: Stage, reason: str, division: Division = "reflector"
) -> Callable[[Callable[[Forgery], None]], Callable[[Forgery], None]]:
    """Register a function that edits the parts of a submission as an attack."""

    def register(forge: Callable[[Forgery], None]) -> Callable[[Forgery], None]:
        ATTACKS.append(Attack(name, stage, reason, forge=forge, division=division))
        return forge

    return register


def attack_on_files(
    name: str, stage: Stage, reason: str, division: Division = "reflector"
) -> Callable[[Callable[[SubmissionFolder], None]], Callable[[SubmissionFolder], None]]:
    """Register a function that edits the files of a submission as an attack."""

    def register(forge_files: Callable[[SubmissionFolder], None]) -> Callable[[SubmissionFolder], None]:
        ATTACKS.append(Attack(name, stage, reason, forge_files=forge_files, division=division))
        return forge_files

    return register


@contextmanager
def attacked_submission(folder: Path) -> Iterator[SubmissionFolder]:
    """Shrink the profile `lite` of the suite within the block, and create an honest submission of that size.

    Args:
        folder: Folder of the submission and the suite; processes may share it.
    """
    suites = list_suites()
    suite = yaml.safe_load(suites[SUITE].read_text(encoding="utf-8"))
    suite["profiles"]["lite"] = SIZES
    path = folder / f"{SUITE}.yaml"
    path.write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ictbench.suites.load.list_suites", lambda: {**suites, SUITE: path})
        # An attack that replaces evidence must not be answered from what another one fetched.
        patch.setattr("ictbench.submissions.evidence_cache.read", lambda digest, size: None)
        patch.setattr("ictbench.submissions.evidence_cache.write", lambda digest, content: None)
        built_in(patch)
        yield honest_submission(folder)


def outcome_of(attack: Attack, honest: SubmissionFolder, scratch: Path) -> tuple[Stage, list[str]]:
    """Carry out an attack; return the stage that refuses it, and the messages."""
    honest = honest_submission_of(attack.division, honest.path.parents[3])
    forgery = Forgery.of(honest)
    attack.forge(forgery)
    folder = forgery.write(BoardFolder(scratch / SUITE).submission(attack.slug).path)
    attack.forge_files(folder)
    if attack.prepare_board:
        attack.prepare_board(BoardFolder(scratch / SUITE), honest)
        problems = [problem.what for problem in validate(scratch, attack.slug)]
    else:
        problems = list(check_submission(folder, SUITE))
    try:
        content = read_content(folder)
        for records in (content.evidence.episodes(), content.shown_episodes(), content.evidence.memories()):
            for _ in records:
                pass
    except SubmissionError:
        return "reading", problems
    if problems:
        return "validate", problems
    verification = ictbench.verify(folder.path, sample=SAMPLE, workers=1, executor="inline")
    failed = [f"{check.name}: {check.detail}" for check in verification.checks if check.verdict == "failed"]
    return ("verify", failed) if failed else ("nothing", [])

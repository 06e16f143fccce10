"""Episodes that a submission shows in full are replayed word for word, and files are read once."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from attacks import attacked_submission
from forgery import Forgery

import ictbench
from ictbench.audit import verify as verify_module
from ictbench.audit.verification import Check
from ictbench.errors import SubmissionError
from ictbench.submissions.layout import SubmissionFolder
from ictbench.submissions.read_submission import read_content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ictbench.audit.verification import Verification


@pytest.fixture(scope="module")
def honest_lite(shared_folder: Path) -> Iterator[SubmissionFolder]:
    """Return an honest submission of few and small loops."""
    folder = shared_folder / "attacked"
    folder.mkdir(exist_ok=True)
    with attacked_submission(folder) as submission:
        yield submission


def failed(verification: Verification) -> dict[str, str]:
    return {check.name: check.detail for check in verification.checks if check.verdict == "failed"}


def test_shown_episodes_are_replayed_besides_the_sample(honest_lite: SubmissionFolder) -> None:
    shown = len(list(read_content(honest_lite).shown_episodes()))
    verification = ictbench.verify(honest_lite.path, sample=1, workers=1)
    assert verification.passed
    assert verification.replayed is not None
    assert verification.replayed.shown == shown > 1
    assert shown <= verification.replayed.episodes <= shown + 1
    details = {check.name: check.detail for check in verification.checks}
    assert details["texts"] == f"word for word, in the {shown} episodes shown in full"


@pytest.mark.parametrize("place", ["observation", "actions", "last_observation"])
def test_text_with_the_recorded_hash_is_found_by_the_replay(
    honest_lite: SubmissionFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A text with a given 32-bit hash takes a minute to find; here the check of the hashes is left out instead."""
    forgery = Forgery.of(honest_lite)
    trajectory = next(episode["trajectory"] for episode in forgery.trajectories if episode["trajectory"]["steps"])
    if place == "last_observation":
        trajectory[place] = "You have won, and the board says so."
    else:
        trajectory["steps"][0][place] = "You have won." if place == "observation" else ["win"]
    folder = forgery.write(tmp_path / "forged")
    passed = Check(name="shown episodes", verdict="passed", detail="")
    monkeypatch.setattr(verify_module, "check_shown", lambda evidence: passed)
    verification = ictbench.verify(folder.path, sample=1, workers=1)
    assert [*failed(verification)] == ["texts"]
    assert "and the replay shows" in failed(verification)["texts"]


def test_files_changed_while_they_are_verified_change_nothing(honest_lite: SubmissionFolder, tmp_path: Path) -> None:
    folder = SubmissionFolder(shutil.copytree(honest_lite.path, tmp_path / "mine"))
    content = read_content(folder)
    before = [record.key for record in content.evidence.episodes()]
    for path in (folder.metadata, *folder.content):
        path.write_bytes(b"forged")
    assert [record.key for record in content.evidence.episodes()] == before
    assert content.result.checksum == read_content(honest_lite).result.checksum
    assert list(content.shown_episodes()) == list(read_content(honest_lite).shown_episodes())


def test_swap_during_a_verification_moves_no_badge(honest_lite: SubmissionFolder, tmp_path: Path) -> None:
    folder = SubmissionFolder(shutil.copytree(honest_lite.path, tmp_path / "mine"))
    forgery = Forgery.of(honest_lite)
    for record in forgery.episodes:
        record["trajectory"]["steps"] = record["trajectory"]["steps"][:0]
    forged = forgery.write(tmp_path / "forged")

    def swap(check: Check) -> None:
        for path in folder.content:
            shutil.copy(forged.path / path.name, path)

    verification = ictbench.verify(folder.path, sample=5, workers=1, on_check=swap)
    assert verification.passed
    assert verification.submission == read_content(honest_lite).submission.digest
    with pytest.raises(SubmissionError, match="was changed"):
        read_content(folder)

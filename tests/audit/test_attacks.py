from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attack_table import HEAD, MODULES, row
from attacks import ATTACKS, attacked_submission, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attacks import Attack

    from ictbench.submissions.layout import SubmissionFolder


@pytest.fixture(scope="module")
def honest(shared_folder: Path) -> Iterator[SubmissionFolder]:
    folder = shared_folder / "attacked"
    folder.mkdir(exist_ok=True)
    with attacked_submission(folder) as submission:
        yield submission


def test_attacks_have_unique_names() -> None:
    assert MODULES
    assert len({attack.name for attack in ATTACKS}) > 150


def test_page_lists_every_attack() -> None:
    page = Path(__file__).parents[2] / "docs" / "attacks.md"
    assert page.read_text("utf-8") == "\n".join([HEAD, *map(row, ATTACKS), ""])


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_attack_is_refused_at_the_documented_stage_with_the_documented_message(
    attack: Attack, honest: SubmissionFolder, tmp_path: Path
) -> None:
    stage, messages = outcome_of(attack, honest, tmp_path)
    assert stage == attack.stage, messages
    assert stage == "nothing" or any(attack.reason in message for message in messages), messages

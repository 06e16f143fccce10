from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .attack_table import MODULES
from .attacks import ATTACKS, outcome_of

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.leaderboard.board_folder import SubmissionFolder

    from .attacks import Attack


def test_there_are_many_and_each_has_its_name() -> None:
    assert MODULES
    assert len({attack.name for attack in ATTACKS}) > 150


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_an_attack_is_refused_where_and_why_the_docs_say(
    attack: Attack, honest: SubmissionFolder, tmp_path: Path
) -> None:
    stage, said = outcome_of(attack, honest, tmp_path)
    assert stage == attack.stage, said
    assert stage == "nothing" or any(attack.reason in one for one in said), said

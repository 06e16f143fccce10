from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attack_table import HEAD, MODULES, row
from attacks import ATTACKS, outcome_of

if TYPE_CHECKING:
    from attacks import Attack

    from ictbench.submissions.layout import SubmissionFolder


def test_there_are_many_and_each_has_its_name() -> None:
    assert MODULES
    assert len({attack.name for attack in ATTACKS}) > 150


def test_the_page_names_every_attack_and_what_refuses_it() -> None:
    page = Path(__file__).parents[2] / "docs" / "attacks.md"
    assert page.read_text("utf-8") == "\n".join([HEAD, *map(row, ATTACKS), ""])


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_an_attack_is_refused_where_and_why_the_docs_say(
    attack: Attack, honest: SubmissionFolder, tmp_path: Path
) -> None:
    stage, said = outcome_of(attack, honest, tmp_path)
    assert stage == attack.stage, said
    assert stage == "nothing" or any(attack.reason in one for one in said), said

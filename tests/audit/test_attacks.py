from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attack_table import HEAD, HEAD_ELSEWHERE, MODULES, row, row_elsewhere
from attacks import ATTACKS, attacked_submission, outcome_of
from attacks_elsewhere import ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attacks import Attack
    from attacks_elsewhere import AttackElsewhere

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
    assert page.read_text("utf-8") == "\n".join(
        [HEAD, *map(row, ATTACKS), HEAD_ELSEWHERE, *map(row_elsewhere, ELSEWHERE), ""]
    )


@pytest.mark.parametrize("attack", ELSEWHERE, ids=lambda attack: attack.name.replace(" ", "-"))
def test_the_test_that_carries_an_attack_out_exists(attack: AttackElsewhere) -> None:
    file, _, function = attack.test.partition("::")
    path = Path(__file__).parents[2] / file
    names = {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}
    assert function in names


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_attack_is_refused_at_the_documented_stage_with_the_documented_message(
    attack: Attack, honest: SubmissionFolder, tmp_path: Path
) -> None:
    stage, messages = outcome_of(attack, honest, tmp_path)
    assert stage == attack.stage, messages
    assert stage == "nothing" or any(attack.reason in message for message in messages), messages

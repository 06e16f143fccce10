"""The pages whose commands train, run as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from doc_blocks import PAGES, needs_training, run_page

if TYPE_CHECKING:
    from pathlib import Path

TRAINING = [page for page in PAGES if needs_training(page)]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", TRAINING, ids=lambda page: page.name)
def test_marked_blocks_run(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path, seconds=900)
    assert (tmp_path / "runs/trained/result.json").is_file()


def test_the_tutorial_is_among_them() -> None:
    assert "tutorial-train.md" in [page.name for page in TRAINING]

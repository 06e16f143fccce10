from __future__ import annotations

from typing import Any

import pytest

from ictbench.errors import ModelFailure
from ictbench.models.failure_detail import failure_detail
from ictbench.models.http_errors import EXCERPT_CHARACTERS

KEY = "sk-proj-0123456789abcdef"


@pytest.mark.parametrize("before", range(EXCERPT_CHARACTERS - len(KEY) - 2, EXCERPT_CHARACTERS + 2))
def test_secrets_are_removed_before_the_text_is_cut(before: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SERVICE_TOKEN", KEY)
    shown = failure_detail(ModelFailure("bad_request", "x" * before + KEY + " is wrong"))
    assert len(shown) <= EXCERPT_CHARACTERS + 1
    assert "sk-" not in shown


def test_words_are_one_printable_line() -> None:
    assert failure_detail(ModelFailure("empty", "no\n  reply\x1b[2J\x00")) == "no reply�[2J�"
    assert failure_detail(ModelFailure("empty")) == ""


@pytest.mark.parametrize(
    ("detail", "shown"), [(None, ""), (7, "7"), ({"code": 3}, "{'code': 3}"), ("a\ud800", "a\ufffd")]
)
def test_any_detail_of_a_class_of_ones_own_is_shown(detail: Any, shown: str) -> None:
    assert failure_detail(ModelFailure("empty", detail)) == shown

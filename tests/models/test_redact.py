from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models.redact import Redactor

if TYPE_CHECKING:
    import pytest


def test_a_secret_is_replaced_and_not_shown_by_the_concealer() -> None:
    conceal = Redactor("sk-one", "", "sk-two")
    assert conceal("sk-one and sk-two, sk-three") == "[key] and [key], sk-three"
    assert "sk-one" not in repr(conceal)
    assert Redactor("")("nothing to hide") == "nothing to hide"


def test_what_looks_like_a_secret_in_the_environment_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abcdefgh")
    monkeypatch.setenv("AWS_SECRET_ACCESS_VALUE", "ijklmnop")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("PLAIN_SETTING", "qrstuvwx")
    assert Redactor.from_environment()("abcdefgh ijklmnop false qrstuvwx") == "[key] [key] false qrstuvwx"
